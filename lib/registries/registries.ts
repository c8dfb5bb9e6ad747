// Keeping other registries: made, listed, changed, checked, deleted; and what in this registry uses them.
import type { SealingKeys } from '../access/sealing.ts'
import { RegistryError } from '../oci/errors.ts'
import { changeItem } from '../registry/change-item.ts'
import { keys, partitions } from '../registry/keys.ts'
import { nextNumber } from '../registry/numbers.ts'
import { pagesOf } from '../registry/partitions.ts'
import type { Attributes, Write } from '../registry/ports.ts'
import { number, type Registry, text } from '../registry/registry.ts'
import { scheduleHealth, unscheduleHealth } from './health-schedule.ts'
import {
  checkedText,
  opened,
  type RegistryText,
  type RemoteRegistry,
  remoteRegistryIn,
  remoteRegistryItem,
  requireRemoteRegistry,
  sealed,
  unknownRegistry,
} from './remote-registry.ts'
import type { Upstreams } from './upstreams.ts'

/** They are filtered in memory. */
const REGISTRIES_LIMIT = 1000
const USE_ATTEMPTS = 20
/** Users named in a refusal are named as what they are. */
const USERS: Record<string, string> = { project: 'proxy cache project', replication: 'replication policies' }

/**
 * @param options.reachable off: it is made although it does not answer, and known as unhealthy
 * @throws REQUEST_INVALID, also when it cannot be reached; CONFLICT when the name is taken
 */
export async function createRegistry(
  registry: Registry,
  upstreams: Upstreams,
  given: RegistryText,
  { reachable = true } = {},
): Promise<RemoteRegistry> {
  const checked = checkedText(given)
  if (await registry.metadata.get(keys.remoteRegistryListing(checked.name))) throw taken(checked.name)
  const { length } = await listRegistries(registry)
  if (length >= REGISTRIES_LIMIT)
    throw new RegistryError('REQUEST_INVALID', `there are ${REGISTRIES_LIMIT} registries: delete some first`)
  const reason = await upstreams.ping(checked)
  if (reachable && reason !== undefined) throw unhealthy(reason)
  const now = registry.clock.nowMs()
  const healthy = sealed(upstreams.keys, checked, {
    id: await nextNumber(registry, 'registry'),
    createdAtMs: now,
    updatedAtMs: now,
    checkedAtMs: now,
  })
  const made = reason === undefined ? healthy : { ...healthy, healthy: false, reason }
  const outcome = await registry.metadata.transact([
    { kind: 'put', if: { kind: 'absent' }, item: remoteRegistryItem(registry, made) },
    listingWrite(made),
  ])
  if (!outcome.ok) throw taken(made.name)
  await scheduleHealth(registry)
  return made
}

/** @throws REQUEST_INVALID with the reason, in Harbor's words */
export async function requireHealthy(upstreams: Upstreams, given: RegistryText): Promise<void> {
  const reason = await upstreams.ping(given)
  if (reason !== undefined) throw unhealthy(reason)
}

function unhealthy(reason: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', `the registry is unhealthy: ${reason}`)
}

export async function listRegistries(registry: Registry): Promise<RemoteRegistry[]> {
  const found: RemoteRegistry[] = []
  for await (const page of pagesOf(registry.metadata, { pk: partitions.remoteRegistries })) {
    const ids = page.map((item) => keys.remoteRegistry(number(item, 'id')))
    for (const item of await registry.metadata.batchGet(ids)) {
      const remote = remoteRegistryIn(item)
      if (remote) found.push(remote)
    }
  }
  return found.sort((one, other) => one.id - other.id)
}

export type RegistryChange = Partial<Omit<RegistryText, 'type'>>

/**
 * A secret that is not given stays; but it does not go to another URL: there it has to be given again.
 * @throws NOT_FOUND, REQUEST_INVALID, CONFLICT
 */
export async function updateRegistry(
  registry: Registry,
  upstreams: Upstreams,
  id: number,
  change: RegistryChange,
): Promise<RemoteRegistry> {
  const before = await requireRemoteRegistry(registry, id)
  const text = changedText(upstreams.keys, before, change)
  await requireHealthy(upstreams, text)
  const now = registry.clock.nowMs()
  const { createdAtMs } = before
  const after = sealed(upstreams.keys, text, { id, createdAtMs, updatedAtMs: now, checkedAtMs: now })
  const renamed = after.name !== before.name
  const unlist: Write = { kind: 'delete', key: keys.remoteRegistryListing(before.name) }
  try {
    const item = await changeItem(
      registry,
      keys.remoteRegistry(id),
      (now) => ({ v: 1, ...now, ...(after as unknown as Attributes) }),
      () => (renamed ? [listingWrite(after), unlist] : []),
    )
    if (!item) throw unknownRegistry(id)
  } catch (error) {
    throw error instanceof RegistryError && error.code === 'CONFLICT' ? taken(after.name) : error
  }
  await scheduleHealth(registry)
  return after
}

