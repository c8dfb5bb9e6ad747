// Deleted manifests: kept with their bytes and references until the undo window ends.
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { type Manifest, parseManifest } from '../oci/manifest.ts'
import { candidateWrite } from './candidates.ts'
import { keys, partitions } from './keys.ts'
import type { ManifestRecord } from './manifest-record.ts'
import type { Item, Write } from './ports.ts'
import { dropReferences, referenceKeys } from './references.ts'
import { type Actor, number, type Registry, text } from './registry.ts'
import { allBytes } from './stored-bytes.ts'

export interface DeletedManifest {
  mediaType: string
  tags: string[]
  untilMs: number
  object?: string
  bytes: Uint8Array
}

export function deletedRecord(
  registry: Registry,
  record: ManifestRecord,
  kept: { bytes: Uint8Array | undefined; tags: string[]; untilMs: number; cause: string },
  actor: Actor,
): Write {
  const { bytes, ...rest } = kept
  return {
    kind: 'put',
    item: {
      ...keys.deletedManifest(record.repo, record.digest, record.birth),
      attributes: {
        ...record.attributes,
        ...rest,
        deletedBy: actor.principal,
        requestId: actor.requestId,
        deletedAtMs: registry.clock.nowMs(),
      },
      ...(bytes ? { bytes } : {}),
    },
  }
}

/** The last deletion of a manifest that can still be undone. */
export async function latestDeleted(
  registry: Registry,
  repo: string,
  digest: Digest,
): Promise<DeletedManifest | undefined> {
  // Births are ids, later ones sort last.
  const [item] = await registry.metadata.query({
    pk: partitions.manifest(repo, digest),
    prefix: 'X#',
    limit: 1,
    reverse: true,
  })
  return item && deletedOf(registry, item, digest)
}

async function deletedOf(registry: Registry, item: Item, digest: Digest): Promise<DeletedManifest> {
  const object = item.attributes.object as string | undefined
  return {
    mediaType: text(item, 'mediaType'),
    tags: item.attributes.tags as string[],
    untilMs: number(item, 'untilMs'),
    ...(object === undefined ? {} : { object }),
    bytes: item.bytes ?? (await objectBytes(registry, object, digest)),
  }
}

async function objectBytes(
  registry: Registry,
  object: string | undefined,
  digest: Digest,
): Promise<Uint8Array> {
  const body = object === undefined ? undefined : await registry.blobs.open(object)
  if (!body)
    throw new RegistryError('MANIFEST_UNKNOWN', `the bytes of deleted manifest ${digest} are missing`)
  return allBytes(body)
}

/**
 * For a deletion whose undo window has ended: its references go, what they referred to becomes a candidate, and the
 * record goes last, so that a crash anywhere before only means doing it again.
 */
export async function finaliseDeletion(
  registry: Registry,
  repo: string,
  digest: Digest,
  item: Item,
): Promise<void> {
  const now = registry.clock.nowMs()
  const birth = text(item, 'birth')
  const deleted = await deletedOf(registry, item, digest)
  const manifest = parseManifest(deleted.bytes, deleted.mediaType)
  await dropReferences(registry, referenceKeys(repo, digest, manifest, birth))
  await registry.metadata.batchWrite([
    ...targets(manifest).map((target) => candidateWrite(now, { ...target, repo })),
    ...(deleted.object === undefined
      ? []
      : [candidateWrite(now, { kind: 'object', object: deleted.object })]),
  ])
  await registry.metadata.batchWrite([{ kind: 'delete', key: keys.deletedManifest(repo, digest, birth) }])
}

function targets(manifest: Manifest): { kind: 'link' | 'manifest'; digest: Digest }[] {
  const blobs = new Set(manifest.blobs.map((blob) => blob.digest))
  const children = new Set(manifest.children.map((child) => child.digest))
  return [
    ...[...blobs].map((digest) => ({ kind: 'link' as const, digest })),
    ...[...children].map((digest) => ({ kind: 'manifest' as const, digest })),
  ]
}
