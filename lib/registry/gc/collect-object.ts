// An object nobody links goes, bytes and all (step 4 of docs/gc.md). Keys are never reused: late and twice is safe.
import type { Digest } from '../../oci/digest.ts'
import { keys, partitions } from '../keys.ts'
import { pagesOf } from '../partitions.ts'
import type { Item, Key, Write } from '../ports.ts'
import { YOUNG_MS } from '../references.ts'
import { number, type Registry, text } from '../registry.ts'
import type { Ledger } from './ledger.ts'
import { AGAIN, DONE, later, type Verdict } from './verdict.ts'

/** A tombstone outlives any commit that might still want to link the object. */
const TOMBSTONE_SECONDS = 7 * 86_400

export async function collectObject(registry: Registry, ledger: Ledger, object: string): Promise<Verdict> {
  const item = await registry.metadata.get(keys.object(object))
  if (!item) return collectUnlinked(registry, ledger, object)
  if (item.attributes.state === 'deleted') return erase(registry, ledger, object, 'never linked')
  if (item.attributes.kind === 'manifest') return collectManifestBytes(registry, ledger, item, object)

  const condemn = objectWrite(registry, item, object, 'condemned')
  if (!(await registry.metadata.transact([condemn])).ok) return AGAIN
  const condemned = await registry.metadata.get(keys.object(object))
  if (condemned?.attributes.state !== 'condemned') return AGAIN
  const use = await linksOf(registry, object)
  if (use) {
    await registry.metadata.transact([objectWrite(registry, condemned, object, 'live')])
    return use === 'linked' ? DONE : later(registry.clock.nowMs() + YOUNG_MS)
  }
  if (!(await registry.metadata.transact([deletion(condemned)])).ok) return AGAIN
  return erase(registry, ledger, object, 'no repository links it')
}

/** An upload that lost a race, or whose process died before it was linked. The tombstone stops a late link. */
async function collectUnlinked(registry: Registry, ledger: Ledger, object: string): Promise<Verdict> {
  const found = await registry.blobs.stat(object)
  if (!found) return DONE
  const tombstone: Write = {
    kind: 'put',
    if: { kind: 'absent' },
    item: {
      ...keys.object(object),
      attributes: { v: 1, state: 'deleted', gen: registry.newId() },
      expiresAtEpochSeconds: Math.floor(registry.clock.nowMs() / 1000) + TOMBSTONE_SECONDS,
    },
  }
  if (!(await registry.metadata.transact([tombstone])).ok) return AGAIN
  return erase(registry, ledger, object, 'never linked')
}

async function collectManifestBytes(
  registry: Registry,
  ledger: Ledger,
  item: Item,
  object: string,
): Promise<Verdict> {
  const repo = text(item, 'repo')
  const digest = text(item, 'digest') as Digest
  const attempt = object.slice(object.lastIndexOf('/') + 1)
  const [manifest, deleted] = await registry.metadata.batchGet([
    keys.manifest(repo, digest),
    keys.deletedManifest(repo, digest, attempt),
  ])
  if (manifest?.attributes.birth === attempt || deleted) return DONE
  if (!(await registry.metadata.transact([deletion(item)])).ok) return AGAIN
  return erase(registry, ledger, object, 'its manifest was deleted')
}

async function erase(registry: Registry, ledger: Ledger, object: string, why: string): Promise<Verdict> {
  const found = await registry.blobs.stat(object)
  await registry.blobs.delete(object)
  if (found) await ledger.write({ what: 'object', where: object, freedBytes: found.sizeBytes, why })
  return DONE
}

function objectWrite(registry: Registry, item: Item, object: string, state: string): Write {
  return {
    kind: 'put',
    if: { kind: 'equals', attributes: { gen: text(item, 'gen') } },
    item: { ...keys.object(object), attributes: { ...item.attributes, state, gen: registry.newId() } },
  }
}

function deletion(item: Item): Write {
  return {
    kind: 'delete',
    key: { pk: item.pk, sk: item.sk },
    if: { kind: 'equals', attributes: { gen: text(item, 'gen') } },
  }
}

/** An OREF counts if its link exists and leads here, or while the mount that wrote it may be under way. */
async function linksOf(registry: Registry, object: string): Promise<'linked' | 'young' | undefined> {
  let young: 'young' | undefined
  for (const pk of partitions.objectReferences(object)) {
    for await (const page of pagesOf(registry.metadata, { pk })) {
      const links = await registry.metadata.batchGet(page.map(linkKey))
      const stale: Key[] = []
      for (const [index, reference] of page.entries()) {
        if (links[index]?.attributes.object === object) return 'linked'
        if (registry.clock.nowMs() - number(reference, 'writtenAtMs') < YOUNG_MS) young = 'young'
        else stale.push({ pk: reference.pk, sk: reference.sk })
      }
      await registry.metadata.batchWrite(stale.map((key) => ({ kind: 'delete', key })))
    }
  }
  return young
}

function linkKey(reference: Item): Key {
  const hash = reference.sk.indexOf('#')
  return keys.link(reference.sk.slice(0, hash), reference.sk.slice(hash + 1))
}
