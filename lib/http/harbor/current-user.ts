// Whoever asks: who they are and what they may.
import { permissionsIn } from '../../access/own-permissions.ts'
import { requireUser } from '../../access/users.ts'
import { RegistryError } from '../../oci/errors.ts'
import type { HttpResponse } from '../message.ts'
import { answer } from './answers.ts'
import { type HarborCall, type HarborRoute, requireLogin } from './call.ts'
import { userRow } from './users.ts'

export const CURRENT_USER_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/users/current', run: current },
  { method: 'GET', path: '/users/current/permissions', run: permissions },
]

/** @throws PRECONDITION for robots: harbor-cli takes 401 and 403 for a wrong login, and looks further on this */
async function current(call: HarborCall): Promise<HttpResponse> {
  requireLogin(call)
  const { principal, registry } = call
  if (principal.kind !== 'user')
    throw new RegistryError(
      'PRECONDITION',
      `get current user not available for security context: ${principal.kind}`,
    )
  return answer(200, userRow(await requireUser(registry, principal.number)))
}

/** `scope` is a resource such as `/project/1`; `relative` leaves it out of the answers. */
async function permissions(call: HarborCall): Promise<HttpResponse> {
  requireLogin(call)
  const { query } = call.request
  const scope = query.get('scope') ?? ''
  const found = await permissionsIn(call.registry, call.principal, scope)
  if (query.get('relative') !== 'true') return answer(200, found)
  const relative = found
    .filter(({ resource }) => resource.startsWith(scope))
    .map((each) => ({ ...each, resource: each.resource.slice(scope.length).replace(/^\//, '') || '.' }))
  return answer(200, relative)
}
