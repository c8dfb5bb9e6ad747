// An import: what one run of it works with, and the order of its parts.

import type { Upstreams } from '../registries/upstreams.ts'
import type { Actor, Registry } from '../registry/registry.ts'
import { bringAllowlist } from './allowlist.ts'
import type { HarborApi } from './harbor-api.ts'
import { bringImmutableRules } from './immutable-rules.ts'
import { bringLabels } from './labels.ts'
import { bringMembers } from './members.ts'
import { type Outcome, part } from './outcome.ts'
import { readPeople } from './people.ts'
import { bringProject, readProjects, type SourceProject } from './projects.ts'
import { bringRegistries, type Registries } from './registries.ts'
import { bringReplicationRules } from './replication-rules.ts'
import { noteRetention } from './retention.ts'
import { bringProjectRobots, bringSystemRobots } from './robots.ts'
import { bringWebhooks } from './webhooks.ts'

export interface Import {
  registry: Registry
  upstreams: Upstreams
  /** Who has it done, for history and audit log. */
  actor: Actor
  /** `https://registry.example.com`: how clients reach this registry; empty where nobody knows. */
  origin: string
  source: HarborApi
  /** Off: it is only told what would be done. */
  writes: boolean
  /** Change what is here and differs. */
  overwrite: boolean
  /** Make the users that are members there and nobody here. */
  createUsers: boolean
  /** Webhooks and replication rules come as enabled as they are there; otherwise disabled. */
  enableRules: boolean
  /** Names; undefined for everything, also what belongs to no project. */
  only: readonly string[] | undefined
  report(outcome: Outcome): void
  /** A secret that was made just now, and is never told again. */
  secret(kind: 'robot' | 'user', login: string, secret: string): void
}

/** Everything but the content. @returns the projects whose content belongs here. @throws HarborApiError when there are none to be read */
export async function bringSettings(context: Import): Promise<SourceProject[]> {
  const projects = await chosenProjects(context)
  const registries = await knownRegistries(context, projects)
  const people = await readPeople(context, projects)
  const whole = context.only === undefined
  if (whole) await part(context, 'labels', 'global', () => bringLabels(context, undefined))
  if (whole) await part(context, 'allowlist', 'system', () => bringAllowlist(context))
  for (const project of projects) await bringOne(context, project, registries, people)
  if (whole) await part(context, 'robots', 'system', () => bringSystemRobots(context))
  if (whole) await part(context, 'replication rules', 'all', () => bringReplicationRules(context, registries))
  return projects.filter(({ registry }) => registry === undefined)
}

async function bringOne(
  context: Import,
  project: SourceProject,
  registries: Registries,
  people: Awaited<ReturnType<typeof readPeople>>,
): Promise<void> {
  const here = await bringProject(context, project, registries)
  if (!here && context.writes) return
  const { name } = project
  await part(context, 'labels', name, () => bringLabels(context, { there: project, here }))
  await part(context, 'members', name, () => bringMembers(context, { there: project, here }, people))
  await part(context, 'robots', name, () => bringProjectRobots(context, { there: project, here }))
  await part(context, 'immutable rules', name, () => bringImmutableRules(context, { there: project, here }))
  await part(context, 'webhooks', name, () => bringWebhooks(context, { there: project, here }))
  await part(context, 'retention', name, () => noteRetention(context, project))
}

async function chosenProjects(context: Import): Promise<SourceProject[]> {
  const all = await readProjects(context)
  const { only } = context
  for (const name of only ?? [])
    if (!all.some((project) => project.name === name))
      context.report({ kind: 'project', name, state: 'failed', why: 'there is no such project there' })
  return only ? all.filter(({ name }) => only.includes(name)) : all
}

/** All of them, or those that the projects cache. */
async function knownRegistries(context: Import, projects: SourceProject[]): Promise<Registries> {
  const found: Registries = new Map()
  const needed = new Set(projects.flatMap(({ registry }) => registry ?? []))
  if (context.only === undefined || needed.size > 0)
    await part(context, 'registries', 'all', async () => {
      await bringRegistries(context, found, context.only && needed)
    })
  return found
}
