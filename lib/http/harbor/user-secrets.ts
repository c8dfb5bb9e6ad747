// What users log in with, and whether they administer.

import { isPassword, setCliSecret } from '../../access/user-secrets.ts'
import { changeUser, requireUser, setPassword, type User } from '../../access/users.ts'
import { RegistryError } from '../../oci/errors.ts'
import { attempted } from '../../registry/audit-log.ts'
import { descriptionOf } from '../../registry/audited-operations.ts'
import type { HttpResponse } from '../message.ts'
import { done } from './answers.ts'
import { flagIn, readFields, textIn } from './body.ts'
import { type HarborCall, type HarborRoute, refused, requireSystem } from './call.ts'
import { numberOf } from './number-in-path.ts'
import { isSelf } from './users.ts'

export const USER_SECRET_ROUTES: HarborRoute[] = [
  { method: 'PUT', path: '/users/{user}/sysadmin', run: setAdmin },
  { method: 'PUT', path: '/users/{user}/password', run: changePassword },
  { method: 'PUT', path: '/users/{user}/cli_secret', run: changeCliSecret },
]

async function setAdmin(call: HarborCall): Promise<HttpResponse> {
  const wanted = numberOf(call, 'user')
  requireSystem(call, 'user', 'update')
  const user = await requireUser(call.registry, wanted)
  const admin = flagIn(await readFields(call.request), 'sysadmin_flag') ?? false
  return update(call, user, 'add/remove user as system administrator', async () => {
    if (admin === user.admin) return
    requireAdministrator(call)
    await changeUser(call.registry, user.name, { admin })
  })
}

/** Administrators need not know the old one, except for their own. */
async function changePassword(call: HarborCall): Promise<HttpResponse> {
  const user = await selfOrManaged(call)
  const fields = await readFields(call.request)
  const [old, fresh] = ['old_password', 'new_password'].map((name) =>
    textIn(fields, name, Number.POSITIVE_INFINITY),
  ) as [string, string]
  return update(call, user, 'change user password', async () => {
    if (isSelf(call.principal, user.number) && !(await isPassword(call.registry, user.name, old)))
      throw new RegistryError('DENIED', 'Current password is incorrect')
    if (await isPassword(call.registry, user.name, fresh))
      throw new RegistryError('REQUEST_INVALID', 'New password is identical to old password')
    await setPassword(call.registry, user.name, fresh)
  })
}

/** Harbor has these for users of OIDC only; here everybody may have a secret that is not their password. */
async function changeCliSecret(call: HarborCall): Promise<HttpResponse> {
  const user = await selfOrManaged(call)
  const secret = textIn(await readFields(call.request), 'secret', Number.POSITIVE_INFINITY)
  return update(call, user, 'change CLI secret', () => setCliSecret(call.registry, user.name, secret))
}

/** @param what of the user changes, as Harbor's log says it */
async function update(
  call: HarborCall,
  { name }: User,
  what: string,
  change: () => Promise<unknown>,
): Promise<HttpResponse> {
  const deed = { operation: 'update', resourceType: 'user', resource: name } as const
  await attempted(call, { ...deed, description: `${descriptionOf(deed)}, ${what}` }, change)
  return done()
}

async function selfOrManaged(call: HarborCall): Promise<User> {
  const wanted = numberOf(call, 'user')
  const self = isSelf(call.principal, wanted)
  if (!self) requireSystem(call, 'user', 'update')
  const user = await requireUser(call.registry, wanted)
  if (user.admin && !self) requireAdministrator(call)
  return user
}

/** Beyond Harbor, where a robot that may update users can make itself an administrator. */
function requireAdministrator(call: HarborCall): void {
  if (!call.principal.admin)
    throw refused(call, 'only administrators make, and have power over, administrators')
}
