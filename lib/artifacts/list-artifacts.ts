// Pages of artifacts: of a repository, or of all repositories of a project.
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { keys } from '../registry/keys.ts'
import { pullsIn } from '../registry/pull-counts.ts'
import type { Registry } from '../registry/registry.ts'
import { type Repository, readRepository, repositoriesOf } from '../registry/repositories.ts'
import { accessoriesIn } from './accessories.ts'
import type { Artifact, Wanted } from './artifact.ts'
import { artifactsWith } from './artifact-labels.ts'
import { type Collection, isAccessory, isShown, type Row, readCollection } from './collection.ts'
import { hydrate } from './hydrate.ts'
import { artifactNumber, repositoryNumber } from './ids.ts'
import { comparator, type Fields, matcher, type Page, pageOf } from './matching.ts'
import { type Filter, type Sort, type Term, termOf } from './query.ts'
import { type Severity, type SeverityLists, type SeverityOf, severityTest } from './severity-lists.ts'

/** In the order of their pushes lists go on for long; for other orders and filters this many are looked at. */
const LISTED = 100_000
const FILTERED = 10_000
const REPOSITORIES = 1000
const READ_AT_ONCE = 100
/** Indexes in indexes, as deep as they are scanned. */
const DEPTH = 3

interface Listed extends Row {
  repository: Repository
  collection: Collection
  pulledAtMs: number
  severity: Severity | undefined
}

/** What artifacts can be found and sorted by; ids are those of `artifactNumber`. */
const FIELDS: Fields<Listed> = {
  id: { kind: 'number', of: (row) => artifactNumber(row.repository.id, row.digest) },
  repository_id: { kind: 'number', of: (row) => repositoryNumber(row.repository.id) },
  repository_name: { kind: 'text', of: (row) => row.repository.name },
  digest: { kind: 'text', of: (row) => row.digest },
  type: { kind: 'text', of: (row) => row.summary.type },
  media_type: { kind: 'text', of: (row) => row.summary.mediaType },
  manifest_media_type: { kind: 'text', of: (row) => row.manifestMediaType },
  artifact_type: { kind: 'text', of: (row) => row.summary.artifactType },
  size: { kind: 'number', of: (row) => row.sizeBytes },
  push_time: { kind: 'time', of: (row) => row.pushedAtMs },
  pull_time: { kind: 'time', of: (row) => row.pulledAtMs },
}

