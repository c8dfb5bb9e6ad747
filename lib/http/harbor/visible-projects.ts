// The projects a caller may see, with the caller's roles in each.

import { memberOf } from '../../access/members.ts'
import { decideInSystem } from '../../access/permissions.ts'
import { ROLES, type Role } from '../../access/roles.ts'
import { findUser } from '../../access/users.ts'
import { keys, partitions } from '../../registry/keys.ts'
import { pagesOf } from '../../registry/partitions.ts'
import { allProjects } from '../../registry/project-changes.ts'
import type { Project } from '../../registry/projects.ts'
import type { HarborCall } from './call.ts'
import type { Row } from './lists.ts'
import { projectView } from './project-view.ts'

export interface VisibleProject {
  project: Project
  row: Row
}

/** Administrators see all; others what is public and where they, or a group of theirs, have a role. */
export async function visibleProjects(call: HarborCall): Promise<VisibleProject[]> {
  const projects = await allProjects(call.registry)
  const roles = await rolesIn(call, projects)
  const all = call.principal.admin || decideInSystem(call.principal, 'project', 'list').allowed
  const seen = projects.filter(
    (project) => all || project.public || roles.has(project.id) || robotIsIn(call, project),
  )
  const counts = await repositoryCounts(call, seen)
  const owners = await ownerNumbers(call, seen)
  return seen.map((project) => ({
    project,
    row: projectView(
      project,
      roles.get(project.id) ?? [],
      counts.get(project.name) ?? 0,
      owners.get(project.owner) ?? 0,
    ),
  }))
}

export async function shownProject(call: HarborCall, project: Project): Promise<Row> {
  const roles = await rolesIn(call, [project])
  const counts = await repositoryCounts(call, [project])
  const owners = await ownerNumbers(call, [project])
  return projectView(
    project,
    roles.get(project.id) ?? [],
    counts.get(project.name) ?? 0,
    owners.get(project.owner) ?? 0,
  )
}

function robotIsIn({ principal }: HarborCall, { name }: Project): boolean {
  return principal.permissions.some(
    ({ kind, namespace }) => kind === 'project' && (namespace === '*' || namespace === name),
  )
}

/** By project id, the highest first. */
async function rolesIn(
  { registry, principal }: HarborCall,
  projects: Project[],
): Promise<Map<string, Role[]>> {
  const held = new Map<string, Role[]>()
  if (principal.kind !== 'user') return held
  const wanted = projects.flatMap((project) => [
    { project, key: keys.member(project.name, 'user', principal.number) },
    ...principal.groups.map((group) => ({ project, key: keys.member(project.name, 'group', group) })),
  ])
  for (let at = 0; at < wanted.length; at += 100) {
    const part = wanted.slice(at, at + 100)
    const items = await registry.metadata.batchGet(part.map(({ key }) => key))
    for (const [index, item] of items.entries()) {
      const { id } = part[index]!.project
      if (item?.attributes.projectId !== id) continue
      const roles = [...(held.get(id) ?? []), memberOf(item).role]
      held.set(id, ROLES.filter((role) => roles.includes(role)).reverse())
    }
  }
  return held
}

/** By project name. */
export async function repositoryCounts(
  { registry }: HarborCall,
  projects: { name: string }[],
): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  const only = projects.length === 1 ? { prefix: `${projects[0]!.name}/` } : {}
  for await (const page of pagesOf(registry.metadata, { pk: partitions.catalog, ...only }))
    for (const { sk } of page) {
      const name = sk.slice(0, sk.indexOf('/'))
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  return counts
}

async function ownerNumbers({ registry }: HarborCall, projects: Project[]): Promise<Map<string, number>> {
  const names = [...new Set(projects.map(({ owner }) => owner))]
  const found = await Promise.all(names.map((name) => findUser(registry, name)))
  return new Map(names.map((name, at) => [name, found[at]?.number ?? 0]))
}
