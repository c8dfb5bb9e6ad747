// Projects: visibility, metadata, quota, allowlist, and the registry that a proxy cache project stands for.
import { RegistryError } from '../oci/errors.ts'
import { useOfRegistry } from '../registries/registries.ts'
import { scheduleRetention } from '../registries/retention-schedule.ts'
import { changeProject, projectUser } from '../registry/project-changes.ts'
import { checkedMetadata } from '../registry/project-metadata.ts'
import { type Allowlist, createProject, findProject, type Project } from '../registry/projects.ts'
import { allowlistDifferences, allowlistIn } from './allowlist.ts'
import { type Fields, numberIn, objectIn, textIn } from './fields.ts'
import type { Import } from './import.ts'
import { differing, part, settle } from './outcome.ts'
import type { Registries } from './registries.ts'

export interface SourceProject {
  /** Its number there. */
  number: number
  name: string
  public: boolean
  metadata: Record<string, string>
  /** -1: no limit; undefined where that was not told. */
  quotaBytes: number | undefined
  allowlist: Allowlist | undefined
  /** Number there of the registry it caches. */
  registry: number | undefined
  /** Number there of its retention policy. */
  retention: number | undefined
}

/** A project there, and what it is here; undefined while it is not. */
export interface Both {
  there: SourceProject
  here: Project | undefined
}

/** Kept apart from the others. */
const NO_METADATA = ['public', 'retention_id']

/** In byte order of their names. @throws HarborApiError */
export async function readProjects(context: Import): Promise<SourceProject[]> {
  const rows = await context.source.all('/projects')
  const quotas = new Map<number, number>()
  await part(context, 'quotas', 'all', async () => {
    for (const row of await context.source.all('/quotas', { reference: 'project' })) {
      const bytes = numberIn(objectIn(row, 'hard'), 'storage')
      if (bytes !== undefined) quotas.set(numberIn(objectIn(row, 'ref'), 'id') ?? 0, bytes)
    }
  })
  const projects = rows.flatMap((row) => projectIn(context, row, quotas) ?? [])
  return projects.sort((one, other) => (one.name < other.name ? -1 : 1))
}

function projectIn(context: Import, row: Fields, quotas: Map<number, number>): SourceProject | undefined {
  const [number, name] = [numberIn(row, 'project_id') ?? 0, textIn(row, 'name')]
  if (number <= 0 || name === '') return undefined
  const texts = objectIn(row, 'metadata')
  return {
    number,
    name,
    public: textIn(texts, 'public').toLowerCase() === 'true',
    metadata: metadataIn(context, name, texts),
    quotaBytes: quotas.get(number),
    allowlist: allowlistIn(objectIn(row, 'cve_allowlist')),
    registry: numberIn(row, 'registry_id') || undefined,
    retention: numberIn(texts, 'retention_id') || undefined,
  }
}

function metadataIn({ only, report }: Import, project: string, texts: Fields): Record<string, string> {
  const metadata: Record<string, string> = {}
  for (const [name, value] of Object.entries(texts)) {
    if (NO_METADATA.includes(name) || typeof value !== 'string') continue
    try {
      metadata[name] = checkedMetadata(name, value)
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error
      if (!only || only.includes(project))
        report({ kind: 'metadata', name: `${project} ${name}`, state: 'failed', why: error.message })
    }
  }
  return metadata
}

/** @returns the project here, undefined when it is not here */
export async function bringProject(
  context: Import,
  there: SourceProject,
  registries: Registries,
): Promise<Project | undefined> {
  const { registry, actor } = context
  const before = await findProject(registry, there.name)
  const cached = there.registry === undefined ? undefined : registries.get(there.registry)
  const settings = {
    public: there.public,
    ...(there.quotaBytes === undefined ? {} : { quotaBytes: there.quotaBytes }),
    ...(there.allowlist ? { allowlist: there.allowlist } : {}),
  }
  const isOther = before !== undefined && before.registryId !== cached?.id
  await settle(context, {
    kind: 'project',
    name: there.name,
    differences: before && [...(isOther ? [cacheDifference(there)] : []), ...differences(there, before)],
    create: async () => {
      if (there.registry !== undefined && !cached)
        throw new RegistryError('REQUEST_INVALID', 'the registry that it caches was not brought')
      await createProject(
        registry,
        there.name,
        { ...settings, metadata: there.metadata, ...(cached ? { registryId: cached.id } : {}) },
        actor,
        async (id) => (cached ? (await useOfRegistry(registry, cached.id, projectUser(id))).writes : []),
      )
      if (cached) await scheduleRetention(registry)
    },
    ...(before && !isOther
      ? {
          change: () =>
            changeProject(registry, before, ({ metadata }) => ({
              ...settings,
              metadata: { ...metadata, ...there.metadata },
            })),
        }
      : {}),
    deed: () => ({
      resourceType: 'project',
      resource: there.name,
      ...(before ? { projectId: before.id } : {}),
    }),
  })
  return context.writes ? findProject(registry, there.name) : before
}

function cacheDifference({ registry }: SourceProject): string {
  return registry === undefined
    ? 'it caches a registry here and none there'
    : 'it caches another registry there, which is fixed for the life of a project'
}

function differences(there: SourceProject, here: Project): string[] {
  const metadata = Object.entries(there.metadata).flatMap(([name, value]) =>
    differing(name, value, here.metadata[name]),
  )
  return [
    ...differing('public', there.public, here.public),
    ...(there.quotaBytes === undefined ? [] : differing('the quota', there.quotaBytes, here.quotaBytes)),
    ...metadata,
    ...(there.allowlist ? allowlistDifferences(there.allowlist, here.allowlist) : []),
  ]
}
