// A target that asks to be left alone for a while is, as long as that is not for ever.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startExecution } from '../../lib/jobs/executions.ts'
import { readTaskLog } from '../../lib/jobs/task-log.ts'
import { planSpec } from '../../lib/replication/payload.ts'
import { tasksIn } from '../domain/jobs/place.ts'
import { pushImage } from '../domain/registry.ts'
import { type ClockPlace, clockPlace } from './turned-clock.ts'

const NAME = 'library/limited'

let at: ClockPlace
beforeEach(async () => {
  at = await clockPlace()
  at.registry.clock.now = Date.UTC(2026, 10, 28, 12)
})
afterEach(() => at.close())

test.each([
  ['in seconds', '40', 40],
  ['as a date', 'Sat, 28 Nov 2026 12:01:30 GMT', 90],
  ['for longer than an hour', '86400', 3600],
  ['for less than we wait anyway', '2', 15],
  ['in the past', 'Sat, 28 Nov 2026 11:00:00 GMT', 15],
  ['in no way anybody understands', 'soon', 15],
  ['not at all', undefined, 15],
])(
  'Retry-After %s (%s): the next attempt follows after %i s, and succeeds',
  async (_, retryAfter, seconds) => {
    const said = retryAfter !== undefined && process.env.SABOTAGE !== 'retry-after'
    at.front.break(/^(POST|PUT) /, {
      status: 429,
      times: 1,
      headers: said ? { 'retry-after': retryAfter } : {},
    })
    const { digest } = await pushImage(at.registry, NAME, 'v1')
    const policy = await at.policy()
    const spec = { vendor: 'REPLICATION', rule: policy.id, trigger: 'MANUAL' } as const
    const { number } = (await startExecution(at.runner, spec, [planSpec(policy)]))!
    const begun = at.registry.clock.now
    await at.drain()
    const copy = (await tasksIn(at, number)).at(-1)!
    expect(copy).toMatchObject({ status: 'Success', attempts: 2 })
    expect((at.registry.clock.now - begun) / 1000).toBe(seconds)
    expect(await readTaskLog(at.registry, copy.number)).toContain(
      `attempt 1 of 3 failed: the next follows in ${seconds} s`,
    )
    expect(await at.arrived(NAME, 'v1')).toBe(digest)
  },
)
