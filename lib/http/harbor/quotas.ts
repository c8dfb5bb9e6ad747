// Quotas: one for each project, under the project's number.
import { RegistryError } from '../../oci/errors.ts'
import { noted } from '../../registry/audit-log.ts'
import { allProjects, changeProject, requireProjectNumber } from '../../registry/project-changes.ts'
import type { Project } from '../../registry/projects.ts'
import type { HttpResponse } from '../message.ts'
import { answer, done, time } from './answers.ts'
import { numberIn, objectIn, readFields } from './body.ts'
import { type HarborCall, type HarborRoute, requireSystem } from './call.ts'
import { listAnswer, type Row } from './lists.ts'
import { quotaOf } from './project-summary.ts'

export const QUOTA_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/quotas', run: list },
  { method: 'GET', path: '/quotas/{number}', run: show },
  { method: 'PUT', path: '/quotas/{number}', run: change },
]

async function list(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'quota', 'list')
  const { query } = call.request
  const [kind, of] = [query.get('reference'), query.get('reference_id')]
  const projects = await allProjects(call.registry)
  const kept = projects.filter(
    ({ number }) => (!kind || kind === 'project') && (!of || String(number) === of),
  )
  const rows = await Promise.all(kept.map((project) => view(call, project)))
  return listAnswer(
    call.request,
    rows,
    { 'hard.storage': 'hard_storage', 'used.storage': 'used_storage' },
    shown,
  )
}

async function view(call: HarborCall, project: Project): Promise<Row> {
  const { hard, used } = await quotaOf(call, project)
  return {
    id: project.number,
    ref: { id: project.number, name: project.name, owner_name: project.owner },
    hard,
    used,
    creation_time: time(project.createdAtMs),
    update_time: time(project.updatedAtMs),
    hard_storage: hard.storage,
    used_storage: used.storage,
  }
}

/** Without what it is only sorted by. */
function shown({ hard_storage: _, used_storage: __, ...quota }: Row): Row {
  return quota
}

async function show(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'quota', 'read')
  return answer(200, shown(await view(call, await quotaProject(call))))
}

async function change(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'quota', 'update')
  const project = await quotaProject(call)
  const storage = numberIn(objectIn(await readFields(call.request), 'hard'), 'storage')
  if (storage === undefined || (storage < 1 && storage !== -1))
    throw new RegistryError(
      'REQUEST_INVALID',
      'hard.storage is a number of bytes above 0, or -1 for no limit',
    )
  await changeProject(call.registry, project, () => ({ quotaBytes: storage }))
  await noted(call, {
    operation: 'update',
    resourceType: 'quota',
    resource: project.name,
    projectId: project.id,
  })
  return done()
}

/** @throws NOT_FOUND */
async function quotaProject({ registry, params }: HarborCall): Promise<Project> {
  const number = Number(params.number)
  if (!Number.isSafeInteger(number)) throw new RegistryError('NOT_FOUND', `quota ${params.number} not found`)
  return requireProjectNumber(registry, number)
}
