// Robots: of a project, managed by whoever administers it; and of the whole registry.
import { isWithin } from '../../access/robot-scope.ts'
import {
  changeRobot,
  createRobot,
  deleteRobot,
  listRobots,
  type Robot,
  refreshSecret,
  requireRobot,
} from '../../access/robots.ts'
import { RegistryError } from '../../oci/errors.ts'
import { type Deed, noted } from '../../registry/audit-log.ts'
import { readConfiguration } from '../../registry/configuration.ts'
import type { Project } from '../../registry/projects.ts'
import type { HttpResponse } from '../message.ts'
import { answer, created, done, time } from './answers.ts'
import { flagIn, numberIn, readFields, textIn } from './body.ts'
import {
  type HarborCall,
  type HarborRoute,
  mayInProject,
  refused,
  requireLogin,
  requireProject,
  requireProjectNamed,
  requireSystem,
} from './call.ts'
import { listAnswer, type Row } from './lists.ts'
import { numberOf } from './number-in-path.ts'
import { type Filter, parseQuery } from './query.ts'
import { levelIn, permissionsIn, robotRow } from './robot-fields.ts'
import { byDefault } from './users.ts'

export const ROBOT_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/robots', run: list },
  { method: 'POST', path: '/robots', run: create },
  { method: 'GET', path: '/robots/{robot}', run: show },
  { method: 'PUT', path: '/robots/{robot}', run: update },
  { method: 'PATCH', path: '/robots/{robot}', run: refresh },
  { method: 'DELETE', path: '/robots/{robot}', run: remove },
]

/** System robots, or with `q=Level=project,ProjectID=<number>` those of that project. */
async function list(call: HarborCall): Promise<HttpResponse> {
  requireLogin(call)
  const project = await projectAsked(call, parseQuery(call.request.query.get('q')))
  const robots = (await listRobots(call.registry)).filter((robot) => robot.project?.id === project?.id)
  const { robot_name_prefix: prefix } = await readConfiguration(call.registry)
  const rows = await Promise.all(
    robots.map(async (robot) => ({
      ...(await robotRow(call.registry, robot, prefix)),
      project_id: project?.number ?? 0,
      // Clients cut the prefix off before they look for a name, and look for it with the prefix as well.
      names: [robot.name, `${prefix}${robot.name}`],
    })),
  )
  return listAnswer(byDefault(call.request, 'name'), rows, { name: 'names' }, asShown)
}

/** Without what can only be asked for. */
function asShown({ project_id: _, names: __, ...row }: Row): Row {
  return row
}

async function projectAsked(call: HarborCall, filters: Filter[]): Promise<Project | undefined> {
  const exactly = (wanted: string) => {
    const term = filters.find(({ field }) => field === wanted)?.term
    return term === undefined ? undefined : term.kind === 'exact' ? term.value : ''
  }
  const level = exactly('level') ?? 'system'
  if (level === 'system') {
    requireSystem(call, 'robot', 'list')
    return undefined
  }
  if (level !== 'project') throw invalid('bad request error level input: expected project or system')
  const number = exactly('project_id')
  if (number === undefined) throw invalid('must with project ID when to query project robots')
  if (!/^[1-9]\d{0,8}$/.test(number)) throw invalid('ProjectID must be a positive integer')
  return requireProject(withoutNaming(call), 'robot', 'list', number)
}

/** The number of a project, whatever the header says of the path. */
function withoutNaming(call: HarborCall): HarborCall {
  const { 'x-is-resource-name': _, ...headers } = call.request.headers
  return { ...call, request: { ...call.request, headers } }
}

/** Robots make robots too, which may no more than they themselves. */
async function create(call: HarborCall): Promise<HttpResponse> {
  requireLogin(call)
  const { registry, principal } = call
  const fields = await readFields(call.request)
  const permissions = permissionsIn(fields)
  const level = levelIn(fields)
  const name = textIn(fields, 'name')
  const project = await requireRobotAccess(call, level, permissions[0]?.namespace ?? '', 'create')
  if (principal.kind === 'robot' && !isWithin(permissions, principal.permissions))
    throw new RegistryError(
      'DENIED',
      `permission scope is invalid. It must be equal to or more restrictive than the creator robot's permissions: ${principal.name}`,
      { principal: principal.name },
    )
  const settings = await readConfiguration(registry)
  const secret = textIn(fields, 'secret')
  const { robot, ...made } = await createRobot(registry, {
    name,
    description: textIn(fields, 'description'),
    ...(project ? { project: { id: project.id, name: project.name } } : {}),
    permissions,
    durationDays: numberIn(fields, 'duration') ?? settings.robot_token_duration,
    disabled: flagIn(fields, 'disable') ?? false,
    createdBy: {
      kind: principal.kind === 'robot' ? 'robot' : 'user',
      number: principal.number,
      name: principal.name,
    },
    ...(secret === '' ? {} : { secret }),
  })
  await note(call, 'create', robot)
  return created(`/robots/${robot.number}`, {
    id: robot.number,
    name: `${settings.robot_name_prefix}${robot.name}`,
    secret: made.secret,
    creation_time: time(robot.createdAtMs),
    expires_at: robot.expiresAtSeconds,
  })
}

