// Artifacts of a repository: one by its tag or digest, or a page of them.
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import type { Reference } from '../oci/reference.ts'
import { keys } from '../registry/keys.ts'
import { unknownManifest } from '../registry/manifests.ts'
import { pullsIn } from '../registry/pull-counts.ts'
import type { Registry } from '../registry/registry.ts'
import { type Repository, readRepository, requireRepository } from '../registry/repositories.ts'
import { tagOf } from '../registry/tags.ts'
import { accessoriesIn, readAccessories } from './accessories.ts'
import { type Artifact, EVERYTHING, type Wanted } from './artifact.ts'
import { artifactsWith } from './artifact-labels.ts'
import { type Collection, isAccessory, type Row, readCollection } from './collection.ts'
import { hydrate } from './hydrate.ts'
import { artifactNumber } from './ids.ts'
import { comparator, type Fields, matcher, type Page, pageOf } from './matching.ts'
import { type Filter, type Sort, type Term, termOf } from './query.ts'
import { readRows, readTags } from './rows.ts'

/** In the order of their pushes lists go on for long; for other orders and filters this many are looked at. */
const LISTED = 100_000
const FILTERED = 10_000
const READ_AT_ONCE = 100

type Listed = Row & { pulledAtMs: number }

/** What artifacts can be found and sorted by; ids are those of `artifactNumber`. */
function fieldsOf(repo: string): Fields<Listed> {
  return {
    id: { kind: 'number', of: (row) => artifactNumber(repo, row.digest) },
    digest: { kind: 'text', of: (row) => row.digest },
    type: { kind: 'text', of: (row) => row.summary.type },
    media_type: { kind: 'text', of: (row) => row.summary.mediaType },
    manifest_media_type: { kind: 'text', of: (row) => row.manifestMediaType },
    artifact_type: { kind: 'text', of: (row) => row.summary.artifactType },
    size: { kind: 'number', of: (row) => row.sizeBytes },
    push_time: { kind: 'time', of: (row) => row.pushedAtMs },
    pull_time: { kind: 'time', of: (row) => row.pulledAtMs },
  }
}

const NEWEST_FIRST: Sort[] = [
  { field: 'push_time', descending: true },
  { field: 'digest', descending: true },
]

export interface ArtifactList {
  artifacts: Artifact[]
  /** On all pages. */
  total: number
}

/**
 * Without what is hidden: accessories, and untagged manifests of an index (unless `base=*` is asked). A repository that
 * does not exist has none. `tags`, `labels` and `base` in the query have rules of their own, which are Harbor's.
 * @throws REQUEST_INVALID for a query or sort that cannot be understood, or needs more than 10,000 artifacts looked at
 */
export async function listArtifacts(
  registry: Registry,
  name: string,
  wanted: Page & { filters: Filter[]; sort: Sort[]; with: Wanted },
): Promise<ArtifactList> {
  const { filters, sort } = wanted
  const found = await readRepository(registry, name)
  if (!found) return { artifacts: [], total: 0 }
  const { repository } = found
  const fields = fieldsOf(repository.id)
  const matches = matcher(filters, fields)
  const byTag = tagTest(termOf(filters, 'tags'))
  const byLabel = await labelTest(registry, repository.id, termOf(filters, 'labels'))
  const hidden = isHidden(termOf(filters, 'base'))
  const plain = filters.length === 0 && sort.every(({ field }) => field === 'push_time')
  const collection = await readCollection(registry, repository.id, plain ? LISTED : FILTERED)
  let rows: Listed[] = []
  for (const row of collection.rows.values())
    if (!hidden(row, collection) && byTag(row) && byLabel(row)) rows.push({ ...row, pulledAtMs: 0 })
  if (termOf(filters, 'pull_time') || sort.some(({ field }) => field === 'pull_time'))
    await addPullTimes(registry, repository.id, rows)
  rows = rows.filter(matches).sort(comparator(sort, fields, NEWEST_FIRST))
  const accessories = wanted.with.accessories ? accessoriesIn(repository.id, collection) : new Map()
  return {
    artifacts: await hydrate(registry, repository, pageOf(rows, wanted), wanted.with, accessories),
    total: rows.length,
  }
}