/** Below what was scanned comes what was not. */
const SORTED: Fields<Listed> = {
  ...FIELDS,
  severity: { kind: 'text', of: ({ severity }) => severity?.rank ?? '' },
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

type WantedList = Page & {
  filters: Filter[]
  sort: Sort[]
  with: Wanted
  /** Without it, nothing is sorted or filtered by `severity`. */
  severities?: SeverityLists
}

/**
 * Without what is hidden: accessories, and untagged manifests of an index (unless `base=*` is asked). A repository that
 * does not exist has none. `tags`, `labels` and `base` in the query have rules of their own, which are Harbor's;
 * `severity` is not among Harbor's.
 * @throws REQUEST_INVALID for a query or sort that cannot be understood, or needs more than 10,000 artifacts looked at
 */
export async function listArtifacts(
  registry: Registry,
  name: string,
  wanted: WantedList,
): Promise<ArtifactList> {
  const found = await readRepository(registry, name)
  if (!found) return { artifacts: [], total: 0 }
  const plain = wanted.filters.length === 0 && wanted.sort.every(({ field }) => field === 'push_time')
  const rows = await select(registry, [found.repository], wanted, plain ? LISTED : FILTERED)
  return { artifacts: await hydrated(registry, pageOf(rows, wanted), wanted.with), total: rows.length }
}

/**
 * The same of all repositories of a project.
 * @param wanted `latest`: of each repository only what was pushed last of those that are asked for
 * @throws REQUEST_INVALID as above; above 1,000 repositories; where `latest` is not of one media or artifact type
 */
export async function listProjectArtifacts(
  registry: Registry,
  projectName: string,
  wanted: WantedList & { latest: boolean },
): Promise<ArtifactList> {
  const types = ['media_type', 'artifact_type'].filter((field) => termOf(wanted.filters, field))
  if (wanted.latest && types.length !== 1)
    throw new RegistryError(
      'REQUEST_INVALID',
      "either 'media_type' or 'artifact_type' must be specified, but not both, when querying with latest_in_repository",
    )
  const repositories = await repositoriesOf(registry, projectName, REPOSITORIES)
  if (!repositories)
    throw new RegistryError(
      'REQUEST_INVALID',
      `the project has more than ${REPOSITORIES} repositories, too many to list their artifacts: ask for one repository’s`,
    )
  const all = await select(registry, repositories, wanted, FILTERED)
  const rows = wanted.latest ? all.filter(isLatestOf(all)) : all
  return { artifacts: await hydrated(registry, pageOf(rows, wanted), wanted.with), total: rows.length }
}

function isLatestOf(rows: Listed[]): (row: Listed) => boolean {
  const newestFirst = rows.toSorted(comparator([], FIELDS, NEWEST_FIRST))
  const latest = new Map<string, Listed>()
  for (const row of newestFirst) if (!latest.has(row.repository.id)) latest.set(row.repository.id, row)
  return (row) => latest.get(row.repository.id) === row
}

/** @param limit artifacts looked at */
async function select(
  registry: Registry,
  repositories: Repository[],
  { filters, sort, severities }: Pick<WantedList, 'filters' | 'sort' | 'severities'>,
  limit: number,
): Promise<Listed[]> {
  const matches = matcher(filters, FIELDS)
  const byTag = tagTest(termOf(filters, 'tags'))
  const hidden = isHidden(termOf(filters, 'base'))
  const withPulls = termOf(filters, 'pull_time') || sort.some(({ field }) => field === 'pull_time')
  const bySeverity = severities ? severityTest(termOf(filters, 'severity'), severities.names) : () => true
  const withSeverity = termOf(filters, 'severity') || sort.some(({ field }) => field === 'severity')
  let lookedAt = 0
  const selected: Listed[] = []
  for (const repository of repositories) {
    const byLabel = await labelTest(registry, repository.id, termOf(filters, 'labels'))
    const collection = await readCollection(registry, repository.id, limit)
    lookedAt += collection.rows.size
    if (lookedAt > limit)
      throw new RegistryError(
        'REQUEST_INVALID',
        `there are more than ${limit} artifacts, too many to list them: ask for one repository’s`,
      )
    const rows: Listed[] = []
    for (const row of collection.rows.values())
      if (!hidden(row, collection) && byTag(row) && byLabel(row))
        rows.push({ ...row, repository, collection, pulledAtMs: 0, severity: undefined })
    if (withPulls) await addPullTimes(registry, repository.id, rows)
    if (withSeverity && severities) addSeverities(await severities.read(registry, repository), rows)
    selected.push(...rows.filter((row) => matches(row) && bySeverity(row.severity)))
  }
  return selected.sort(comparator(sort, SORTED, NEWEST_FIRST))
}

function withChildren(
  { childrenOf }: Pick<Collection, 'childrenOf'>,
  digest: Digest,
  depth: number,
): Set<Digest> {
  const children = depth > 0 ? (childrenOf.get(digest) ?? []) : []
  return new Set([
    digest,
    ...children.flatMap((child) => [...withChildren({ childrenOf }, child, depth - 1)]),
  ])
}

/** An index has what its images have together. */
function addSeverities(severityOf: SeverityOf, rows: Listed[]): void {
  for (const row of rows) row.severity = severityOf([...withChildren(row.collection, row.digest, DEPTH)])
}

/** In the order of the rows. */
async function hydrated(registry: Registry, rows: Listed[], wanted: Wanted): Promise<Artifact[]> {
  const found = new Map<string, Artifact>()
  for (const [repository, some] of Map.groupBy(rows, (row) => row.repository)) {
    const accessories = wanted.accessories
      ? accessoriesIn(repository.id, some[0]!.collection)
      : new Map<never, never>()
    for (const artifact of await hydrate(registry, repository, some, wanted, accessories))
      found.set(`${repository.id} ${artifact.digest}`, artifact)
  }
  return rows.flatMap(({ repository, digest }) => found.get(`${repository.id} ${digest}`) ?? [])
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
