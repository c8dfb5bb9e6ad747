// The budgets of calls to the stores, counted by proxies between the registry and them.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OpenBudgeted, openBudgeted } from './budgeted-server.ts'
import { measureCalls } from './call-budgets.ts'

let data: string
let open: OpenBudgeted
beforeAll(async () => {
  data = await mkdtemp(path.join(tmpdir(), 'entrepot-calls-'))
  open = await openBudgeted(data, { ENTREPOT_DIRECT_UPLOADS: 'on' })
})
afterAll(async () => {
  await open.close()
  await rm(data, { recursive: true, force: true })
})

test('no operation makes more calls to S3 and DynamoDB than its budget', async () => {
  const rows = await measureCalls(open)
  const over = rows.filter(
    ({ s3, dynamodb, budget }) => s3.length > budget.s3 || dynamodb.length > budget.dynamodb,
  )
  expect(rows.length).toBeGreaterThan(18)
  expect(over).toEqual([])
}, 120_000)