/** @throws NAME_UNKNOWN, MANIFEST_UNKNOWN */
export async function getArtifact(
  registry: Registry,
  name: string,
  reference: Reference,
  wanted: Wanted = EVERYTHING,
): Promise<Artifact> {
  const { repository, row } = await findRow(registry, name, reference)
  const { digest } = row
  if (wanted.tags) row.tags = await readTags(registry, repository.id, digest)
  const accessories = wanted.accessories ? await readAccessories(registry, repository.id, digest) : []
  const own = new Map([[digest, accessories]])
  const [artifact] = await hydrate(registry, repository, [row], wanted, own)
  if (!artifact) throw unknownManifest(name, digest)
  return artifact
}

/**
 * The row without its tags.
 * @throws NAME_UNKNOWN, MANIFEST_UNKNOWN
 */
export async function findRow(
  registry: Registry,
  name: string,
  reference: Reference,
): Promise<{ repository: Repository; row: Row }> {
  const { repository } = await requireRepository(registry, name)
  const digest =
    reference.kind === 'digest' ? reference.digest : await tagged(registry, repository, reference.tag)
  const row = (await readRows(registry, repository.id, [digest])).get(digest)
  if (!row) throw unknownManifest(name, digest)
  return { repository, row }
}

async function tagged(registry: Registry, repository: Repository, name: string): Promise<Digest> {
  const tag = tagOf(await registry.metadata.get(keys.tag(repository.id, name)), name)
  if (!tag?.digest) throw unknownManifest(repository.name, name)
  return tag.digest
}

/** What a repository shows, and counts. */
export function isShown(row: Row, collection: Collection): boolean {
  return !isAccessory(row) && (row.tags.length > 0 || !collection.children.has(row.digest))
}

function isHidden(base: Term | undefined): (row: Row, collection: Collection) => boolean {
  if (base === undefined) return (row, collection) => !isShown(row, collection)
  if (base.kind === 'exact' && base.value === '*') return isAccessory
  throw new RegistryError(
    'REQUEST_INVALID',
    'the value of "base" query can only be exact match value with "*"',
  )
}

/** `*`: any tag; `nil`: none; otherwise one of that name, or with that part in it. */
function tagTest(tags: Term | undefined): (row: Row) => boolean {
  if (tags === undefined) return () => true
  const { kind } = tags
  if (kind === 'fuzzy') return (row) => row.tags.some(({ name }) => name.includes(tags.value))
  if (kind !== 'exact')
    throw new RegistryError(
      'REQUEST_INVALID',
      'the value of "tags" query can only be fuzzy match value or exact match value',
    )
  if (tags.value === '*') return (row) => row.tags.length > 0
  if (tags.value === 'nil') return (row) => row.tags.length === 0
  return (row) => row.tags.some(({ name }) => name === tags.value)
}

async function labelTest(
  registry: Registry,
  repo: string,
  labels: Term | undefined,
): Promise<(row: Row) => boolean> {
  if (labels === undefined) return () => true
  const ids = labels.kind === 'all' ? labels.values.map(Number) : []
  if (ids.length === 0 || ids.length > READ_AT_ONCE || !ids.every(Number.isSafeInteger))
    throw new RegistryError(
      'REQUEST_INVALID',
      'the value of "labels" query can only be integer list with intersection relationship, e.g. labels=(1 2)',
    )
  const digests = await artifactsWith(registry, repo, ids)
  return (row) => digests.has(row.digest)
}

async function addPullTimes(registry: Registry, repo: string, rows: Listed[]): Promise<void> {
  for (let at = 0; at < rows.length; at += READ_AT_ONCE) {
    const some = rows.slice(at, at + READ_AT_ONCE)
    const items = await registry.metadata.batchGet(some.map(({ digest }) => keys.pulled(repo, digest)))
    some.forEach((row, index) => {
      row.pulledAtMs = pullsIn(items[index]).lastAtMs ?? 0
    })
  }
}
