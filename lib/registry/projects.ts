// Projects: the first component of every repository name, and who may see it.
import { RegistryError } from '../oci/errors.ts'
import { keys, partitions } from './keys.ts'
import type { Item, Write } from './ports.ts'
import { type Actor, type Registry, SYSTEM, text } from './registry.ts'

export interface Project {
  id: string
  name: string
  public: boolean
  /** Accept an index whose manifests are not (yet) in the repository. */
  allowMissingChildren: boolean
  /** Never expire untagged manifests. */
  keepUntagged: boolean
}

export type ProjectSettings = Partial<Omit<Project, 'id' | 'name'>>

const PROJECT_NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/

export async function findProject(registry: Registry, name: string): Promise<Project | undefined> {
  const item = await registry.metadata.get(keys.project(name))
  return item && projectOf(item, name)
}

/** @throws NAME_INVALID; REQUEST_INVALID (409) when the project exists */
export async function createProject(
  registry: Registry,
  name: string,
  settings: ProjectSettings = {},
  actor: Actor = SYSTEM,
): Promise<Project> {
  if (!PROJECT_NAME.test(name) || name.length > 255)
    throw new RegistryError(
      'NAME_INVALID',
      `invalid project name ${JSON.stringify(name)}: lowercase letters, digits and single separators . _ __ - between them`,
    )
  const project: Project = {
    id: registry.newId(),
    name,
    public: settings.public ?? false,
    allowMissingChildren: settings.allowMissingChildren ?? false,
    keepUntagged: settings.keepUntagged ?? false,
  }
  const { name: _, ...attributes } = project
  const writes: Write[] = [
    {
      kind: 'put',
      if: { kind: 'absent' },
      item: {
        ...keys.project(name),
        attributes: { v: 1, ...attributes, createdBy: actor.principal, createdAtMs: registry.clock.nowMs() },
      },
    },
    {
      kind: 'put',
      item: { ...keys.projectListing(name), attributes: { v: 1, id: project.id, public: project.public } },
    },
  ]
  const outcome = await registry.metadata.transact(writes)
  if (!outcome.ok)
    throw new RegistryError('REQUEST_INVALID', `project ${name} exists already`, { status: 409 })
  return project
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

function projectOf(item: Item, name: string): Project {
  return {
    id: text(item, 'id'),
    name,
    public: item.attributes.public === true,
    allowMissingChildren: item.attributes.allowMissingChildren === true,
    keepUntagged: item.attributes.keepUntagged === true,
  }
}
