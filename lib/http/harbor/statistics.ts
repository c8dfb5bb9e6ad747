// How much there is, of what the caller may see.
import { projectUsage } from '../../registry/usage.ts'
import type { HttpResponse } from '../message.ts'
import { answer } from './answers.ts'
import { type HarborCall, type HarborRoute, requireLogin } from './call.ts'
import { visibleProjects } from './visible-projects.ts'

export const STATISTICS_ROUTES: HarborRoute[] = [{ method: 'GET', path: '/statistics', run: statistics }]

async function statistics(call: HarborCall): Promise<HttpResponse> {
  requireLogin(call)
  const visible = await visibleProjects(call)
  const count = (isPublic: boolean) => visible.filter(({ project }) => project.public === isPublic)
  const repositories = (rows: typeof visible) =>
    rows.reduce((sum, { row }) => sum + Number(row.repo_count), 0)
  const { admin } = call.principal
  const usages = admin
    ? await Promise.all(visible.map(({ project }) => projectUsage(call.registry, project.id)))
    : []
  return answer(200, {
    private_project_count: count(false).length,
    private_repo_count: repositories(count(false)),
    public_project_count: count(true).length,
    public_repo_count: repositories(count(true)),
    total_project_count: admin ? visible.length : 0,
    total_repo_count: admin ? repositories(visible) : 0,
    total_storage_consumption: usages.reduce((sum, bytes) => sum + bytes, 0),
  })
}
