// Built-in users: for now `admin`. Passwords are kept as scrypt hashes with the algorithm beside them.
import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { RegistryError } from '../oci/errors.ts'
import { keys } from '../registry/keys.ts'
import type { Item } from '../registry/ports.ts'
import { number, type Registry, text } from '../registry/registry.ts'

/** 32 MiB and about 60 ms a try. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 }
const HASH_BYTES = 32
/** More at once would let a flood of logins take the machine's memory. */
const AT_ONCE = 4
const REMEMBERED_MS = 60_000
const REMEMBERED = 1000
const FAILURES = 10
const FAILURES_WITHIN_MS = 60_000
const PASSWORD_LIMIT = 1024

export interface User {
  name: string
  admin: boolean
  /** Tokens issued before this are void. */
  notBeforeSeconds: number
}

/**
 * Makes sure that there is an administrator.
 * @param password set when given; otherwise one is made up at the first start
 * @returns the password only when it was made up now
 */
export async function ensureAdmin(registry: Registry, password?: string): Promise<{ password?: string }> {
  const existing = await registry.metadata.get(keys.user('admin'))
  if (existing && (password === undefined || (await matches(existing, password)))) return {}
  const chosen = password ?? randomBytes(18).toString('base64url')
  const salt = randomBytes(16)
  const now = registry.clock.nowMs()
  const attributes = {
    v: 1,
    admin: true,
    algorithm: `scrypt:${SCRYPT.N}:${SCRYPT.r}:${SCRYPT.p}`,
    salt: salt.toString('base64url'),
    hash: (await derive(chosen, salt)).toString('base64url'),
    createdAtMs: existing ? number(existing, 'createdAtMs') : now,
    notBeforeSeconds: existing ? Math.floor(now / 1000) : 0,
  }
  await registry.metadata.batchWrite([{ kind: 'put', item: { ...keys.user('admin'), attributes } }])
  return password === undefined ? { password: chosen } : {}
}

export async function findUser(registry: Registry, name: string): Promise<User | undefined> {
  const item = await registry.metadata.get(keys.user(name))
  return item && userOf(item, name)
}

function userOf(item: Item, name: string): User {
  return { name, admin: item.attributes.admin === true, notBeforeSeconds: number(item, 'notBeforeSeconds') }
}

/** Checks passwords: in constant time, with the same work for users that do not exist. */
export class Passwords {
  readonly #registry: Registry
  readonly #secret = randomBytes(32)
  readonly #known = new Map<string, number>()
  readonly #failures = new Map<string, { count: number; sinceMs: number }>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** @returns undefined when name or password is wrong. @throws TOOMANYREQUESTS after too many wrong ones */
  async verify(name: string, password: string): Promise<User | undefined> {
    const now = this.#registry.clock.nowMs()
    const item = name.length <= 255 ? await this.#registry.metadata.get(keys.user(name)) : undefined
    const proof = this.#proof(name, password, item)
    if (item && (this.#known.get(proof) ?? 0) > now) return userOf(item, name)
    this.#refuseFlood(name, now)
    const right =
      password.length <= PASSWORD_LIMIT && (await matches(item ?? NOBODY, password)) && item !== undefined
    if (!right) {
      this.#failed(name, now)
      return undefined
    }
    this.#failures.delete(name)
    if (this.#known.size >= REMEMBERED) this.#known.clear()
    this.#known.set(proof, now + REMEMBERED_MS)
    return userOf(item, name)
  }

  /** Bound to the stored hash: a changed password is no longer known. */
  #proof(name: string, password: string, item: Item | undefined): string {
    const stored = item ? text(item, 'hash') : ''
    return createHmac('sha256', this.#secret)
      .update(JSON.stringify([name, password, stored]))
      .digest('base64')
  }

  #refuseFlood(name: string, now: number): void {
    const failures = this.#failures.get(name)
    if (!failures || failures.count < FAILURES) return
    const leftMs = failures.sinceMs + FAILURES_WITHIN_MS - now
    if (leftMs <= 0) return void this.#failures.delete(name)
    throw new RegistryError('TOOMANYREQUESTS', 'too many wrong passwords for this user: wait a minute', {
      headers: { 'Retry-After': String(Math.ceil(leftMs / 1000)) },
    })
  }

  #failed(name: string, now: number): void {
    const failures = this.#failures.get(name)
    if (this.#failures.size >= REMEMBERED) this.#failures.clear()
    if (failures && now - failures.sinceMs < FAILURES_WITHIN_MS) failures.count += 1
    else this.#failures.set(name, { count: 1, sinceMs: now })
  }
}

const NOBODY: Item = {
  pk: '',
  sk: '',
  attributes: {
    salt: randomBytes(16).toString('base64url'),
    hash: randomBytes(HASH_BYTES).toString('base64url'),
  },
}

async function matches(item: Item, password: string): Promise<boolean> {
  const derived = await derive(password, Buffer.from(text(item, 'salt'), 'base64url'))
  return timingSafeEqual(derived, Buffer.from(text(item, 'hash'), 'base64url'))
}

let running = 0
const queue: (() => void)[] = []

async function derive(password: string, salt: Uint8Array): Promise<Buffer> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => queue.push(resolve))
  running += 1
  try {
    return await new Promise((resolve, reject) =>
      scrypt(password, salt, HASH_BYTES, SCRYPT, (error, key) => (error ? reject(error) : resolve(key))),
    )
  } finally {
    running -= 1
    queue.shift()?.()
  }
}
