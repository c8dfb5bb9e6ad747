// Single flight across processes: what is to be fetched is fetched by one, who holds a lease and keeps it while it works.
// The others wait for what it leaves in the store. Whose holder dies is taken over when the lease ends.
import { setTimeout as sleep } from 'node:timers/promises'
import { keys } from '../registry/keys.ts'
import type { Attributes, Condition, Item, Key } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import { UpstreamError, type UpstreamFailure } from '../upstream/upstream-error.ts'

const LEASE_MS = 15_000
const RENEWED_EVERY_MS = 4000
/** Whoever waited gets the failure of the one who tried; who comes later tries again. */
const FAILURE_MS = 1000
const LOOK_FIRST_MS = 20
const LOOK_LAST_MS = 400
const KEPT_SECONDS = 3600

export interface Fetching<T> {
  /** Unique to what is fetched. */
  what: string
  /** What the store has of it by now. */
  find(): Promise<T | undefined>
  /** Fetches and stores it. */
  fetch(): Promise<T>
}

/** @throws UpstreamError, also one that another process met a moment ago */
export async function fetchOnce<T>(registry: Registry, { what, find, fetch }: Fetching<T>): Promise<T> {
  const key = keys.fetching(what)
  for (let waitMs = LOOK_FIRST_MS; ; waitMs = Math.min(waitMs * 2, LOOK_LAST_MS)) {
    const found = await find()
    if (found !== undefined) return found
    const item = await registry.metadata.get(key)
    const now = registry.clock.nowMs()
    if (!item || (item.attributes.untilMs as number) <= now) {
      const holder = await take(registry, key, item)
      if (holder) return await lead(registry, key, holder, find, fetch)
    } else if (item.attributes.failure !== undefined) throw failureIn(item)
    await sleep(waitMs + Math.random() * waitMs)
  }
}

/** @returns the lease's own value, or undefined when another was faster */
async function take(registry: Registry, key: Key, before: Item | undefined): Promise<string | undefined> {
  const holder = registry.newId()
  const condition: Condition = before ? equals(before.attributes.holder as string) : { kind: 'absent' }
  const put = leaseWrite(registry, key, { holder, untilMs: registry.clock.nowMs() + LEASE_MS }, condition)
  return (await registry.metadata.transact([put])).ok ? holder : undefined
}

async function lead<T>(
  registry: Registry,
  key: Key,
  holder: string,
  find: () => Promise<T | undefined>,
  fetch: () => Promise<T>,
): Promise<T> {
  const renewal = setInterval(() => {
    const lease = { holder, untilMs: registry.clock.nowMs() + LEASE_MS }
    // One that does not get through is followed by another; the lease outlasts three of them.
    registry.metadata.transact([leaseWrite(registry, key, lease, equals(holder))]).catch(() => {})
  }, RENEWED_EVERY_MS)
  try {
    // It may have been stored between the look and the lease.
    const result = (await find()) ?? (await fetch())
    await registry.metadata.transact([{ kind: 'delete', key, if: equals(holder) }])
    return result
  } catch (error) {
    const untilMs = registry.clock.nowMs() + FAILURE_MS
    const failed = { holder, untilMs, failure: failureOf(error) }
    await registry.metadata.transact([leaseWrite(registry, key, failed, equals(holder))]).catch(() => {})
    throw error
  } finally {
    clearInterval(renewal)
  }
}

function leaseWrite(registry: Registry, key: Key, attributes: Attributes, condition: Condition) {
  const expiresAtEpochSeconds = Math.floor(registry.clock.nowMs() / 1000) + KEPT_SECONDS
  const item: Item = { ...key, attributes: { v: 1, ...attributes }, expiresAtEpochSeconds }
  return { kind: 'put' as const, if: condition, item }
}

function equals(holder: string): Condition {
  return { kind: 'equals', attributes: { holder } }
}

/** What others are told; an error of our own is none of the upstream's words. */
function failureOf(error: unknown): Attributes {
  if (!(error instanceof UpstreamError)) return { kind: 'broken', message: 'fetching it failed' }
  const { failure, message, status, retryAfter } = error
  return {
    kind: failure,
    message,
    ...(status === undefined ? {} : { status }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }
}

function failureIn(item: Item): UpstreamError {
  const { kind, message, status, retryAfter } = item.attributes.failure as Attributes
  return new UpstreamError(kind as UpstreamFailure, String(message), {
    ...(status === undefined ? {} : { status: status as number }),
    ...(retryAfter === undefined ? {} : { retryAfter: retryAfter as string }),
  })
}
