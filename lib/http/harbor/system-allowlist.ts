// The allowlist of the whole registry.
import { noted } from '../../registry/audit-log.ts'
import { putSystemAllowlist, readSystemAllowlist } from '../../registry/system-allowlist.ts'
import type { HttpResponse } from '../message.ts'
import { answer, done, time } from './answers.ts'
import { readFields } from './body.ts'
import { type HarborCall, type HarborRoute, requireLogin, requireSystem } from './call.ts'
import { allowlistOf } from './project-settings.ts'

const PATH = '/system/CVEAllowlist'

export const SYSTEM_ALLOWLIST_ROUTES: HarborRoute[] = [
  { method: 'GET', path: PATH, run: show },
  { method: 'PUT', path: PATH, run: replace },
]

async function show(call: HarborCall): Promise<HttpResponse> {
  requireLogin(call)
  const { cves, expiresAtSeconds, createdAtMs, updatedAtMs } = await readSystemAllowlist(call.registry)
  return answer(200, {
    id: createdAtMs === 0 ? 0 : 1,
    project_id: 0,
    ...(expiresAtSeconds === undefined ? {} : { expires_at: expiresAtSeconds }),
    items: cves.map((cve_id) => ({ cve_id })),
    creation_time: time(createdAtMs),
    update_time: time(updatedAtMs),
  })
}

/** Harbor has no entry of its own in the log; it is a setting of the whole registry. */
async function replace(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'configuration', 'update')
  await putSystemAllowlist(call.registry, allowlistOf(await readFields(call.request)))
  await noted(call, { operation: 'update', resourceType: 'configuration', resource: 'CVEAllowlist' })
  return done()
}
