// Schedules: a rule's cron, fired once each time however many processes look.
import { randomUUID } from 'node:crypto'
import { keys, partitions } from '../registry/keys.ts'
import { nextNumber } from '../registry/numbers.ts'
import { pagesOf } from '../registry/partitions.ts'
import type { Attributes, Item } from '../registry/ports.ts'
import { number, type Registry, text } from '../registry/registry.ts'
import { nextTime, parseCron } from './cron.ts'
import type { Vendor } from './execution.ts'
import { type Jobs, startExecution } from './executions.ts'

/** Under this name all schedules are paused. */
const ALL = 'SCHEDULER'

export interface Schedule {
  number: number
  vendor: Vendor
  rule: number
  cron: string
  /** What its task is told. */
  payload: Attributes
  nextAtMs: number
  updatedAtMs: number
}

/** Sets or changes the schedule of a rule. @throws REQUEST_INVALID for a cron that is none */
export async function setSchedule(
  registry: Registry,
  { vendor, rule, cron, payload = {} }: Pick<Schedule, 'vendor' | 'rule' | 'cron'> & { payload?: Attributes },
): Promise<void> {
  const parsed = parseCron(cron)
  const key = keys.schedule(vendor, rule)
  const before = await registry.metadata.get(key)
  const nowMs = registry.clock.nowMs()
  const unchanged = before && text(before, 'cron') === parsed
  const attributes: Attributes = {
    v: 1,
    number: before ? number(before, 'number') : await nextNumber(registry, 'schedule'),
    vendor,
    rule,
    cron: parsed,
    payload,
    nextAtMs: unchanged ? number(before, 'nextAtMs') : nextTime(parsed, nowMs)!,
    updatedAtMs: nowMs,
    gen: randomUUID(),
  }
  await registry.metadata.batchWrite([{ kind: 'put', item: { ...key, attributes } }])
}

export async function dropSchedule(registry: Registry, vendor: Vendor, rule: number): Promise<void> {
  await registry.metadata.batchWrite([{ kind: 'delete', key: keys.schedule(vendor, rule) }])
}

export async function readSchedule(
  registry: Registry,
  vendor: Vendor,
  rule: number,
): Promise<Schedule | undefined> {
  const item = await registry.metadata.get(keys.schedule(vendor, rule))
  return item && scheduleOf(item)
}

export async function listSchedules(registry: Registry): Promise<Schedule[]> {
  const found: Schedule[] = []
  for await (const page of pagesOf(registry.metadata, { pk: partitions.schedules }))
    found.push(...page.map(scheduleOf))
  return found
}

/** Begins what is due. A time that was missed is made up for once. @returns executions begun */
export async function fireSchedules(jobs: Jobs): Promise<number> {
  const { registry } = jobs
  if (await schedulerPaused(registry)) return 0
  let fired = 0
  for await (const page of pagesOf(registry.metadata, { pk: partitions.schedules }))
    for (const item of page)
      if (number(item, 'nextAtMs') <= registry.clock.nowMs() && (await fire(jobs, item))) fired += 1
  return fired
}

async function fire(jobs: Jobs, item: Item): Promise<boolean> {
  const { vendor, rule, cron, payload } = scheduleOf(item)
  const nextAtMs = nextTime(cron, jobs.registry.clock.nowMs())
  if (nextAtMs === undefined) return false
  const moved: Item = { ...item, attributes: { ...item.attributes, nextAtMs, gen: randomUUID() } }
  // In one transaction with the execution: of several processes one succeeds.
  const unchanged = { gen: item.attributes.gen as string }
  const begun = await startExecution(
    jobs,
    { vendor, rule, trigger: 'SCHEDULE' },
    [{ payload }],
    [{ kind: 'put', item: moved, if: { kind: 'equals', attributes: unchanged } }],
  )
  return begun !== undefined
}

export async function schedulerPaused(registry: Registry): Promise<boolean> {
  return (await registry.metadata.get(keys.pausedVendor(ALL))) !== undefined
}

export async function pauseScheduler(registry: Registry, paused: boolean): Promise<void> {
  const key = keys.pausedVendor(ALL)
  await registry.metadata.batchWrite([
    paused ? { kind: 'put', item: { ...key, attributes: { v: 1 } } } : { kind: 'delete', key },
  ])
}

function scheduleOf(item: Item): Schedule {
  return {
    number: number(item, 'number'),
    vendor: text(item, 'vendor') as Vendor,
    rule: number(item, 'rule'),
    cron: text(item, 'cron'),
    payload: item.attributes.payload as Attributes,
    nextAtMs: number(item, 'nextAtMs'),
    updatedAtMs: number(item, 'updatedAtMs'),
  }
}
