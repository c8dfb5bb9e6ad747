// What is in a project: counts, quota, and whether it can be deleted.
import { listMembers } from '../../access/members.ts'
import { decideInProject, readStanding } from '../../access/permissions.ts'
import type { Role } from '../../access/roles.ts'
import { anyRepository } from '../../registry/project-changes.ts'
import type { Project } from '../../registry/projects.ts'
import { projectUsage } from '../../registry/usage.ts'
import type { HttpResponse } from '../message.ts'
import { answer } from './answers.ts'
import { type HarborCall, type HarborRoute, requireProject } from './call.ts'
import { repositoryCounts } from './visible-projects.ts'

export const PROJECT_SUMMARY_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/projects/{project}/summary', run: summary },
  { method: 'GET', path: '/projects/{project}/_deletable', run: deletable },
]

async function summary(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'project', 'read')
  const counts = await repositoryCounts(call, [project])
  const standing = await readStanding(call.registry, call.principal, project.name)
  const may = (resource: string, action: string) =>
    decideInProject(call.principal, standing, resource, action).allowed
  return answer(200, {
    repo_count: counts.get(project.name) ?? 0,
    ...(may('member', 'list') ? await memberCounts(call, project) : {}),
    ...(may('quota', 'read') ? { quota: await quotaOf(call, project) } : {}),
  })
}

async function memberCounts({ registry }: HarborCall, project: Project): Promise<Record<string, number>> {
  const members = await listMembers(registry, project)
  const count = (role: Role) => members.filter((member) => member.role === role).length
  return {
    project_admin_count: count('projectAdmin'),
    maintainer_count: count('maintainer'),
    developer_count: count('developer'),
    guest_count: count('guest'),
    limited_guest_count: count('limitedGuest'),
  }
}

/** In bytes; a limit of -1 is none. */
export async function quotaOf({ registry }: HarborCall, project: Project) {
  return {
    hard: { storage: project.quotaBytes },
    used: { storage: await projectUsage(registry, project.id) },
  }
}

async function deletable(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'project', 'delete')
  const message = await whyNotDeletable(call, project)
  return answer(200, message ? { deletable: false, message } : { deletable: true })
}

export async function whyNotDeletable(
  { registry }: HarborCall,
  { name }: Project,
): Promise<string | undefined> {
  const repository = await anyRepository(registry, name)
  return repository && `the project ${name} contains repositories (${repository}, …), can not be deleted`
}
