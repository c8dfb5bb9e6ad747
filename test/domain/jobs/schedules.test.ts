// Schedules fire once each time, however many processes look.
import { expect, test } from 'vitest'
import { nextTime, parseCron } from '../../../lib/jobs/cron.ts'
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

// What github.com/robfig/cron v3.0.1 says, which Harbor schedules by.
test.each([
  ['0 0/15 * * * *', ['2026-11-28T16:30', '2026-11-28T16:45', '2026-11-28T17:00', '2026-11-28T17:15']],
  ['0 5,10/20 * * * *', ['2026-11-28T16:30', '2026-11-28T16:50', '2026-11-28T17:05', '2026-11-28T17:10']],
  ['0 0 3/6 * * *', ['2026-11-28T21:00', '2026-11-29T03:00', '2026-11-29T09:00', '2026-11-29T15:00']],
  ['0 0 0 20/5 * *', ['2026-11-30T00:00', '2026-12-20T00:00', '2026-12-25T00:00', '2026-12-30T00:00']],
  ['0 0 0 1 JAN/5 *', ['2027-01-01T00:00', '2027-06-01T00:00', '2027-11-01T00:00', '2028-01-01T00:00']],
  ['0 0 0 * * MON/2', ['2026-11-30T00:00', '2026-12-02T00:00', '2026-12-04T00:00', '2026-12-07T00:00']],
  ['0 0 0 10-20/4 * *', ['2026-12-10T00:00', '2026-12-14T00:00', '2026-12-18T00:00', '2027-01-10T00:00']],
  ['0 */25 * * * *', ['2026-11-28T16:25', '2026-11-28T16:50', '2026-11-28T17:00', '2026-11-28T17:25']],
  ['0 0 0 ? * MON', ['2026-11-30T00:00', '2026-12-07T00:00', '2026-12-14T00:00', '2026-12-21T00:00']],
  ['0 0 0 13 * FRI', ['2026-12-04T00:00', '2026-12-11T00:00', '2026-12-13T00:00', '2026-12-18T00:00']],
])('%s comes when Harbor’s schedules come', (cron, expected) => {
  const times: string[] = []
  let atMs = Date.parse('2026-11-28T16:22:00Z')
  while (times.length < expected.length) {
    atMs = nextTime(parseCron(cron), atMs)!
    times.push(new Date(atMs).toISOString().slice(0, 16))
  }
  expect(times).toEqual(expected)
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
