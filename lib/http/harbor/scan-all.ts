// Scans of everything: now, on a schedule, and how the last one goes.
import type { Execution } from '../../jobs/execution.ts'
import { executionsOf, stopExecution, tasksOf } from '../../jobs/executions.ts'
import { dropSchedule, readSchedule, setSchedule } from '../../jobs/schedules.ts'
import { RegistryError } from '../../oci/errors.ts'
import { noted } from '../../registry/audit-log.ts'
import { beginScanAll } from '../../scanning/scan-all.ts'
import { empty, type HttpResponse } from '../message.ts'
import { answer, created, done, time } from './answers.ts'
import { readFields } from './body.ts'
import { type HarborCall, type HarborRoute, requireSystem } from './call.ts'
import { scheduleIn } from './schedule-body.ts'

export const SCAN_ALL_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/system/scanAll/schedule', run: show },
  { method: 'POST', path: '/system/scanAll/schedule', run: create },
  { method: 'PUT', path: '/system/scanAll/schedule', run: update },
  { method: 'POST', path: '/system/scanAll/stop', run: stop },
  { method: 'GET', path: '/scans/all/metrics', run: (call) => metrics(call, () => true) },
  {
    method: 'GET',
    path: '/scans/schedule/metrics',
    run: (call) => metrics(call, ({ trigger }) => trigger === 'SCHEDULE'),
  },
]

const VENDOR = 'SCAN_ALL'
const RESOURCE = 'scan-all'

/** Without one, an answer without a body: so Harbor says it, and Terraform asks. */
async function show(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'read')
  const found = await readSchedule(call.registry, VENDOR, 0)
  if (!found) return done()
  const { number, cron, payload, nextAtMs, updatedAtMs } = found
  return answer(200, {
    id: number,
    status: '',
    parameters: {},
    schedule: { type: payload.type, cron, next_scheduled_time: time(nextAtMs) },
    creation_time: time(updatedAtMs),
    update_time: time(updatedAtMs),
  })
}

async function create(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'create')
  const { type, cron } = scheduleIn(await readFields(call.request))
  if (type === 'Manual') {
    await beginScanAll(call.jobs, 'MANUAL', call.principal.name, await last(call, () => true))
  } else if (type !== 'None') {
    if (await readSchedule(call.registry, VENDOR, 0))
      throw new RegistryError(
        'PRECONDITION',
        'fail to set schedule for scan all as always had one, please delete it firstly then to re-schedule',
      )
    await setSchedule(call.registry, { vendor: VENDOR, rule: 0, cron, payload: { type } })
  }
  await noted(call, { operation: 'create', resourceType: 'scan_all', resource: type })
  return created('/system/scanAll/schedule')
}

async function update(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'update')
  const { type, cron } = scheduleIn(await readFields(call.request))
  if (type === 'Manual')
    throw new RegistryError(
      'REQUEST_INVALID',
      `fail to update scan all schedule as wrong schedule type: ${type}`,
    )
  if (type === 'None') await dropSchedule(call.registry, VENDOR, 0)
  else await setSchedule(call.registry, { vendor: VENDOR, rule: 0, cron, payload: { type } })
  await noted(call, { operation: 'update', resourceType: 'scan_all', resource: type })
  return done()
}

async function stop(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'stop')
  const found = await last(call, () => true)
  if (!found) throw new RegistryError('REQUEST_INVALID', 'no scan all job is found currently')
  await stopExecution(call.jobs, found.number)
  await noted(call, { operation: 'update', resourceType: 'scan_all', resource: String(found.number) })
  return empty(202, {})
}

async function metrics(call: HarborCall, wanted: (each: Execution) => boolean): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'read')
  const found = await last(call, wanted)
  if (!found) return answer(200, { total: 0, completed: 0, ongoing: false })
  const counts: Record<string, number> = { Pending: 0, Running: 0, Success: 0, Error: 0, Stopped: 0 }
  // The first task looks for the others.
  for await (const { status, payload } of tasksOf(call.registry, found.number))
    if (payload.digest !== undefined) counts[status]! += 1
  const [total, completed] = [
    Object.values(counts).reduce((sum, each) => sum + each, 0),
    counts.Success! + counts.Error! + counts.Stopped!,
  ]
  const ongoing = found.endedAtMs === undefined
  const trigger = found.trigger[0] + found.trigger.slice(1).toLowerCase()
  return answer(200, { total, completed, metrics: counts, ongoing, trigger })
}

async function last(call: HarborCall, wanted: (each: Execution) => boolean): Promise<Execution | undefined> {
  for await (const execution of executionsOf(call.registry, VENDOR)) if (wanted(execution)) return execution
  return undefined
}
