// Changing and deleting projects.
import { RegistryError } from '../oci/errors.ts'
import { changeItem } from './change-item.ts'
import { keys, partitions } from './keys.ts'
import { pagesOf } from './partitions.ts'
import type { Attributes, Json, Write } from './ports.ts'
import { findProject, type Project, projectIn } from './projects.ts'
import { forgetRecent } from './recent-items.ts'
import type { Actor, Registry } from './registry.ts'

export type ProjectChange = Partial<
  Pick<
    Project,
    | 'public'
    | 'allowMissingChildren'
    | 'keepUntagged'
    | 'metadata'
    | 'quotaBytes'
    | 'allowlist'
    | 'immutableRules'
    | 'scannerId'
  >
>

/**
 * @param change what is to be other than it was; called again when somebody else was faster
 * @throws NAME_UNKNOWN when the project is gone
 */
export async function changeProject(
  registry: Registry,
  { name, id, number }: Project,
  change: (before: Project) => ProjectChange,
): Promise<Project> {
  const asWas = (attributes: Attributes) => projectIn({ ...keys.project(name), attributes }, name)
  const item = await changeItem(
    registry,
    keys.project(name),
    (before) =>
      before.id === id
        ? {
            ...before,
            ...(change(asWas(before)) as unknown as Attributes),
            updatedAtMs: registry.clock.nowMs(),
          }
        : undefined,
    (after) => [
      {
        kind: 'put',
        item: { ...keys.projectListing(name), attributes: { v: 1, id, public: after.public as Json } },
      },
    ],
  )
  forgetRecent(registry.metadata, keys.project(name))
  if (item?.attributes.id !== id)
    throw new RegistryError('NAME_UNKNOWN', `project ${name} (${number}) does not exist any more`)
  return projectIn(item, name)
}

/** @returns a repository that keeps the project from being deleted */
export async function anyRepository(registry: Registry, projectName: string): Promise<string | undefined> {
  const [first] = await registry.metadata.query({
    pk: partitions.catalog,
    prefix: `${projectName}/`,
    limit: 1,
  })
  return first?.sk
}

/**
 * Deletes a project without repositories. A later one of its name has none of its members, and no token fits it.
 * @throws PRECONDITION while it has repositories
 */
export async function deleteProject(registry: Registry, project: Project, actor: Actor): Promise<void> {
  const { name, id, number } = project
  await refuseUsed(registry, name)
  const item = await registry.metadata.get(keys.project(name))
  if (item?.attributes.id !== id)
    throw new RegistryError('NAME_UNKNOWN', `project ${name} does not exist any more`)
  const { gen } = item.attributes as { gen: string }
  const use =
    project.registryId === undefined ? undefined : keys.remoteRegistryUse(project.registryId, projectUser(id))
  const tombstone: Attributes = {
    v: 1,
    ...(item.attributes as Attributes),
    deletedBy: actor.principal,
    deletedAtMs: registry.clock.nowMs(),
    requestId: actor.requestId,
  }
  const writes: Write[] = [
    { kind: 'delete', key: keys.project(name), if: { kind: 'equals', attributes: { gen } } },
    { kind: 'delete', key: keys.projectListing(name) },
    { kind: 'delete', key: keys.projectNumber(number) },
    { kind: 'put', item: { ...keys.deletedProject(name, id), attributes: tombstone } },
    ...(use ? [{ kind: 'delete' as const, key: use }] : []),
  ]
  if (!(await registry.metadata.transact(writes)).ok)
    throw new RegistryError('CONFLICT', `project ${name} is being changed by somebody else: try again`)
  // A push that began before may have made a repository in between: then the project was in use, and is put back.
  if (await anyRepository(registry, name)) {
    await registry.metadata.transact([
      { kind: 'put', if: { kind: 'absent' }, item },
      {
        kind: 'put',
        item: { ...keys.projectListing(name), attributes: { v: 1, id, public: project.public } },
      },
      { kind: 'put', item: { ...keys.projectNumber(number), attributes: { v: 1, id, name } } },
      { kind: 'delete', key: keys.deletedProject(name, id) },
      ...(use ? [{ kind: 'put' as const, item: { ...use, attributes: { v: 1 } } }] : []),
    ])
    await refuseUsed(registry, name)
  }
  forgetRecent(registry.metadata, keys.project(name))
  await registry.metadata.batchWrite([{ kind: 'delete', key: keys.projectTrust(name) }])
  for (const pk of [partitions.webhookPolicies(id), partitions.webhookNames(id)])
    for await (const page of pagesOf(registry.metadata, { pk }))
      await registry.metadata.batchWrite(page.map(({ sk }) => ({ kind: 'delete', key: { pk, sk } })))
  for await (const page of pagesOf(registry.metadata, { pk: partitions.members(name) }))
    await registry.metadata.batchWrite(
      page
        .filter((each) => each.attributes.projectId === id)
        .map(({ pk, sk }) => ({ kind: 'delete', key: { pk, sk } })),
    )
}

/** What a proxy cache project is called among the users of its registry. */
export function projectUser(id: string): string {
  return `project:${id}`
}

async function refuseUsed(registry: Registry, name: string): Promise<void> {
  const repository = await anyRepository(registry, name)
  if (repository)
    throw new RegistryError(
      'PRECONDITION',
      `the project ${name} contains repositories (${repository}, …), can not be deleted`,
    )
}

/** Every project, in byte order of their names. */
export async function allProjects(registry: Registry): Promise<Project[]> {
  const projects: Project[] = []
  for await (const page of pagesOf(registry.metadata, { pk: partitions.projects })) {
    const items = await registry.metadata.batchGet(page.map(({ sk }) => keys.project(sk)))
    for (const [at, item] of items.entries()) if (item) projects.push(projectIn(item, page[at]!.sk))
  }
  return projects
}

/** @throws NOT_FOUND */
export async function requireProjectNumber(registry: Registry, given: number): Promise<Project> {
  const item = await registry.metadata.get(keys.projectNumber(given))
  const project = item && (await findProject(registry, String(item.attributes.name)))
  if (!project) throw new RegistryError('NOT_FOUND', `project ${given} not found`)
  return project
}
