// Projects: the first component of every repository name, and who may see it.
import { RegistryError } from '../oci/errors.ts'
import type { ImmutableRule } from './immutable-tags.ts'
import { keys, partitions } from './keys.ts'
import { nextNumber } from './numbers.ts'
import type { NoticeType } from './outbox.ts'
import type { Attributes, Item, Write } from './ports.ts'
import { type Actor, number, type Registry, SYSTEM, text } from './registry.ts'

export interface Project {
  id: string
  /** As Harbor's API knows it: the first is 1. */
  number: number
  name: string
  public: boolean
  /** Login name of who made it. */
  owner: string
  createdAtMs: number
  updatedAtMs: number
  /** Settings under Harbor's names, as text; `public` is not among them. */
  metadata: Record<string, string>
  /** -1: no limit. */
  quotaBytes: number
  /** Vulnerabilities that keep nobody from pulling. */
  allowlist?: Allowlist
  /** Accept an index whose manifests are not (yet) in the repository. */
  allowMissingChildren: boolean
  /** Never expire untagged manifests. */
  keepUntagged: boolean
  /** Events that are told only where somebody asked for them. */
  notices?: NoticeType[]
  /** It is a cache of that registry, which nobody pushes to; fixed for its life. */
  registryId?: number
  /** Its own scanner's id, where it has another than the default. */
  scannerId?: string
  /** Which tags may not move or go. Kept here because pushes read the project anyway; absent where there are none. */
  immutableRules?: ImmutableRule[]
}

export interface Allowlist {
  cves: string[]
  expiresAtSeconds?: number
}

export type ProjectSettings = Partial<
  Pick<
    Project,
    | 'public'
    | 'allowMissingChildren'
    | 'keepUntagged'
    | 'metadata'
    | 'quotaBytes'
    | 'allowlist'
    | 'registryId'
  >
>

/** Others may change meanwhile what a new project uses. */
const ATTEMPTS = 20
const PROJECT_NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/

export async function findProject(registry: Registry, name: string): Promise<Project | undefined> {
  const item = await registry.metadata.get(keys.project(name))
  return item && projectIn(item, name)
}

/**
 * @param also writes of the same transaction, by the project's id; asked again when a condition of theirs does not hold
 * @throws NAME_INVALID; CONFLICT when the project exists; UNAVAILABLE when the conditions never hold
 */
export async function createProject(
  registry: Registry,
  name: string,
  settings: ProjectSettings = {},
  actor: Actor = SYSTEM,
  also: (id: string) => Promise<Write[]> = async () => [],
): Promise<Project> {
  if (!PROJECT_NAME.test(name) || name.length > 255)
    throw new RegistryError(
      'NAME_INVALID',
      `invalid project name ${JSON.stringify(name)}: lowercase letters, digits and single separators . _ __ - between them`,
    )
  if (await findProject(registry, name)) throw exists(name)
  const now = registry.clock.nowMs()
  const project: Project = {
    id: registry.newId(),
    number: await nextNumber(registry, 'project'),
    name,
    owner: actor.principal,
    createdAtMs: now,
    updatedAtMs: now,
    metadata: settings.metadata ?? {},
    quotaBytes: settings.quotaBytes ?? -1,
    public: settings.public ?? false,
    allowMissingChildren: settings.allowMissingChildren ?? false,
    keepUntagged: settings.keepUntagged ?? false,
    ...(settings.allowlist ? { allowlist: settings.allowlist } : {}),
    ...(settings.registryId === undefined ? {} : { registryId: settings.registryId }),
  }
  const { name: _, ...attributes } = project
  const writes: Write[] = [
    {
      kind: 'put',
      if: { kind: 'absent' },
      item: {
        ...keys.project(name),
        attributes: { v: 1, gen: registry.newId(), ...(attributes as unknown as Attributes) },
      },
    },
    {
      kind: 'put',
      item: { ...keys.projectListing(name), attributes: { v: 1, id: project.id, public: project.public } },
    },
    {
      kind: 'put',
      item: { ...keys.projectNumber(project.number), attributes: { v: 1, id: project.id, name } },
    },
  ]
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const outcome = await registry.metadata.transact([...writes, ...(await also(project.id))])
    if (outcome.ok) return project
    if (outcome.failed.some((index) => index < writes.length)) throw exists(name)
  }
  throw new RegistryError('UNAVAILABLE', 'too many change what the project uses at once: try again')
}

function exists(name: string): RegistryError {
  return new RegistryError('CONFLICT', `project ${name} exists already`)
}

/** @throws NAME_UNKNOWN saying how to create it */
export async function requireProject(registry: Registry, name: string, actor: Actor): Promise<Project> {
  const found = await findProject(registry, name)
  if (found) return found
  if (!registry.settings.createProjectsOnPush)
    throw new RegistryError(
      'NAME_UNKNOWN',
      `project ${name} does not exist; an administrator creates it with: entrepot project create ${name}`,
      { detail: { project: name } },
    )
  try {
    return await createProject(registry, name, { public: true }, actor)
  } catch (error) {
    const other = await findProject(registry, name) // another push was first
    if (other) return other
    throw error
  }
}

/** A page of project names in byte order, each with its visibility. */
export async function listProjects(
  registry: Registry,
  page: { after?: string; limit: number },
): Promise<{ name: string; id: string; public: boolean }[]> {
  const items = await registry.metadata.query({ pk: partitions.projects, ...page })
  return items.map((item) => ({
    name: item.sk,
    id: text(item, 'id'),
    public: item.attributes.public === true,
  }))
}

export function projectIn(item: Item, name: string): Project {
  return {
    id: text(item, 'id'),
    number: number(item, 'number'),
    owner: text(item, 'owner'),
    createdAtMs: number(item, 'createdAtMs'),
    updatedAtMs: number(item, 'updatedAtMs'),
    metadata: (item.attributes.metadata ?? {}) as Record<string, string>,
    quotaBytes: number(item, 'quotaBytes'),
    ...(item.attributes.allowlist ? { allowlist: item.attributes.allowlist as unknown as Allowlist } : {}),
    name,
    public: item.attributes.public === true,
    allowMissingChildren: item.attributes.allowMissingChildren === true,
    keepUntagged: item.attributes.keepUntagged === true,
    ...(item.attributes.notices ? { notices: item.attributes.notices as NoticeType[] } : {}),
    ...(typeof item.attributes.registryId === 'number' ? { registryId: item.attributes.registryId } : {}),
    ...(typeof item.attributes.scannerId === 'string' ? { scannerId: item.attributes.scannerId } : {}),
    ...(item.attributes.immutableRules
      ? { immutableRules: item.attributes.immutableRules as unknown as ImmutableRule[] }
      : {}),
  }
}
