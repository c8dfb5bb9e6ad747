// What robots can be given, for whoever is about to make one.
import { administersAny } from '../../access/members.ts'
import { PROJECT_PERMISSIONS, SYSTEM_PERMISSIONS } from '../../access/robot-permissions.ts'
import type { HttpResponse } from '../message.ts'
import { answer } from './answers.ts'
import { type HarborCall, type HarborRoute, refused, requireLogin } from './call.ts'

export const PERMISSION_ROUTES: HarborRoute[] = [{ method: 'GET', path: '/permissions', run: list }]

/** Administrators of a project see what can be given within one. */
async function list(call: HarborCall): Promise<HttpResponse> {
  requireLogin(call)
  const { principal, registry } = call
  const project = rightsOf(PROJECT_PERMISSIONS)
  if (principal.admin) return answer(200, { system: rightsOf(SYSTEM_PERMISSIONS), project })
  if (!(await administersAny(registry, principal)))
    throw refused(call, 'only admins(system and project) can access permissions')
  return answer(200, { project })
}

function rightsOf(table: Record<string, string[]>): { resource: string; action: string }[] {
  return Object.entries(table).flatMap(([resource, actions]) =>
    actions.map((action) => ({ resource, action })),
  )
}
