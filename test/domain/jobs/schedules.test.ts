// Schedules fire once each time, however many processes look.
import { expect, test } from 'vitest'
import { parseCron } from '../../../lib/jobs/cron.ts'
import { executionsOf } from '../../../lib/jobs/executions.ts'
import {
  dropSchedule,
  fireSchedules,
  listSchedules,
  pauseScheduler,
  readSchedule,
  setSchedule,
} from '../../../lib/jobs/schedules.ts'
import { HOUR_MS } from '../registry.ts'
import { type JobPlace, jobPlace } from './place.ts'

const HOURLY = { vendor: 'REPLICATION' as const, rule: 3, cron: '0 0 * * * *' }

async function begun({ registry }: JobPlace): Promise<number> {
  let count = 0
  for await (const _ of executionsOf(registry, 'REPLICATION', 3)) count += 1
  return count
}

async function fireFrom(at: JobPlace, processes: number): Promise<void> {
  await Promise.all(Array.from({ length: processes }, () => fireSchedules(at.runner)))
}

test('a time that comes begins one execution, though four processes look at once', async () => {
  const at = await jobPlace({ REPLICATION: {} })
  await setSchedule(at.registry, HOURLY)
  await fireFrom(at, 4)
  expect(await begun(at)).toBe(0)
  for (let hour = 1; hour <= 3; hour++) {
    at.registry.clock.now += HOUR_MS
    await fireFrom(at, 4)
    expect(await begun(at)).toBe(hour)
  }
})

test('times that were missed are made up for once', async () => {
  const at = await jobPlace({ REPLICATION: {} })
  await setSchedule(at.registry, HOURLY)
  at.registry.clock.now += 50 * HOUR_MS
  await fireFrom(at, 2)
  await fireFrom(at, 2)
  expect(await begun(at)).toBe(1)
})

test('a paused scheduler begins nothing', async () => {
  const at = await jobPlace({ REPLICATION: {} })
  await setSchedule(at.registry, HOURLY)
  await pauseScheduler(at.registry, true)
  at.registry.clock.now += HOUR_MS
  await fireFrom(at, 1)
  expect(await begun(at)).toBe(0)
  await pauseScheduler(at.registry, false)
  await fireFrom(at, 1)
  expect(await begun(at)).toBe(1)
})

test('a rule has one schedule: setting it again changes it, dropping it ends it', async () => {
  const at = await jobPlace({ REPLICATION: {} })
  await setSchedule(at.registry, HOURLY)
  await setSchedule(at.registry, { ...HOURLY, cron: '0 30 1 * * *' })
  expect(await listSchedules(at.registry)).toMatchObject([{ rule: 3, cron: '0 30 1 * * *' }])
  await dropSchedule(at.registry, 'REPLICATION', 3)
  expect(await readSchedule(at.registry, 'REPLICATION', 3)).toBeUndefined()
})

test.each(['0 0 0 * * *', '0 */5 * * * *', '0 30 2 1,15 * 1-5'])('%s is a schedule', (cron) => {
  expect(parseCron(`  ${cron} `)).toBe(cron)
})

test.each([
  ['seconds', '*/5 * * * * *'],
  ['every second', '* * * * * *'],
  ['five fields', '0 0 * * *'],
  ['seven fields', '0 0 0 * * * 2026'],
  ['a day that never comes', '0 0 0 31 2 *'],
  ['words', '0 now or never please ok'],
  ['numbers beyond the field', '0 61 * * * *'],
  ['a long text', `0 ${'0,'.repeat(5000)}0 * * * *`],
  ['nothing', ''],
])('a cron of %s is refused', (_what, cron) => {
  expect(() => parseCron(cron)).toThrow(/schedule|1st field/)
})
