// Robots: names and permissions as they are there. Nobody is told secrets, so here they get new ones.
import type { RobotPermission } from '../access/principal.ts'
import { presentPermissions } from '../access/robot-scope.ts'
import { changeRobot, createRobot, findRobot, type Robot } from '../access/robots.ts'
import { readConfiguration } from '../registry/configuration.ts'
import type { Project } from '../registry/projects.ts'
import { type Fields, flagIn, numberIn, objectIn, objectsIn, textIn } from './fields.ts'
import { HarborApiError } from './harbor-api.ts'
import type { Import } from './import.ts'
import { differing, settle } from './outcome.ts'
import type { Both } from './projects.ts'

const DAY_MS = 86_400_000
const USUAL_PREFIX = 'robot$'

interface SourceRobot {
  /** Without prefix and project. */
  name: string
  description: string
  disabled: boolean
  permissions: RobotPermission[]
  /** -1: never; undefined when it has expired. */
  daysLeft: number | undefined
  /** Off for those that a Harbor before 2.2 made. */
  editable: boolean
}

/** @throws HarborApiError */
export async function bringProjectRobots(context: Import, { there, here }: Both): Promise<void> {
  const rows = await context.source.all('/robots', { q: `Level=project,ProjectID=${there.number}` })
  for (const row of rows)
    await bring(context, robotIn(context, row, await prefixThere(context), there.name), there.name, here)
}

/** Those of the whole registry. @throws HarborApiError */
export async function bringSystemRobots(context: Import): Promise<void> {
  for (const row of await context.source.all('/robots'))
    await bring(context, robotIn(context, row, await prefixThere(context), undefined))
}

const prefixes = new WeakMap<Import, string>()

/** What names of robots begin with there. */
async function prefixThere(context: Import): Promise<string> {
  const known = prefixes.get(context)
  if (known !== undefined) return known
  const configuration = await context.source.get('/configurations').catch((error) => {
    if (!(error instanceof HarborApiError)) throw error
    return {}
  })
  const prefix = textIn(objectIn(configuration, 'robot_name_prefix'), 'value') || USUAL_PREFIX
  prefixes.set(context, prefix)
  return prefix
}

/** `robot$ci`, of a project `robot$team+ci`. */
function robotIn(
  { registry }: Import,
  row: Fields,
  prefix: string,
  project: string | undefined,
): SourceRobot {
  const full = textIn(row, 'name')
  const bare = full.startsWith(prefix) ? full.slice(prefix.length) : full
  const of = `${project}+`
  const expires = numberIn(row, 'expires_at') ?? -1
  const daysLeft = Math.ceil((expires * 1000 - registry.clock.nowMs()) / DAY_MS)
  return {
    name: project !== undefined && bare.startsWith(of) ? bare.slice(of.length) : bare,
    description: textIn(row, 'description'),
    disabled: flagIn(row, 'disable'),
    permissions: objectsIn(row, 'permissions').map(permissionIn),
    daysLeft: expires <= 0 ? -1 : daysLeft > 0 ? daysLeft : undefined,
    editable: row.editable !== false,
  }
}

function permissionIn(row: Fields): RobotPermission {
  const access = objectsIn(row, 'access').map((each) => ({
    resource: textIn(each, 'resource'),
    action: textIn(each, 'action'),
    ...(textIn(each, 'effect') === '' ? {} : { effect: textIn(each, 'effect') }),
  }))
  const kind = textIn(row, 'kind') === 'system' ? 'system' : 'project'
  return { kind, namespace: textIn(row, 'namespace'), access }
}

async function bring(
  context: Import,
  there: SourceRobot,
  projectName?: string,
  project?: Project,
): Promise<void> {
  const { registry, actor, report } = context
  const name = projectName === undefined ? there.name : `${projectName}+${there.name}`
  const found = await findRobot(registry, name)
  // One of an earlier project of that name is nobody any more.
  const here = found && found.project?.id === project?.id ? found : undefined
  const left = (why: string) => report({ kind: 'robot', name, state: 'note', why: `not brought: ${why}` })
  if (!here && !there.editable) return left('it is of a Harbor before 2.2, whose robots have other rights')
  if (!here && there.daysLeft === undefined) return left('it has expired there')
  const { description, disabled, permissions } = there
  let secret = ''
  const state = await settle(context, {
    kind: 'robot',
    name,
    differences: here && (await differences(context, there, here)),
    create: async () => {
      const made = await createRobot(registry, {
        name: there.name,
        description,
        disabled,
        permissions,
        durationDays: there.daysLeft ?? -1,
        ...(project ? { project: { id: project.id, name: project.name } } : {}),
        createdBy: { kind: 'user', number: 1, name: actor.principal },
      })
      secret = made.secret
    },
    ...(here ? { change: () => changeRobot(registry, here, { description, disabled, permissions }) } : {}),
    deed: () => ({ resourceType: 'robot', resource: name, ...(project ? { projectId: project.id } : {}) }),
  })
  const { robot_name_prefix: prefix } = await readConfiguration(registry)
  if (state === 'brought') context.secret('robot', `${prefix}${name}`, secret)
}

async function differences({ registry }: Import, there: SourceRobot, here: Robot): Promise<string[]> {
  const present = await presentPermissions(registry, here.permissions)
  const [one, other] = [rights(there.permissions), rights(present)]
  const [more, less] = [
    one.filter((each) => !other.includes(each)),
    other.filter((each) => !one.includes(each)),
  ]
  return [
    ...(more.length > 0 ? [`only there: ${more.join(', ')}`] : []),
    ...(less.length > 0 ? [`only here: ${less.join(', ')}`] : []),
    ...differing('disabled', there.disabled, here.disabled),
    ...differing('the description', there.description, here.description),
  ]
}

function rights(permissions: RobotPermission[]): string[] {
  return permissions.flatMap(({ kind, namespace, access }) =>
    access.map(({ resource, action }) => `${kind} ${namespace} ${resource}:${action}`),
  )
}
