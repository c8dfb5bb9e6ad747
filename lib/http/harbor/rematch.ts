// New advisories against stored bills of materials: now, or on a schedule, as Harbor's scans of everything are.
import { dropSchedule, readSchedule, setSchedule } from '../../jobs/schedules.ts'
import { noted } from '../../registry/audit-log.ts'
import { beginRematch } from '../../sbom/rematch.ts'
import type { HttpResponse } from '../message.ts'
import { answer, done, time } from './answers.ts'
import { readFields } from './body.ts'
import { type HarborCall, type HarborRoute, requireSystem } from './call.ts'
import { scheduleIn } from './schedule-body.ts'

const PATH = '/system/rematch/schedule'
const VENDOR = 'REMATCH'

export const REMATCH_ROUTES: HarborRoute[] = [
  { method: 'GET', path: PATH, own: 'getRematchSchedule', run: show },
  { method: 'PUT', path: PATH, own: 'updateRematchSchedule', run: update },
]

/** Without one, no type. */
async function show(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'scan-all', 'read')
  const found = await readSchedule(call.registry, VENDOR, 0)
  if (!found) return answer(200, { schedule: { type: 'None' } })
  const { cron, payload, nextAtMs } = found
  return answer(200, { schedule: { type: payload.type, cron, next_scheduled_time: time(nextAtMs) } })
}

/** `Manual` begins one now, and leaves the schedule as it is. */
async function update(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'scan-all', 'update')
  const { type, cron } = scheduleIn(await readFields(call.request))
  if (type === 'Manual') await beginRematch(call.jobs, 'MANUAL', call.principal.name)
  else if (type === 'None') await dropSchedule(call.registry, VENDOR, 0)
  else await setSchedule(call.registry, { vendor: VENDOR, rule: 0, cron, payload: { type } })
  await noted(call, { operation: 'update', resourceType: 'scan_all', resource: 'rematch' })
  return done()
}
