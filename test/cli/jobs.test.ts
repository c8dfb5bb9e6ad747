// What operators see and do of jobs.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { harborOf, numberOf } from '../api/management.ts'
import { type Server, startServer } from '../support/server.ts'
import { entrepot } from './command.ts'

let data: string
let server: Server
beforeEach(async () => {
  data = await mkdtemp(path.join(tmpdir(), 'entrepot-jobs-'))
  server = await startServer({ dataDir: data, open: false })
})
afterEach(async () => {
  await server.stop()
  await rm(data, { recursive: true, force: true })
})

const run = (...args: string[]) => entrepot(['jobs', ...args, '--data', data])

test('executions are listed, their tasks shown, and logs read; what has not failed is not tried again', async () => {
  const admin = harborOf(server.url, 'admin')
  const gc = numberOf(await admin('POST', '/system/gc/schedule', { schedule: { type: 'Manual' } }))
  await expect.poll(async () => (await run('list')).stdout).toContain('Success')
  expect((await run('list', 'garbage_collection')).stdout).toMatch(
    new RegExp(`^${gc}\\t.*GARBAGE_COLLECTION\\tMANUAL\\tSuccess\\t1 of 1, 0 failed`),
  )
  expect((await run('list', '--failed')).stdout).toBe('')
  const job = /^[0-9a-f]{24}/m.exec((await run('show', String(gc))).stdout)![0]
  await server.stop()
  expect((await run('log', job)).stdout).toContain('sweep ended')
  expect(await run('retry', job)).toMatchObject({ code: 1, stdout: '0 of 1 jobs are tried again\n' })
  expect(await run('stop', String(gc))).toMatchObject({ code: 1 })
})

test('what is no kind, execution or job is said to be none', async () => {
  expect((await run('list', 'nothing')).code).toBe(2)
  expect((await run('show', '77')).code).toBe(2)
  expect((await run('log', 'x')).code).toBe(2)
})
