// Users: people who log in with a password of ours, or whom an identity provider vouched for.
import { randomBytes } from 'node:crypto'
import { RegistryError } from '../oci/errors.ts'
import { changeItem } from '../registry/change-item.ts'
import { keys, partitions } from '../registry/keys.ts'
import { nextNumber } from '../registry/numbers.ts'
import type { Attributes, Item, Write } from '../registry/ports.ts'
import { number, type Registry, text } from '../registry/registry.ts'
import { hashIn, hashPassword, matchesHash } from './password-hash.ts'
import { checkEmail, checkPassword, checkUserName } from './user-rules.ts'

/** The one who is always there and always an administrator. */
export const ADMIN = 'admin'
const PAGE = 1000

export interface User {
  number: number
  name: string
  email: string
  realName: string
  comment: string
  admin: boolean
  disabled: boolean
  /** Who checks the password: `db` is us. */
  provider: string
  /** Numbers of groups, as the provider told at the last login. */
  groups: number[]
  /** Tokens issued before this are void. */
  notBeforeSeconds: number
  createdAtMs: number
  updatedAtMs: number
}

export interface NewUser {
  name: string
  email: string
  realName?: string
  comment?: string
  /** Absent for users of an identity provider. */
  password?: string
  provider?: string
  admin?: boolean
  groups?: number[]
}

/** @throws REQUEST_INVALID saying what is wrong; CONFLICT when name or email is taken */
export async function createUser(registry: Registry, user: NewUser): Promise<User> {
  checkUserName(user.name)
  if (user.email !== '') checkEmail(user.email)
  if (user.password !== undefined) checkPassword(user.password)
  return putUser(registry, user)
}

async function putUser(registry: Registry, user: NewUser): Promise<User> {
  const now = registry.clock.nowMs()
  const assigned = await nextNumber(registry, 'user')
  const attributes: Attributes = {
    v: 1,
    gen: registry.newId(),
    number: assigned,
    name: user.name,
    email: user.email,
    realName: user.realName ?? '',
    comment: user.comment ?? '',
    admin: user.admin ?? false,
    provider: user.provider ?? 'db',
    groups: user.groups ?? [],
    notBeforeSeconds: 0,
    createdAtMs: now,
    updatedAtMs: now,
    ...(user.password === undefined ? {} : await hashPassword(user.password)),
  }
  const writes: Write[] = [
    { kind: 'put', if: { kind: 'absent' }, item: { ...keys.user(user.name), attributes } },
    { kind: 'put', item: { ...keys.userListing(assigned), attributes: { v: 1, name: user.name } } },
    ...(user.email === '' ? [] : [emailWrite(user.email, user.name)]),
  ]
  const outcome = await registry.metadata.transact(writes)
  if (outcome.ok) return userOf(attributes)
  const what = outcome.failed.includes(0)
    ? `a user named ${user.name}`
    : `a user with the email ${user.email}`
  throw new RegistryError('CONFLICT', `${what} exists already`)
}

function emailWrite(email: string, name: string): Write {
  return { kind: 'put', if: { kind: 'absent' }, item: { ...keys.email(email), attributes: { v: 1, name } } }
}

/** By name, in whatever case. */
export async function findUser(registry: Registry, name: string): Promise<User | undefined> {
  const item = await registry.metadata.get(keys.user(name))
  return item && userOf(item.attributes)
}

/** @throws NOT_FOUND */
export async function requireUser(registry: Registry, userNumber: number): Promise<User> {
  const listed = await registry.metadata.get(keys.userListing(userNumber))
  const user = listed && (await findUser(registry, text(listed, 'name')))
  if (!user) throw new RegistryError('NOT_FOUND', `user ${userNumber} not found`)
  return user
}

/** All of them, by number. */
export async function listUsers(registry: Registry): Promise<User[]> {
  const users: User[] = []
  let after: string | undefined
  do {
    const listed = await registry.metadata.query({
      pk: partitions.users,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    })
    after = listed.length === PAGE ? listed.at(-1)!.sk : undefined
    for (let at = 0; at < listed.length; at += 100) {
      const wanted = listed.slice(at, at + 100).map((item) => keys.user(text(item, 'name')))
      for (const item of await registry.metadata.batchGet(wanted))
        if (item) users.push(userOf(item.attributes))
    }
  } while (after !== undefined)
  return users
}

export interface UserChange {
  email?: string
  realName?: string
  comment?: string
  admin?: boolean
  disabled?: boolean
  groups?: number[]
  /** Every token issued until now is void. */
  endTokens?: boolean
}

