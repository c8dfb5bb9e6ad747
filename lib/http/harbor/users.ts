// Users: people who may log in. Whoever administers manages them; everybody sees and changes their own profile.
import type { Principal } from '../../access/principal.ts'
import { checkProfile } from '../../access/user-rules.ts'
import {
  ADMIN,
  changeUser,
  createUser,
  deleteUser,
  listUsers,
  requireUser,
  type User,
} from '../../access/users.ts'
import { RegistryError } from '../../oci/errors.ts'
import { attempted } from '../../registry/audit-log.ts'
import { readConfiguration } from '../../registry/configuration.ts'
import type { HttpRequest, HttpResponse } from '../message.ts'
import { answer, created, done, time } from './answers.ts'
import { type Fields, flagIn, readFields, textIn } from './body.ts'
import { type HarborCall, type HarborRoute, requireLogin, requireSystem } from './call.ts'
import { listAnswer, type Row } from './lists.ts'
import { numberOf } from './number-in-path.ts'

export const USER_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/users', run: list },
  { method: 'POST', path: '/users', run: create },
  { method: 'GET', path: '/users/search', run: search },
  { method: 'GET', path: '/users/{user}', run: show },
  { method: 'PUT', path: '/users/{user}', run: update },
  { method: 'DELETE', path: '/users/{user}', run: remove },
]

/** `username` and `email` narrow it down beside `q`. As in Harbor, the built-in administrator is not listed. */
async function list(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'user', 'list')
  const users = await listUsers(call.registry)
  const rows = users.filter(({ name }) => name !== ADMIN).map(userRow)
  const wanted = rows.filter((row) =>
    ['username', 'email'].every((field) => contains(row[field], call.request.query.get(field))),
  )
  return listAnswer(byDefault(call.request, 'username'), wanted)
}

function contains(value: unknown, part: string | null): boolean {
  return String(value ?? '')
    .toLowerCase()
    .includes((part ?? '').toLowerCase())
}

/** The same request, sorted by that field unless it says how. */
export function byDefault(request: HttpRequest, field: string): HttpRequest {
  if (request.query.get('sort')) return request
  const query = new URLSearchParams(request.query)
  query.set('sort', field)
  return { ...request, query }
}

/** Anonymous callers register themselves where the configuration lets them. */
async function create(call: HarborCall): Promise<HttpResponse> {
  const { registry, principal } = call
  const registers =
    principal.kind === 'anonymous' && (await readConfiguration(registry)).self_registration === true
  if (!registers) requireSystem(call, 'user', 'create')
  const fields = await readFields(call.request)
  const name = textIn(fields, 'username')
  const password = textIn(fields, 'password', Number.POSITIVE_INFINITY)
  const user = await attempted(call, { operation: 'create', resourceType: 'user', resource: name }, () => {
    const profile = profileIn(fields)
    checkProfile(profile)
    return createUser(registry, { ...profile, name, password })
  })
  return created(`/users/${user.number}`)
}

function profileIn(fields: Fields) {
  return {
    email: textIn(fields, 'email'),
    realName: textIn(fields, 'realname'),
    comment: textIn(fields, 'comment'),
  }
}

/** Those whose name contains the text, the nearest first: for choosing members, so for everybody who is logged in. */
async function search(call: HarborCall): Promise<HttpResponse> {
  requireLogin(call)
  const wanted = (call.request.query.get('username') ?? '').toLowerCase()
  if (wanted === '')
    throw new RegistryError('REQUEST_INVALID', 'username in query is required', { status: 422 })
  const found = (await listUsers(call.registry)).filter(({ name }) => name.toLowerCase().includes(wanted))
  const rows = found
    .toSorted((one, other) => one.name.length - other.name.length || (one.name < other.name ? -1 : 1))
    .map(({ number, name }) => ({ user_id: number, username: name }))
  return listAnswer(call.request, rows)
}

async function show(call: HarborCall): Promise<HttpResponse> {
  const wanted = numberOf(call, 'user')
  if (!isSelf(call.principal, wanted)) requireSystem(call, 'user', 'read')
  return answer(200, userRow(await requireUser(call.registry, wanted)))
}

/** Harbor's three fields are all replaced. Beyond Harbor, `disabled` lets administrators lock somebody out. */
async function update(call: HarborCall): Promise<HttpResponse> {
  const wanted = numberOf(call, 'user')
  if (!isSelf(call.principal, wanted)) requireSystem(call, 'user', 'update')
  const user = await requireUser(call.registry, wanted)
  const fields = await readFields(call.request)
  await attempted(call, { operation: 'update', resourceType: 'user', resource: user.name }, () =>
    changeProfile(call, user, fields),
  )
  return done()
}

async function changeProfile(call: HarborCall, user: User, fields: Fields): Promise<void> {
  const profile = profileIn(fields)
  checkProfile(profile)
  const disabled = call.principal.admin ? flagIn(fields, 'disabled') : undefined
  if (disabled && isSelf(call.principal, user.number))
    throw new RegistryError('DENIED', 'nobody disables themselves: ask another administrator')
  const locks = disabled === undefined || disabled === user.disabled ? {} : { disabled }
  await changeUser(call.registry, user.name, { ...profile, ...locks })
}

async function remove(call: HarborCall): Promise<HttpResponse> {
  const wanted = numberOf(call, 'user')
  requireSystem(call, 'user', 'delete')
  const user = await requireUser(call.registry, wanted)
  await attempted(call, { operation: 'delete', resourceType: 'user', resource: user.name }, async () => {
    if (isSelf(call.principal, wanted) || user.name === ADMIN)
      throw new RegistryError('DENIED', `User with ID ${wanted} cannot be deleted`)
    await deleteUser(call.registry, user.name)
  })
  return done()
}

/** Robots have numbers of their own: only users are themselves. */
export function isSelf({ kind, number }: Principal, userNumber: number): boolean {
  return kind === 'user' && number === userNumber
}

/** As Harbor shows users: empty texts are left out, both flags always there. `disabled` is ours. */
export function userRow(user: User): Row {
  return {
    user_id: user.number,
    username: user.name,
    email: user.email || undefined,
    realname: user.realName || undefined,
    comment: user.comment || undefined,
    sysadmin_flag: user.admin,
    admin_role_in_auth: false,
    disabled: user.disabled,
    creation_time: time(user.createdAtMs),
    update_time: time(user.updatedAtMs),
  }
}