function changedText(keysOfSeal: SealingKeys, before: RemoteRegistry, change: RegistryChange): RegistryText {
  const moved = change.url !== undefined && change.accessSecret === undefined
  const known = opened(keysOfSeal, before)
  const text = checkedText({ ...known, ...change })
  return moved && text.url !== before.url ? { ...text, accessSecret: '' } : text
}

/** @throws NOT_FOUND; PRECONDITION while something uses it */
export async function deleteRegistry(registry: Registry, id: number): Promise<RemoteRegistry> {
  const item = await registry.metadata.get(keys.remoteRegistry(id))
  const remote = remoteRegistryIn(item)
  if (!item || !remote) throw unknownRegistry(id)
  const [use] = await registry.metadata.query({ pk: item.pk, prefix: 'U#', limit: 1 })
  if (use) {
    const kind = use.sk.slice(2).split(':')[0]!
    throw new RegistryError(
      'PRECONDITION',
      `the registry ${id} is referenced by ${USERS[kind] ?? kind}, cannot delete it`,
    )
  }
  // Whoever began to use it meanwhile changed its item: then it is not deleted.
  const outcome = await registry.metadata.transact([
    { kind: 'delete', key: keys.remoteRegistry(id), if: unchanged(text(item, 'gen')) },
    { kind: 'delete', key: keys.remoteRegistryListing(remote.name) },
    { kind: 'delete', key: keys.remoteRegistryLimits(id) },
  ])
  if (!outcome.ok)
    throw new RegistryError('PRECONDITION', `the registry ${id} is being changed or used: try again`)
  if ((await listRegistries(registry)).length === 0) await unscheduleHealth(registry)
  return remote
}

/**
 * @param user `project:<id>`, `replication:<id>`: what cannot be without the registry
 * @returns the registry, and writes that belong into the transaction which makes that
 * @throws NOT_FOUND
 */
export async function useOfRegistry(
  registry: Registry,
  id: number,
  user: string,
): Promise<{ remote: RemoteRegistry; writes: Write[] }> {
  const item = await registry.metadata.get(keys.remoteRegistry(id))
  const remote = remoteRegistryIn(item)
  if (!item || !remote) throw unknownRegistry(id)
  const writes: Write[] = [
    { kind: 'put', if: unchanged(text(item, 'gen')), item: remoteRegistryItem(registry, remote) },
    { kind: 'put', item: { ...keys.remoteRegistryUse(id, user), attributes: { v: 1 } } },
  ]
  return { remote, writes }
}

/**
 * Writes something together with its use of a registry. Somebody else may begin to use it at the same moment: then it
 * is tried again.
 * @param own the other writes, for the registry as it is by then
 * @returns indexes of `own` whose conditions do not hold; none when all is written
 * @throws NOT_FOUND; UNAVAILABLE when too many change the registry at once
 */
export async function writeWithUse(
  registry: Registry,
  id: number,
  user: string,
  own: (remote: RemoteRegistry) => Write[],
): Promise<number[]> {
  for (let attempt = 0; attempt < USE_ATTEMPTS; attempt++) {
    const { remote, writes } = await useOfRegistry(registry, id, user)
    const first = own(remote)
    const outcome = await registry.metadata.transact([...first, ...writes])
    if (outcome.ok) return []
    const refused = outcome.failed.filter((index) => index < first.length)
    if (refused.length > 0) return refused
  }
  throw new RegistryError('UNAVAILABLE', `too many change the registry ${id} at once: try again`)
}

/** Part of the transaction that ends the use. */
export function endOfUse(id: number, user: string): Write {
  return { kind: 'delete', key: keys.remoteRegistryUse(id, user) }
}

function unchanged(gen: string) {
  return { kind: 'equals' as const, attributes: { gen } }
}

function listingWrite({ id, name }: RemoteRegistry): Write {
  const item = { ...keys.remoteRegistryListing(name), attributes: { v: 1, id } }
  return { kind: 'put', if: { kind: 'absent' }, item }
}

function taken(name: string): RegistryError {
  return new RegistryError('CONFLICT', `registry ${name} already exists`)
}
