// Repositories: names mapped to ids that are never reused, so nothing of a deleted one fits its successor.
import { RegistryError } from '../oci/errors.ts'
import { projectOf } from '../oci/reference.ts'
import { keys, partitions } from './keys.ts'
import { pagesOf } from './partitions.ts'
import type { Attributes, Item, Key, MetadataStore, Write } from './ports.ts'
import { requireProject } from './projects.ts'
import { type Actor, type Registry, text } from './registry.ts'

export interface Repository {
  id: string
  name: string
  projectId: string
  projectName: string
  /** In the catalog, which it enters with its first manifest. */
  listed: boolean
  /** It caches one of that registry's, and takes no pushes. */
  registryId?: number
  attributes: Attributes
}

const CACHED_IDS = 10_000
/** Guesses only: every use is checked against the name's item read in the same call. */
const knownIds = new WeakMap<MetadataStore, Map<string, string>>()

/**
 * Reads a repository and items of it in one call where the id is known already, two where not.
 * @param options `stale`: all of it may be as of a moment ago
 * @returns undefined when there is no such repository
 */
export async function readRepository(
  registry: Registry,
  name: string,
  keysOf: (repositoryId: string) => Key[] = () => [],
  options: { stale?: boolean } = {},
): Promise<{ repository: Repository; items: (Item | undefined)[] } | undefined> {
  const ids = idCache(registry.metadata)
  const guess = ids.get(name)
  const [item, ...items] = await registry.metadata.batchGet(
    [keys.repository(name), ...(guess ? keysOf(guess) : [])],
    options,
  )
  const repository = item && repositoryOf(item, name)
  if (!repository) {
    ids.delete(name)
    return undefined
  }
  if (repository.id === guess) return { repository, items }
  if (ids.size >= CACHED_IDS) ids.clear()
  ids.set(name, repository.id)
  const wanted = keysOf(repository.id)
  return { repository, items: wanted.length > 0 ? await registry.metadata.batchGet(wanted, options) : [] }
}

/** @throws NAME_UNKNOWN */
export async function requireRepository(
  registry: Registry,
  name: string,
  keysOf?: (repositoryId: string) => Key[],
): Promise<{ repository: Repository; items: (Item | undefined)[] }> {
  const found = await readRepository(registry, name, keysOf)
  if (!found) throw unknownRepository(name)
  return found
}

export function unknownRepository(name: string): RegistryError {
  return new RegistryError('NAME_UNKNOWN', `repository ${name} does not exist`, { detail: { name } })
}

/**
 * The repository to push to, created when absent.
 * @throws NAME_UNKNOWN when its project does not exist, DENIED when it is a cache
 */
export async function openRepository(registry: Registry, name: string, actor: Actor): Promise<Repository> {
  const found = await readRepository(registry, name)
  const repository = found ? found.repository : await createRepository(registry, name, actor)
  refuseCache(repository)
  return repository
}

/** @throws DENIED, in Harbor's words, when the repository is one of a proxy cache project */
export function refuseCache({ registryId, projectName }: Repository): void {
  if (registryId === undefined) return
  throw new RegistryError(
    'DENIED',
    `can not push artifact to a proxy project: ${projectName}; it fills itself with what is pulled from it`,
  )
}

/** @throws NAME_UNKNOWN when its project does not exist */
export async function createRepository(registry: Registry, name: string, actor: Actor): Promise<Repository> {
  const project = await requireProject(registry, projectOf(name), actor)
  const id = registry.newId()
  const facts = {
    projectId: project.id,
    project: project.name,
    ...(project.registryId === undefined ? {} : { registryId: project.registryId }),
  }
  const made = { createdBy: actor.principal, createdAtMs: registry.clock.nowMs() }
  await registry.metadata.transact([
    {
      kind: 'put',
      if: { kind: 'absent' },
      item: { ...keys.repository(name), attributes: { v: 1, id, ...facts, listed: false, ...made } },
    },
    {
      kind: 'put',
      item: { ...keys.repositoryById(id), attributes: { v: 1, name, ...facts, state: 'live' } },
    },
  ])
  // Ours, or that of a push which was first.
  return (await requireRepository(registry, name)).repository
}

/** The writes that put a repository into the catalog; part of its first manifest's transaction. */
export function listingWrites(repository: Repository): Write[] {
  const { createdAtMs } = repository.attributes
  return [
    {
      kind: 'put',
      if: { kind: 'equals', attributes: { id: repository.id, listed: false } },
      item: { ...keys.repository(repository.name), attributes: { ...repository.attributes, listed: true } },
    },
    {
      kind: 'put',
      item: {
        ...keys.catalog(repository.name),
        attributes: {
          v: 1,
          id: repository.id,
          projectId: repository.projectId,
          ...(typeof createdAtMs === 'number' ? { createdAtMs } : {}),
        },
      },
    },
  ]
}

/** A page of repository names, in byte order of whole names. */
export async function listCatalog(
  registry: Registry,
  page: { after?: string; limit: number },
): Promise<string[]> {
  const items = await registry.metadata.query({ pk: partitions.catalog, ...page })
  return items.map((item) => item.sk)
}

/** All of a project, in byte order of their names. @returns undefined where there are more than `limit` */
export async function repositoriesOf(
  registry: Registry,
  projectName: string,
  limit: number,
): Promise<Repository[] | undefined> {
  const found: Repository[] = []
  for await (const page of pagesOf(registry.metadata, {
    pk: partitions.catalog,
    prefix: `${projectName}/`,
  })) {
    const items = await registry.metadata.batchGet(page.map(({ sk }) => keys.repository(sk)))
    for (const [at, item] of items.entries()) if (item) found.push(repositoryOf(item, page[at]!.sk))
    if (found.length > limit) return undefined
  }
  return found
}

function repositoryOf(item: Item, name: string): Repository {
  return {
    id: text(item, 'id'),
    name,
    projectId: text(item, 'projectId'),
    projectName: text(item, 'project'),
    listed: item.attributes.listed === true,
    ...(typeof item.attributes.registryId === 'number' ? { registryId: item.attributes.registryId } : {}),
    attributes: item.attributes,
  }
}

function idCache(metadata: MetadataStore): Map<string, string> {
  let ids = knownIds.get(metadata)
  if (!ids) {
    ids = new Map()
    knownIds.set(metadata, ids)
  }
  return ids
}