async function show(call: HarborCall): Promise<HttpResponse> {
  const robot = await robotFor(call, 'read')
  const { robot_name_prefix: prefix } = await readConfiguration(call.registry)
  return answer(200, await robotRow(call.registry, robot, prefix))
}

/** The whole robot is sent; its level and name have to be what they are. */
async function update(call: HarborCall): Promise<HttpResponse> {
  const robot = await robotFor(call, 'update')
  const fields = await readFields(call.request)
  const { robot_name_prefix: prefix } = await readConfiguration(call.registry)
  if (levelIn(fields) !== robot.level || textIn(fields, 'name') !== `${prefix}${robot.name}`)
    throw invalid('cannot update the level or name of robot')
  const durationDays = numberIn(fields, 'duration')
  await changeRobot(call.registry, robot, {
    description: textIn(fields, 'description'),
    disabled: flagIn(fields, 'disable') ?? false,
    permissions: permissionsIn(fields),
    ...(durationDays === undefined ? {} : { durationDays }),
  })
  await note(call, 'update', robot)
  return done()
}

/** A new secret: one that is sent, or with an empty one a random one, which only this answer tells. */
async function refresh(call: HarborCall): Promise<HttpResponse> {
  const robot = await robotOf(call)
  if (!(await rotates(call, robot))) await requireAccess(call, robot, 'update')
  const wanted = textIn(await readFields(call.request), 'secret')
  const secret = await refreshSecret(call.registry, robot, wanted || undefined)
  await note(call, 'update', robot)
  return answer(200, wanted === '' ? { secret } : {})
}

/**
 * Beyond Harbor, where no robot ever renews a secret: one that makes robots may do so for those it made, as long as
 * they may no more than itself.
 */
async function rotates(call: HarborCall, robot: Robot): Promise<boolean> {
  const { principal } = call
  const { createdBy, project } = robot
  if (principal.kind !== 'robot' || createdBy.kind !== 'robot' || createdBy.number !== principal.number)
    return false
  if (!isWithin(robot.permissions, principal.permissions)) return false
  const makes = [{ resource: 'robot', action: 'create' }]
  return project
    ? mayInProject(call, project.name, 'robot', 'create')
    : isWithin([{ kind: 'system', namespace: '/', access: makes }], principal.permissions)
}

async function remove(call: HarborCall): Promise<HttpResponse> {
  const robot = await robotFor(call, 'delete')
  await deleteRobot(call.registry, robot)
  await note(call, 'delete', robot)
  return done()
}

async function robotFor(call: HarborCall, action: string): Promise<Robot> {
  const robot = await robotOf(call)
  await requireAccess(call, robot, action)
  return robot
}

function robotOf(call: HarborCall): Promise<Robot> {
  requireLogin(call)
  return requireRobot(call.registry, numberOf(call, 'robot'))
}

async function requireAccess(call: HarborCall, { level, project }: Robot, action: string): Promise<void> {
  if (call.principal.admin) return // also to one that is left over from a project that is gone
  const found = await requireRobotAccess(call, level, project?.name ?? '', action)
  if (found?.id !== project?.id) throw refused(call, 'the robot’s project is gone')
}

async function requireRobotAccess(
  call: HarborCall,
  level: Robot['level'],
  projectName: string,
  action: string,
): Promise<Project | undefined> {
  if (level === 'project') return requireProjectNamed(call, 'robot', action, projectName)
  requireSystem(call, 'robot', action)
  return undefined
}

function note(call: HarborCall, operation: Deed['operation'], { name, project }: Robot): Promise<void> {
  const where = project ? { projectId: project.id } : {}
  return noted(call, { operation, resourceType: 'robot', resource: name, ...where })
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', why)
}
