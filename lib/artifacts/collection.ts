// All artifacts of a repository as its lists see them: a small row for each, read in two queries, hydrated by no one yet.
import { subjectOfCosignTag } from '../oci/accessory-type.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { type Manifest, parseManifest } from '../oci/manifest.ts'
import { type ArtifactSummary, summaryIn, summaryOf } from '../registry/artifact-summary.ts'
import { keys, partitions } from '../registry/keys.ts'
import { type ManifestRecord, manifestOf } from '../registry/manifest-record.ts'
import { bytesOf } from '../registry/manifests.ts'
import type { Item } from '../registry/ports.ts'
import { number, type Registry, text } from '../registry/registry.ts'

export interface ListedTag {
  name: string
  /** Absent where an older version moved the tag. */
  pushedAtMs?: number
}

export interface Row {
  digest: Digest
  pushedAtMs: number
  manifestMediaType: string
  summary: ArtifactSummary
  /** An index's manifests count too. */
  sizeBytes: number
  tags: ListedTag[]
}

export interface Collection {
  rows: Map<Digest, Row>
  /** Manifests of the repository's indexes. */
  children: Set<Digest>
  /** The same by index. */
  childrenOf: ReadonlyMap<Digest, Digest[]>
}

/** A repository may have many tags for each artifact. */
const TAGS_FOR_EACH = 10
const READ_AT_ONCE = 1000
const COMPLETED_AT_ONCE = 50

/**
 * @param limit artifacts looked at
 * @throws REQUEST_INVALID where the repository has more
 */
export async function readCollection(registry: Registry, repo: string, limit: number): Promise<Collection> {
  const [listed, tags] = await Promise.all([
    readAll(registry, partitions.manifests(repo), limit, 'artifacts'),
    readAll(registry, partitions.tags(repo), limit * TAGS_FOR_EACH, 'tags'),
  ])
  const rows = new Map<Digest, Row>()
  const older: Row[] = []
  for (const item of listed) {
    const { row, complete } = rowOf(item)
    rows.set(row.digest, row)
    if (!complete) older.push(row)
  }
  for (const { sk, attributes } of tags)
    rows.get(attributes.digest as Digest)?.tags.push({
      name: sk,
      ...(attributes.atMs === undefined ? {} : { pushedAtMs: attributes.atMs as number }),
    })
  const childrenOf = await complete(registry, repo, rows, older)
  addUp(rows, childrenOf)
  return { rows, children: new Set([...childrenOf.values()].flat()), childrenOf }
}

/** Signatures, SBOMs and the like are shown with what they belong to, not among the artifacts. */
export function isAccessory({ summary, tags }: Pick<Row, 'summary' | 'tags'>): boolean {
  return (
    summary.accessory !== undefined ||
    (summary.simpleSigning === true && tags.some(({ name }) => subjectOfCosignTag(name) !== undefined))
  )
}

/** What a repository shows, and counts. */
export function isShown(row: Row, collection: Collection): boolean {
  return !isAccessory(row) && (row.tags.length > 0 || !collection.children.has(row.digest))
}

async function readAll(registry: Registry, pk: string, limit: number, what: string): Promise<Item[]> {
  const items: Item[] = []
  for (;;) {
    const after = items.at(-1)?.sk
    const page = await registry.metadata.query({
      pk,
      limit: READ_AT_ONCE,
      ...(after === undefined ? {} : { after }),
    })
    items.push(...page)
    if (items.length > limit)
      throw new RegistryError(
        'REQUEST_INVALID',
        `the repository has more than ${limit} ${what}, too many to list, filter or sort them: ask for one by its tag or digest`,
      )
    if (page.length < READ_AT_ONCE) return items
  }
}

function rowOf(item: Item): { row: Row; complete: boolean } {
  const summary = summaryIn(item)
  const row: Row = {
    digest: item.sk.slice(item.sk.indexOf('#') + 1) as Digest,
    pushedAtMs: Number(item.sk.slice(0, item.sk.indexOf('#'))),
    manifestMediaType: text(item, 'mediaType'),
    summary: summary ?? {
      type: 'UNKNOWN',
      mediaType: '',
      artifactType: '',
      ownBytes: number(item, 'sizeBytes'),
    },
    sizeBytes: 0,
    tags: [],
  }
  return { row, complete: summary !== undefined && !summary.manyChildren }
}

/**
 * Reads the manifests of rows that do not tell enough: older ones, and indexes of many.
 * @returns every index's manifests, each once
 */
async function complete(
  registry: Registry,
  repo: string,
  rows: Map<Digest, Row>,
  incomplete: Row[],
): Promise<Map<Digest, Digest[]>> {
  const children = new Map<Digest, Digest[]>()
  for (const { digest, summary } of rows.values())
    if (summary.children) children.set(digest, summary.children)
  for (let at = 0; at < incomplete.length; at += COMPLETED_AT_ONCE) {
    const some = incomplete.slice(at, at + COMPLETED_AT_ONCE)
    const items = await registry.metadata.batchGet(
      some.flatMap(({ digest }) => [keys.manifest(repo, digest), keys.manifestBytes(repo, digest)]),
    )
    await Promise.all(
      some.map(async (row, index) => {
        const record = manifestOf(items[2 * index], repo, row.digest)
        // Deleted since the row was read.
        if (!record) rows.delete(row.digest)
        const manifest = record && (await manifestIn(registry, record, items[2 * index + 1]))
        if (!manifest) return
        row.summary = summaryOf(manifest, record.sizeBytes)
        const digests = new Set(manifest.children.map((child) => child.digest))
        if (digests.size > 0) children.set(row.digest, [...digests])
      }),
    )
  }
  return children
}

/** undefined where its bytes are lost: a list shows what it can. */
async function manifestIn(
  registry: Registry,
  record: ManifestRecord,
  inline: Item | undefined,
): Promise<Manifest | undefined> {
  try {
    return parseManifest(await bytesOf(registry, record, inline), record.mediaType)
  } catch (error) {
    if (error instanceof RegistryError) return undefined
    throw error
  }
}

/** As Harbor adds it up: an index and each of its manifests, counting each time what they share. */
function addUp(rows: Map<Digest, Row>, children: Map<Digest, Digest[]>): void {
  const sizes = new Map<Digest, number>()
  const sizeOf = (digest: Digest): number => {
    const known = sizes.get(digest)
    if (known !== undefined) return known
    sizes.set(digest, 0)
    const own = rows.get(digest)?.summary.ownBytes ?? 0
    const size = (children.get(digest) ?? []).reduce((sum, child) => sum + sizeOf(child), own)
    sizes.set(digest, size)
    return size
  }
  for (const row of rows.values()) row.sizeBytes = sizeOf(row.digest)
}
