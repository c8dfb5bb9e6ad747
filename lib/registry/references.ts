// References: a set item for each push attempt and each thing it uses, never a counter.
import type { Digest } from '../oci/digest.ts'
import type { Manifest } from '../oci/manifest.ts'
import { keys } from './keys.ts'
import { parseReferenceKey } from './parsed-keys.ts'
import { pagesOf } from './partitions.ts'
import type { Item, Key } from './ports.ts'
import { number, type Registry } from './registry.ts'

/** A reference whose attempt is nobody's birth counts this long: the push may still be under way. */
export const YOUNG_MS = 86_400_000

export type Standing =
  /** The manifest exists and this attempt made it. */
  | 'live'
  /** The manifest was deleted but can still be brought back. */
  | 'deleted'
  /** A push that may still be under way. */
  | 'young'
  /** Left over by a crash or a lost race. */
  | 'dead'

export interface ReferenceStanding {
  key: Key
  manifest: Digest
  attempt: string
  standing: Standing
}

/** Keys of every reference a manifest makes: its blobs, its children. */
export function referenceKeys(repo: string, digest: Digest, manifest: Manifest, attempt: string): Key[] {
  const blobs = new Set(manifest.blobs.map((blob) => blob.digest))
  const children = new Set(manifest.children.map((child) => child.digest))
  return [
    ...[...blobs].map((blob) => keys.linkReference(repo, blob, digest, attempt)),
    ...[...children].map((child) => keys.manifestReference(repo, child, digest, attempt)),
  ]
}

export async function writeReferences(registry: Registry, references: Key[]): Promise<void> {
  const attributes = { v: 1, writtenAtMs: registry.clock.nowMs() }
  await registry.metadata.batchWrite(references.map((key) => ({ kind: 'put', item: { ...key, attributes } })))
}

export async function dropReferences(registry: Registry, references: Key[]): Promise<void> {
  await registry.metadata.batchWrite(references.map((key) => ({ kind: 'delete', key })))
}

/**
 * The references in a LINK's or MANIFEST's partition, each with its standing, read lazily page by page:
 * most callers stop at the first that counts.
 */
export async function* referencesIn(
  registry: Registry,
  repo: string,
  pk: string,
): AsyncGenerator<ReferenceStanding> {
  for await (const page of pagesOf(registry.metadata, { pk, prefix: 'R#' }))
    yield* await judge(registry, repo, page)
}

/** Indexes that name the manifest as a child, some of which may be gone. @param limit references that are read */
export async function indexesNaming(
  registry: Registry,
  repo: string,
  digest: Digest,
  limit: number,
): Promise<Digest[]> {
  const { pk } = keys.manifest(repo, digest)
  const references = await registry.metadata.query({ pk, prefix: 'R#', limit })
  return [...new Set(references.map(({ sk }) => parseReferenceKey(sk).manifest))]
}

/**
 * MANIFEST is read before the deleted record: deleting moves one into the other in a transaction, so reading
 * in this order never misses both. (Bringing back is a new attempt with references of its own.)
 */
async function judge(registry: Registry, repo: string, items: Item[]): Promise<ReferenceStanding[]> {
  const references = items.map((item) => ({ item, ...parseReferenceKey(item.sk) }))
  const manifests = await registry.metadata.batchGet(
    references.map(({ manifest }) => keys.manifest(repo, manifest)),
  )
  const records = await registry.metadata.batchGet(
    references.map(({ manifest, attempt }) => keys.deletedManifest(repo, manifest, attempt)),
  )
  const now = registry.clock.nowMs()
  return references.map(({ item, manifest, attempt }, index) => {
    const standing = (): Standing => {
      if (manifests[index]?.attributes.birth === attempt) return 'live'
      if (records[index]) return 'deleted'
      return now - number(item, 'writtenAtMs') < YOUNG_MS ? 'young' : 'dead'
    }
    return { key: { pk: item.pk, sk: item.sk }, manifest, attempt, standing: standing() }
  })
}
