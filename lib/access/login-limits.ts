// How often a login may fail: by name and place together, by name from anywhere, and by place for any name. Counted in
// the store, so that it is the same limit whichever process a request comes to (docs/security.md says why these three).
import { createHash } from 'node:crypto'
import { RegistryError } from '../oci/errors.ts'
import { keys } from '../registry/keys.ts'
import type { Attributes, Condition, Item, Key } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import { placeOf } from './client-address.ts'
import { ROBOT_PREFIXES } from './principals.ts'

interface Limit {
  failures: number
  withinMs: number
}

/** Of one name from one place. */
const OF_PAIR: Limit = { failures: 10, withinMs: 60_000 }
/** Of one name from places it never logged in from, and of one place for names that never logged in from it. */
const OF_NAME: Limit = { failures: 100, withinMs: 600_000 }
const OF_PLACE: Limit = { failures: 100, withinMs: 600_000 }
const DAY_MS = 86_400_000
/** How long a login makes its place familiar to its name. */
const FAMILIAR_MS = 30 * DAY_MS
/** Of other processes, in between; who cannot be counted then is refused. */
const ATTEMPTS = 8

/** Who tries to log in, from where: what is counted, and is read together with the user. */
export interface LoginAttempt {
  keys: Key[]
}

/** @param address of the client, as `placeOf` takes it */
export function attemptOf(name: string, address: string): LoginAttempt {
  const hash = hashOf(plainName(name))
  const place = placeOf(address)
  return { keys: [keys.loginsOfPair(hash, place), keys.loginsOfName(hash), keys.loginsFrom(place)] }
}

/**
 * @param items of the attempt's keys, in their order
 * @throws TOOMANYREQUESTS with Retry-After, whether or not there is anybody of that name
 */
export function checkLimits(registry: Registry, items: (Item | undefined)[]): void {
  const now = registry.clock.nowMs()
  const [pair, name, place] = items
  const waits = [waitOf(pair, OF_PAIR, now)]
  // An attacker elsewhere locks nobody out of where they are at home.
  if (!isFamiliar(pair, now)) waits.push(waitOf(name, OF_NAME, now), waitOf(place, OF_PLACE, now))
  const waitMs = Math.max(...waits)
  if (waitMs > 0) throw tooMany(waitMs)
}

/** One more wrong secret. @throws TOOMANYREQUESTS when so many fail at once that this one cannot be counted */
export async function countFailure(
  registry: Registry,
  attempt: LoginAttempt,
  items: (Item | undefined)[],
): Promise<void> {
  await Promise.all(
    [OF_PAIR, OF_NAME, OF_PLACE].map((limit, at) => count(registry, attempt.keys[at]!, items[at], limit)),
  )
}

/**
 * A right secret. The first of a day from a place is checked once more, because many may have been tried at the same
 * time, and makes the place familiar; others cost nothing.
 * @param recheck whether this process saw others fail just now
 * @throws TOOMANYREQUESTS
 */
export async function noteSuccess(
  registry: Registry,
  attempt: LoginAttempt,
  items: (Item | undefined)[],
  recheck: boolean,
): Promise<void> {
  const now = registry.clock.nowMs()
  const known = isFamiliar(items[0], now + FAMILIAR_MS - DAY_MS)
  if (known && !recheck) return
  const fresh = await registry.metadata.batchGet(attempt.keys)
  checkLimits(registry, fresh)
  const [pair] = fresh
  if (isFamiliar(pair, now + FAMILIAR_MS - DAY_MS)) return
  const item = { ...attempt.keys[0]!, ...counted(registry, pair, { familiarUntilMs: now + FAMILIAR_MS }) }
  // Where another process was quicker, it is for the next login.
  await registry.metadata.transact([{ kind: 'put', item, if: asRead(pair) }])
}

async function count(registry: Registry, key: Key, read: Item | undefined, limit: Limit): Promise<void> {
  let item = read
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const now = registry.clock.nowMs()
    const { failures, sinceMs } = failuresIn(item, limit, now)
    const change = { failures: failures + 1, sinceMs, untilMs: sinceMs + limit.withinMs }
    const next = { ...key, ...counted(registry, item, change) }
    const { ok } = await registry.metadata.transact([{ kind: 'put', item: next, if: asRead(item) }])
    if (ok) return
    item = await registry.metadata.get(key)
  }
  throw tooMany(limit.withinMs)
}

/** The item's content after a change, which lives as long as anything in it counts. */
function counted(
  registry: Registry,
  before: Item | undefined,
  change: Attributes,
): Pick<Item, 'attributes' | 'expiresAtEpochSeconds'> {
  const attributes: Attributes = { v: 1, ...before?.attributes, ...change, gen: registry.newId() }
  const { untilMs = 0, familiarUntilMs = 0 } = attributes as Record<string, number>
  return { attributes, expiresAtEpochSeconds: Math.ceil(Math.max(untilMs, familiarUntilMs) / 1000) }
}

function failuresIn(item: Item | undefined, { withinMs }: Limit, now: number) {
  const { failures = 0, sinceMs = now } = (item?.attributes ?? {}) as Record<string, number>
  return now - sinceMs < withinMs ? { failures, sinceMs } : { failures: 0, sinceMs: now }
}

function waitOf(item: Item | undefined, limit: Limit, now: number): number {
  const { failures, sinceMs } = failuresIn(item, limit, now)
  return failures < limit.failures ? 0 : sinceMs + limit.withinMs - now
}

function isFamiliar(pair: Item | undefined, atMs: number): boolean {
  const until = pair?.attributes.familiarUntilMs
  return typeof until === 'number' && until > atMs
}

function asRead(item: Item | undefined): Condition {
  return item ? { kind: 'equals', attributes: { gen: item.attributes.gen as string } } : { kind: 'absent' }
}

/** The usual prefixes lead to one robot; users are compared without case. */
function plainName(name: string): string {
  const prefix = ROBOT_PREFIXES.find((each) => name.startsWith(each))
  return (prefix === undefined ? name : `${ROBOT_PREFIXES[0]}${name.slice(prefix.length)}`).toLowerCase()
}

/** People type passwords where names belong: no name is kept as it was typed. */
function hashOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 32)
}

function tooMany(waitMs: number): RegistryError {
  const seconds = Math.ceil(waitMs / 1000)
  return new RegistryError(
    'TOOMANYREQUESTS',
    `too many failed logins of this name, or from this address: wait ${seconds} seconds, then try again with the right name and secret`,
    { headers: { 'Retry-After': String(seconds) } },
  )
}
