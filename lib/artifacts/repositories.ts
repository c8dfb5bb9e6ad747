// Repositories as Harbor's users see them: with a description, and how much is in them and taken from them.
import { RegistryError } from '../oci/errors.ts'
import { projectOf } from '../oci/reference.ts'
import { keys, partitions } from '../registry/keys.ts'
import type { Item } from '../registry/ports.ts'
import { pullsIn } from '../registry/pull-counts.ts'
import { type Registry, text } from '../registry/registry.ts'
import { requireRepository } from '../registry/repositories.ts'
import { countArtifacts } from './artifact-count.ts'
import { blobAskedFor, holdersOf } from './blob-holders.ts'
import { repositoryNumber } from './ids.ts'
import { comparator, type Fields, matcher, type Page, pageOf } from './matching.ts'
import type { Filter, Sort } from './query.ts'

export interface RepositoryView {
  id: number
  /** Our own id. */
  repo: string
  /** With its project. */
  name: string
  projectId: string
  /** Markdown, as written: whoever shows it makes it safe. */
  description: string
  artifactCount: number
  pullCount: number
  createdAtMs: number
  updatedAtMs: number
}

interface Listed {
  repo: string
  name: string
  projectId: string
  createdAtMs: number
}

const LISTED = 10_000
const READ_AT_ONCE = 1000
const VIEWED_AT_ONCE = 50
const DESCRIPTION_LIMIT_BYTES = 64 * 1024

const FIELDS: Fields<Listed> = {
  id: { kind: 'number', of: ({ repo }) => repositoryNumber(repo) },
  repository_id: { kind: 'number', of: ({ repo }) => repositoryNumber(repo) },
  name: { kind: 'text', of: ({ name }) => name },
  creation_time: { kind: 'time', of: ({ createdAtMs }) => createdAtMs },
}
const NEWEST_FIRST: Sort[] = [
  { field: 'creation_time', descending: true },
  { field: 'name', descending: false },
]

/**
 * Repositories that have, or had, a manifest.
 * @param visible whether the caller may see the repositories of a project, by its name; asked once for each
 * @param project only that project's (by its name)
 * @throws REQUEST_INVALID for a query that cannot be understood, and above 10,000 repositories
 */
export async function listRepositories(
  registry: Registry,
  wanted: Page & { filters: Filter[]; sort: Sort[]; project?: string },
  visible: (projectName: string) => Promise<boolean>,
): Promise<{ repositories: RepositoryView[]; total: number }> {
  const matches = matcher(wanted.filters, FIELDS)
  const all = (await catalogOf(registry, wanted.project)).filter(matches)
  const seen = new Set<string>()
  for (const project of new Set(all.map(({ name }) => projectOf(name))))
    if (await visible(project)) seen.add(project)
  const known = all.filter(({ name }) => seen.has(projectOf(name)))
  const blob = blobAskedFor(wanted.filters)
  const holders = blob && (await holdersOf(registry, new Set(known.map((each) => each.projectId)), blob))
  const listed = holders ? known.filter(({ repo }) => holders.has(repo)) : known
  listed.sort(comparator(wanted.sort, FIELDS, NEWEST_FIRST))
  return { repositories: await viewsOf(registry, pageOf(listed, wanted)), total: listed.length }
}

/** @throws NAME_UNKNOWN */
export async function getRepository(registry: Registry, name: string): Promise<RepositoryView> {
  const { repository } = await requireRepository(registry, name)
  const { id, projectId, attributes } = repository
  const createdAtMs = (attributes.createdAtMs as number | undefined) ?? 0
  const [view] = await viewsOf(registry, [{ repo: id, name, projectId, createdAtMs }])
  return view!
}

/** @throws NAME_UNKNOWN; REQUEST_INVALID above 64 KiB */
export async function describeRepository(
  registry: Registry,
  name: string,
  description: string,
): Promise<void> {
  if (Buffer.byteLength(description) > DESCRIPTION_LIMIT_BYTES)
    throw new RegistryError(
      'REQUEST_INVALID',
      `the description has more than ${DESCRIPTION_LIMIT_BYTES} bytes, as many as are kept`,
    )
  const { repository } = await requireRepository(registry, name)
  const attributes = { v: 1, description, updatedAtMs: registry.clock.nowMs() }
  await registry.metadata.batchWrite([
    { kind: 'put', item: { ...keys.repositoryDescription(repository.id), attributes } },
  ])
}

async function catalogOf(registry: Registry, project: string | undefined): Promise<Listed[]> {
  const items: Item[] = []
  for (;;) {
    const after = items.at(-1)?.sk
    const page = await registry.metadata.query({
      pk: partitions.catalog,
      limit: READ_AT_ONCE,
      ...(project === undefined ? {} : { prefix: `${project}/` }),
      ...(after === undefined ? {} : { after }),
    })
    items.push(...page)
    if (items.length > LISTED)
      throw new RegistryError(
        'REQUEST_INVALID',
        `there are more than ${LISTED} repositories, too many to filter or sort them: ask for one project’s`,
      )
    if (page.length < READ_AT_ONCE) break
  }
  const listed = items.map((item): Listed & { complete: boolean } => ({
    repo: text(item, 'id'),
    name: item.sk,
    projectId: text(item, 'projectId'),
    createdAtMs: (item.attributes.createdAtMs as number | undefined) ?? 0,
    complete: item.attributes.createdAtMs !== undefined,
  }))
  // Older listings do not have the time.
  const older = listed.filter((each) => !each.complete)
  for (let at = 0; at < older.length; at += 100) {
    const some = older.slice(at, at + 100)
    const found = await registry.metadata.batchGet(some.map(({ name }) => keys.repository(name)))
    some.forEach((each, index) => {
      each.createdAtMs = (found[index]?.attributes.createdAtMs as number | undefined) ?? 0
    })
  }
  return listed
}

async function viewsOf(registry: Registry, listed: Listed[]): Promise<RepositoryView[]> {
  const counts = await countArtifacts(
    registry,
    listed.map(({ repo }) => repo),
  )
  const views: RepositoryView[] = []
  for (let at = 0; at < listed.length; at += VIEWED_AT_ONCE) {
    const some = listed.slice(at, at + VIEWED_AT_ONCE)
    const items = await registry.metadata.batchGet(
      some.flatMap(({ repo }) => [keys.repositoryDescription(repo), keys.repositoryPulls(repo)]),
    )
    for (const [index, { repo, name, projectId, createdAtMs }] of some.entries()) {
      const described = items[2 * index]?.attributes
      const pulls = pullsIn(items[2 * index + 1])
      views.push({
        id: repositoryNumber(repo),
        repo,
        name,
        projectId,
        description: (described?.description as string | undefined) ?? '',
        artifactCount: counts.get(repo) ?? 0,
        pullCount: pulls.count,
        createdAtMs,
        updatedAtMs: Math.max(
          createdAtMs,
          (described?.updatedAtMs as number | undefined) ?? 0,
          pulls.lastAtMs ?? 0,
        ),
      })
    }
  }
  return views
}
