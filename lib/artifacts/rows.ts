// Rows of single artifacts, read by their digests; lists read a whole repository's (collection.ts).
import type { Digest } from '../oci/digest.ts'
import { parseManifest } from '../oci/manifest.ts'
import { summaryIn, summaryOf } from '../registry/artifact-summary.ts'
import { keys, partitions } from '../registry/keys.ts'
import { manifestOf } from '../registry/manifest-record.ts'
import { bytesOf } from '../registry/manifests.ts'
import type { Item } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import type { ListedTag, Row } from './collection.ts'

const READ_AT_ONCE = 50
const TAGS_AT_ONCE = 1000
/** Indexes in indexes are added up as deep as anybody builds them. */
const DEPTH = 4

/** Rows without their tags, of the digests that are manifests of the repository. */
export async function readRows(
  registry: Registry,
  repo: string,
  digests: Digest[],
  depth = DEPTH,
): Promise<Map<Digest, Row>> {
  const rows = new Map<Digest, Row>()
  const unique = [...new Set(digests)]
  for (let at = 0; at < unique.length; at += READ_AT_ONCE) {
    const some = unique.slice(at, at + READ_AT_ONCE)
    const items = await registry.metadata.batchGet(
      some.flatMap((digest) => [keys.manifest(repo, digest), keys.manifestBytes(repo, digest)]),
    )
    const read = await Promise.all(
      some.map((digest, index) =>
        rowOf(registry, repo, digest, items[2 * index], items[2 * index + 1], depth),
      ),
    )
    for (const row of read) if (row) rows.set(row.digest, row)
  }
  return rows
}

async function rowOf(
  registry: Registry,
  repo: string,
  digest: Digest,
  item: Item | undefined,
  inline: Item | undefined,
  depth: number,
): Promise<Row | undefined> {
  const record = manifestOf(item, repo, digest)
  if (!item || !record) return undefined
  const recorded = summaryIn(item)
  const row = (summary: Row['summary'], sizeBytes: number): Row => ({
    digest,
    pushedAtMs: record.pushedAtMs,
    manifestMediaType: record.mediaType,
    summary,
    sizeBytes,
    tags: [],
  })
  if (recorded && record.kind !== 'index') return row(recorded, recorded.ownBytes)
  const manifest = parseManifest(await bytesOf(registry, record, inline), record.mediaType)
  const summary = recorded ?? summaryOf(manifest, record.sizeBytes)
  const digests = manifest.children.map((child) => child.digest)
  const children = depth > 0 ? await readRows(registry, repo, digests, depth - 1) : new Map<Digest, Row>()
  return row(
    summary,
    [...children.values()].reduce((sum, child) => sum + child.sizeBytes, summary.ownBytes),
  )
}

/** All tags of a manifest, in byte order. */
export async function readTags(registry: Registry, repo: string, digest: Digest): Promise<ListedTag[]> {
  const tags: ListedTag[] = []
  for (;;) {
    const after = tags.at(-1)?.name
    const page = await registry.metadata.query({
      pk: partitions.tagsOfManifest(repo, digest),
      limit: TAGS_AT_ONCE,
      ...(after === undefined ? {} : { after }),
    })
    for (const { sk, attributes } of page)
      tags.push({
        name: sk,
        ...(attributes.atMs === undefined ? {} : { pushedAtMs: attributes.atMs as number }),
      })
    if (page.length < TAGS_AT_ONCE) return tags
  }
}
