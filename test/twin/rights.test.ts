// Least privilege: what each program did while clients worked is what its deployed policies allow, and nothing more.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorkplace, type Workplace } from '../clients/workplace.ts'
import { callsIn, denied, type Rights, rightsIn, unusedRights, withoutAction, work } from './rights.ts'
import { sharedTwin } from './shared.ts'
import type { Twin } from './twin.ts'

let twin: Twin
let at: Workplace
let rights: Rights[]
beforeAll(async () => {
  twin = await sharedTwin()
  at = await openWorkplace()
  await work(twin, at)
  rights = await rightsIn(twin)
  if (process.env.SABOTAGE === 'rights') rights = rights.map((each) => withoutAction(each, each.granted[0]!))
  if (process.env.SABOTAGE === 'rights-unused') rights[0]!.granted.push('s3:PutBucketPolicy')
}, 300_000)
afterAll(() => at.close())

test('no program does what its deployed policies do not allow', () => {
  const calls = callsIn(twin)
  for (const each of rights) {
    expect(calls.some(({ program }) => program === each.program)).toBe(true)
    expect(denied(each, calls)).toEqual([])
  }
})

test('without any one of its rights a program could not do what it did', () => {
  const calls = callsIn(twin)
  const unused = rights.flatMap((each) => unusedRights(each, calls))
  expect(unused).toEqual([])
})
