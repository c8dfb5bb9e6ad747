// A rule that its schedule fires, with the clock turned by hand, against a real registry.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { executionsOf } from '../../lib/jobs/executions.ts'
import { fireSchedules } from '../../lib/jobs/schedules.ts'
import { updatePolicy } from '../../lib/replication/policies.ts'
import { pushImage } from '../domain/registry.ts'
import { type ClockPlace, clockPlace, OWN_URL } from './turned-clock.ts'

const NAME = 'library/nightly'

let place: ClockPlace
beforeAll(async () => {
  place = await clockPlace()
})
afterAll(() => place.close())

/** Two processes look at that hour of January 2026. */
async function at(day: number, hour: number): Promise<void> {
  const { registry, runner, drain } = place
  registry.clock.now = Date.UTC(2026, 0, day, hour)
  await Promise.all([fireSchedules(runner), fireSchedules(runner)])
  await drain()
}

test('a scheduled rule copies at its times, once each, and not once it is disabled', async () => {
  const { registry, arrived } = place
  registry.clock.now = Date.UTC(2026, 0, 1, 0)
  const nightly = { trigger: 'scheduled', cron: '0 30 2 * * *' } as const
  const { id } = await place.policy(nightly)
  const { digest: first } = await pushImage(registry, NAME, 'v1')
  await at(1, 2)
  expect(await arrived(NAME, 'v1')).toBeNull()
  await at(1, 3)
  expect(await arrived(NAME, 'v1')).toBe(first)
  const { digest: second } = await pushImage(registry, NAME, 'v2', { layer: 'other' })
  await at(1, 23)
  expect(await arrived(NAME, 'v2')).toBeNull()
  await at(2, 3)
  expect(await arrived(NAME, 'v2')).toBe(second)

  await updatePolicy(registry, id, place.policyText({ ...nightly, enabled: false }), OWN_URL)
  await at(5, 3)
  const runs = []
  for await (const { trigger, status } of executionsOf(registry, 'REPLICATION', id))
    runs.push([trigger, status])
  expect(runs).toEqual([
    ['SCHEDULE', 'Success'],
    ['SCHEDULE', 'Success'],
  ])
})
