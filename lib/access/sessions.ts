// Browser sessions: a random id in a cookie; kept is its hash, so that whoever reads the table cannot use it. A session
// is looked up with every request, so logging out, disabling and a new password end it at once.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { keys } from '../registry/keys.ts'
import { number, type Registry, text } from '../registry/registry.ts'
import type { Principal } from './principal.ts'
import { principalNamed } from './principals.ts'

const ID = /^[A-Za-z0-9_-]{43}$/

/** @returns its id, which is new: one that a browser came with is never taken over */
export async function beginSession(
  registry: Registry,
  { name }: Principal,
  lifeSeconds: number,
): Promise<string> {
  const id = randomBytes(32).toString('base64url')
  const now = Math.floor(registry.clock.nowMs() / 1000)
  const attributes = { v: 1, name, beganSeconds: now, endsSeconds: now + lifeSeconds }
  await registry.metadata.batchWrite([
    {
      kind: 'put',
      item: { ...keys.browserSession(hashOf(id)), attributes, expiresAtEpochSeconds: now + lifeSeconds },
    },
  ])
  return id
}

/** @returns undefined when it ended, or when its user is gone, disabled, or has another password by now */
export async function sessionPrincipal(registry: Registry, id: string): Promise<Principal | undefined> {
  if (!ID.test(id)) return undefined
  const item = await registry.metadata.get(keys.browserSession(hashOf(id)))
  if (!item || number(item, 'endsSeconds') * 1000 <= registry.clock.nowMs()) return undefined
  const known = await principalNamed(registry, text(item, 'name'))
  return known && known.notBeforeSeconds <= number(item, 'beganSeconds') ? known.principal : undefined
}

export async function endSession(registry: Registry, id: string): Promise<void> {
  if (!ID.test(id)) return
  await registry.metadata.batchWrite([{ kind: 'delete', key: keys.browserSession(hashOf(id)) }])
}

/** What a page of ours sends with a change, and a page of somebody else's cannot know. */
export function csrfToken(id: string): string {
  return createHash('sha256').update(`csrf:${id}`).digest('base64url')
}

export function isCsrfToken(id: string, given: string | undefined): boolean {
  const expected = Buffer.from(csrfToken(id))
  const actual = Buffer.from(given ?? '')
  return actual.length === expected.length && timingSafeEqual(actual, expected)
}

function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url')
}
