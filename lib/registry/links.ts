// LINK: this repository holds this digest, in that object. The fence between pushes and the collector.
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { linkCandidate, objectCandidate } from './candidates.ts'
import { dayOf, keys } from './keys.ts'
import type { Condition, Item, Write } from './ports.ts'
import { number, type Registry, text } from './registry.ts'

export interface Link {
  repo: string
  digest: Digest
  object: string
  sizeBytes: number
  /** `condemned`: a collector is looking whether anything refers to it. `corrupt`: a scrub found other bytes. */
  state: 'live' | 'condemned' | 'corrupt'
  /** A fresh value at every change; what conditional writes compare. */
  gen: string
  touchedDay: number
}

const ATTEMPTS = 20

export function linkOf(item: Item | undefined, repo: string, digest: Digest): Link | undefined {
  if (!item) return undefined
  return {
    repo,
    digest,
    object: text(item, 'object'),
    sizeBytes: number(item, 'sizeBytes'),
    state: text(item, 'state') as Link['state'],
    gen: text(item, 'gen'),
    touchedDay: number(item, 'touchedDay'),
  }
}

export async function readLink(registry: Registry, repo: string, digest: Digest): Promise<Link | undefined> {
  return linkOf(await registry.metadata.get(keys.link(repo, digest)), repo, digest)
}

function linkWrite(registry: Registry, link: Omit<Link, 'gen'>, condition: Condition): Write {
  const { repo, digest, ...attributes } = link
  return {
    kind: 'put',
    if: condition,
    item: { ...keys.link(repo, digest), attributes: { v: 1, ...attributes, gen: registry.newId() } },
  }
}

function unchanged(link: Link): Condition {
  return { kind: 'equals', attributes: { gen: link.gen } }
}

/** Changes a link nobody changed since it was read. @returns the write; its condition fails otherwise */
export function linkChange(registry: Registry, link: Link, change: Partial<Link>): Write {
  return linkWrite(registry, { ...link, ...change }, unchanged(link))
}

export function linkDeletion(link: Link): Write {
  return { kind: 'delete', key: keys.link(link.repo, link.digest), if: unchanged(link) }
}

/**
 * Makes sure a link that was read stays for the push grace: revives a condemned one, notes today's use.
 * @returns false when it changed meanwhile: read again
 */
export async function touchLink(registry: Registry, link: Link): Promise<boolean> {
  const today = dayOf(registry.clock.nowMs())
  if (link.state === 'live' && link.touchedDay === today) return true
  const write = linkChange(registry, link, { state: 'live', touchedDay: today })
  return (await registry.metadata.transact([write])).ok
}

/** An object about to be linked: stored by an upload, or shared by a mount. */
export interface LinkedObject {
  key: string
  sizeBytes: number
  /** The object has its OBJ and other links already. */
  shared: boolean
}

/**
 * Links an object, or keeps the link there is and leaves the object to the collector.
 * @param also writes of the same transaction (the session that ends); all conditional ones
 * @returns the link, or undefined when a condition of `also` does not hold
 */
export async function registerLink(
  registry: Registry,
  repo: string,
  digest: Digest,
  object: LinkedObject,
  also: Write[] = [],
): Promise<Link | undefined> {
  let existing: Link | undefined // assume none: the common case needs no read
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const own = registrationWrites(registry, repo, digest, object, existing)
    const outcome = await registry.metadata.transact([...own, ...also])
    if (outcome.ok) return linkIn(own, repo, digest) ?? existing
    if (outcome.failed.some((index) => index >= own.length)) return undefined
    existing = await readLink(registry, repo, digest)
  }
  throw new RegistryError(
    'UNAVAILABLE',
    `blob ${digest} is being changed by too many requests at once: try again`,
  )
}

function registrationWrites(
  registry: Registry,
  repo: string,
  digest: Digest,
  object: LinkedObject,
  existing: Link | undefined,
): Write[] {
  const today = dayOf(registry.clock.nowMs())
  const fresh = {
    repo,
    digest,
    object: object.key,
    sizeBytes: object.sizeBytes,
    state: 'live',
    touchedDay: today,
  } as const
  if (!existing)
    return [
      linkWrite(registry, fresh, { kind: 'absent' }),
      ...objectWrites(registry, repo, digest, object),
      linkCandidate(registry, repo, digest),
    ]
  if (existing.object === object.key)
    return [linkChange(registry, existing, { state: 'live', touchedDay: today })]
  if (existing.state === 'corrupt')
    return [
      linkChange(registry, existing, fresh),
      ...objectWrites(registry, repo, digest, object),
      { kind: 'delete', key: keys.objectReference(existing.object, repo, digest) },
      objectCandidate(registry, existing.object),
    ]
  // A duplicate is never deleted inline: the collector looks again in an hour.
  const duplicate = object.shared
    ? { kind: 'delete' as const, key: keys.objectReference(object.key, repo, digest) }
    : objectCandidate(registry, object.key)
  // Nobody condemns a link that was used today, so it needs no write, and many who push one blob do not meet in it.
  if (existing.state === 'live' && existing.touchedDay === today) return [duplicate]
  return [linkChange(registry, existing, { state: 'live', touchedDay: today }), duplicate]
}

function linkIn(writes: Write[], repo: string, digest: Digest): Link | undefined {
  const key = keys.link(repo, digest)
  const write = writes.find(
    (each) => each.kind === 'put' && each.item.pk === key.pk && each.item.sk === key.sk,
  )
  return write?.kind === 'put' ? linkOf(write.item, repo, digest) : undefined
}

function objectWrites(registry: Registry, repo: string, digest: Digest, object: LinkedObject): Write[] {
  const reference: Write = {
    kind: 'put',
    item: {
      ...keys.objectReference(object.key, repo, digest),
      attributes: { v: 1, writtenAtMs: registry.clock.nowMs() },
    },
  }
  if (object.shared) return [reference]
  // Absent: the collector leaves a tombstone before it deletes an object that nobody seemed to link.
  const attributes = { v: 1, state: 'live', gen: registry.newId(), kind: 'blob', digest }
  return [
    reference,
    { kind: 'put', if: { kind: 'absent' }, item: { ...keys.object(object.key), attributes } },
  ]
}