/** @throws NOT_FOUND, REQUEST_INVALID, CONFLICT; DENIED when it would leave nobody to administer */
export async function changeUser(registry: Registry, name: string, change: UserChange): Promise<User> {
  const { endTokens, ...fields } = change
  if (fields.email !== undefined && fields.email !== '') checkEmail(fields.email)
  if (name.toLowerCase() === ADMIN && (fields.admin === false || fields.disabled))
    throw new RegistryError(
      'DENIED',
      `${ADMIN} stays an administrator: without one nobody could name another`,
    )
  const ends = endTokens || fields.disabled !== undefined || fields.admin !== undefined
  return changed(
    registry,
    name,
    (before) => ({
      ...before,
      ...fields,
      updatedAtMs: registry.clock.nowMs(),
      ...(ends ? { notBeforeSeconds: Math.floor(registry.clock.nowMs() / 1000) } : {}),
    }),
    (after, before) => emailChange(String(after.email), String(before.email), String(after.name)),
  )
}

function emailChange(email: string, before: string, name: string): Write[] {
  if (email.toLowerCase() === before.toLowerCase()) return []
  return [
    ...(email === '' ? [] : [emailWrite(email, name)]),
    ...(before === '' ? [] : [{ kind: 'delete', key: keys.email(before) } as const]),
  ]
}

/** Voids the tokens there are. @throws NOT_FOUND, REQUEST_INVALID */
export async function setPassword(registry: Registry, name: string, password: string): Promise<User> {
  checkPassword(password)
  return putPassword(registry, name, password)
}

async function putPassword(registry: Registry, name: string, password: string): Promise<User> {
  const hash = await hashPassword(password)
  const now = registry.clock.nowMs()
  return changed(registry, name, (before) => ({
    ...before,
    ...hash,
    updatedAtMs: now,
    notBeforeSeconds: Math.floor(now / 1000),
  }))
}

/** @throws NOT_FOUND; DENIED for the administrator who is always there */
export async function deleteUser(registry: Registry, name: string): Promise<User> {
  if (name.toLowerCase() === ADMIN) throw new RegistryError('DENIED', `${ADMIN} cannot be deleted`)
  const user = await findUser(registry, name)
  if (!user) throw new RegistryError('NOT_FOUND', `user ${name} not found`)
  await registry.metadata.transact([
    { kind: 'delete', key: keys.user(name) },
    { kind: 'delete', key: keys.userListing(user.number) },
    ...(user.email === '' ? [] : [{ kind: 'delete', key: keys.email(user.email) } as const]),
  ])
  return user
}

async function changed(
  registry: Registry,
  name: string,
  change: (before: Attributes) => Attributes,
  also?: (after: Attributes, before: Attributes) => Write[],
): Promise<User> {
  const item = await changeItem(registry, keys.user(name), change, also)
  if (!item) throw new RegistryError('NOT_FOUND', `user ${name} not found`)
  return userOf(item.attributes)
}

export function userOf(attributes: Attributes): User {
  const item = { pk: 'user', sk: '', attributes } satisfies Item
  return {
    number: number(item, 'number'),
    name: text(item, 'name'),
    email: text(item, 'email'),
    realName: text(item, 'realName'),
    comment: text(item, 'comment'),
    admin: attributes.admin === true,
    disabled: attributes.disabled === true,
    provider: text(item, 'provider'),
    groups: (attributes.groups ?? []) as number[],
    notBeforeSeconds: number(item, 'notBeforeSeconds'),
    createdAtMs: number(item, 'createdAtMs'),
    updatedAtMs: number(item, 'updatedAtMs'),
  }
}

/**
 * Makes sure that there is an administrator.
 * @param password set when given; otherwise one is made up at the first start
 * @returns the password only when it was made up now
 */
export async function ensureAdmin(registry: Registry, password?: string): Promise<{ password?: string }> {
  const existing = await registry.metadata.get(keys.user(ADMIN))
  if (typeof existing?.attributes.number !== 'number') {
    if (existing) await registry.metadata.batchWrite([{ kind: 'delete', key: keys.user(ADMIN) }]) // made before users had numbers
    const chosen = password ?? randomBytes(18).toString('base64url')
    await putUser(registry, {
      name: ADMIN,
      email: '',
      realName: 'system admin',
      password: chosen,
      admin: true,
    })
    return password === undefined ? { password: chosen } : {}
  }
  if (password !== undefined && !(await matchesHash(password, hashIn(existing.attributes))))
    await putPassword(registry, ADMIN, password)
  return {}
}
