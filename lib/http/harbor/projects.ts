// Projects: made, found, listed, changed, deleted.
import { addMember } from '../../access/members.ts'
import { decideInSystem } from '../../access/permissions.ts'
import { deleteRobotsOf } from '../../access/robots.ts'
import { RegistryError } from '../../oci/errors.ts'
import { listRegistries, useOfRegistry } from '../../registries/registries.ts'
import { scheduleRetention } from '../../registries/retention-schedule.ts'
import { noted } from '../../registry/audit-log.ts'
import { readConfiguration } from '../../registry/configuration.ts'
import { changeProject, deleteProject, projectUser } from '../../registry/project-changes.ts'
import { createProject, type Project } from '../../registry/projects.ts'
import type { HttpResponse } from '../message.ts'
import { answer, created, done } from './answers.ts'
import { type Fields, flagIn, numberIn, objectIn, readFields, textIn } from './body.ts'
import { type HarborCall, type HarborRoute, refused, requireLogin, requireProject } from './call.ts'
import { listAnswer, type Row } from './lists.ts'
import { allowlistIn, metadataIn } from './project-settings.ts'
import { whyNotDeletable } from './project-summary.ts'
import { shownProject, visibleProjects } from './visible-projects.ts'

export const PROJECT_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/projects', run: list },
  { method: 'HEAD', path: '/projects', run: head },
  { method: 'POST', path: '/projects', run: create },
  { method: 'GET', path: '/projects/{project}', run: show },
  { method: 'PUT', path: '/projects/{project}', run: change },
  { method: 'DELETE', path: '/projects/{project}', run: remove },
]

async function list(call: HarborCall): Promise<HttpResponse> {
  const { query } = call.request
  const [name, isPublic, owner] = ['name', 'public', 'owner'].map((each) => query.get(each) || undefined)
  const visible = await visibleProjects(call)
  const kept = visible.filter(
    ({ project }) =>
      (name === undefined || project.name.includes(name)) &&
      (isPublic === undefined || project.public === (isPublic === 'true' || isPublic === '1')) &&
      (owner === undefined || project.owner === owner),
  )
  const rows = kept.map(({ project, row }) => ({ ...row, public: project.public }))
  return listAnswer(call.request, rows, { owner: 'owner_name' }, withoutPublic)
}

/** `q=public=true` filters by it, but the row itself has it in its metadata. */
function withoutPublic({ public: _, ...row }: Row): Row {
  return row
}

/** Whether a name is taken, for who fills in the form of a new project. */
async function head(call: HarborCall): Promise<HttpResponse> {
  requireLogin(call)
  const name = call.request.query.get('project_name') ?? ''
  const taken = (await visibleProjects(call)).some(({ project }) => project.name === name)
  if (!taken) throw new RegistryError('NOT_FOUND', `project ${name.slice(0, 255)} not found`)
  return done()
}

async function create(call: HarborCall): Promise<HttpResponse> {
  requireLogin(call)
  await requireMayCreate(call)
  const fields = await readFields(call.request)
  const { public: isPublic, ...metadata } = metadataIn(objectIn(fields, 'metadata'))
  const settings = await readConfiguration(call.registry)
  const allowlist = allowlistIn(fields)
  const asked = quotaIn(fields)
  const name = textIn(fields, 'project_name', 255)
  const registryId = numberIn(fields, 'registry_id') || undefined
  if (registryId !== undefined && !call.principal.admin)
    throw new RegistryError('DENIED', 'Only system admin can create proxy cache project')
  if (registryId !== undefined) await requireUpstream(call, registryId)
  const project = await createProject(
    call.registry,
    name,
    {
      public: isPublic === undefined ? (flagIn(fields, 'public') ?? false) : isPublic === 'true',
      metadata,
      // Only administrators choose the quota; others get that of the configuration.
      quotaBytes: call.principal.admin
        ? (asked ?? settings.storage_per_project)
        : settings.storage_per_project,
      ...(allowlist ? { allowlist } : {}),
      ...(registryId === undefined ? {} : { registryId }),
    },
    call.actor,
    async (id) =>
      registryId === undefined
        ? []
        : (await useOfRegistry(call.registry, registryId, projectUser(id))).writes,
  )
  if (registryId !== undefined) await scheduleRetention(call.registry)
  const { principal } = call
  if (principal.kind === 'user')
    await addMember(call.registry, project, {
      kind: 'user',
      entity: principal.number,
      name: principal.name,
      role: 'projectAdmin',
    })
  await noted(call, { operation: 'create', resourceType: 'project', resource: name, projectId: project.id })
  const inLocation = call.request.headers['x-resource-name-in-location']?.toLowerCase() === 'true'
  return created(`/projects/${inLocation ? name : project.number}`)
}

/** @throws REQUEST_INVALID */
async function requireUpstream({ registry }: HarborCall, id: number): Promise<void> {
  const found = (await listRegistries(registry)).some((each) => each.id === id)
  if (!found) throw new RegistryError('REQUEST_INVALID', `registry ${id} not found`)
}

async function requireMayCreate(call: HarborCall): Promise<void> {
  const { principal, registry } = call
  if (principal.admin || decideInSystem(principal, 'project', 'create').allowed) return
  const { project_creation_restriction: restriction } = await readConfiguration(registry)
  if (principal.kind === 'robot') throw refused(call, 'the robot was not given project:create')
  if (restriction === 'adminonly') throw new RegistryError('DENIED', 'Only system admin can create project')
}

function quotaIn(fields: Fields): number | undefined {
  const limit = numberIn(fields, 'storage_limit')
  if (limit === undefined || limit > 0 || limit === -1) return limit
  if (limit === 0) return undefined
  throw new RegistryError(
    'REQUEST_INVALID',
    `storage_limit is a number of bytes, or -1 for none, not ${limit}`,
  )
}

async function show(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'project', 'read')
  return answer(200, await shownProject(call, project))
}

async function change(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'project', 'update')
  const fields = await readFields(call.request)
  const { public: isPublic, ...metadata } = metadataIn(objectIn(fields, 'metadata'))
  const allowlist = allowlistIn(fields)
  await changeProject(call.registry, project, (before: Project) => ({
    metadata: { ...before.metadata, ...metadata },
    ...(isPublic === undefined ? {} : { public: isPublic === 'true' }),
    ...(allowlist ? { allowlist } : {}),
  }))
  if (project.registryId !== undefined) await scheduleRetention(call.registry)
  await noted(call, {
    operation: 'update',
    resourceType: 'project',
    resource: project.name,
    projectId: project.id,
  })
  return done()
}

async function remove(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'project', 'delete')
  const why = await whyNotDeletable(call, project)
  if (why) throw new RegistryError('PRECONDITION', why)
  await deleteProject(call.registry, project, call.actor)
  await deleteRobotsOf(call.registry, project.id)
  await noted(call, {
    operation: 'delete',
    resourceType: 'project',
    resource: project.name,
    projectId: project.id,
  })
  return done()
}
