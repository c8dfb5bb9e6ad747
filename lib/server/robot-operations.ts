// `entrepot robot …`: logins of pipelines and clusters.
import { loginsOfRobot } from '../access/principals.ts'
import { rightsUsed } from '../access/robot-usage.ts'
import {
  changeRobot,
  createRobot,
  deleteRobot,
  findRobot,
  listRobots,
  type Robot,
  refreshSecret,
} from '../access/robots.ts'
import { RegistryError } from '../oci/errors.ts'
import { noted } from '../registry/audit-log.ts'
import { readConfiguration } from '../registry/configuration.ts'
import { findProject } from '../registry/projects.ts'
import type { Registry } from '../registry/registry.ts'
import { type Operation, type OperationContext, one, parsed, UsageError } from './operation.ts'
import { permissionsOf, RIGHTS_OPTIONS } from './robot-arguments.ts'
import { isRobotFile, ROBOT_FILES, robotFile, shellQuoted } from './robot-files.ts'

const DAY_MS = 86_400_000
/** The form of a robot's name that no shell takes for a variable. */
const SHELL_PREFIX = 'robot-'

export const ROBOT_OPERATIONS: Record<string, Operation> = {
  'robot create': {
    usage: `robot create NAME --project PROJECT|--all-projects --pull|--push [--days N|never] [--for ${ROBOT_FILES.join('|')} --registry HOST [--to FILE]]`,
    what: 'make a robot and print its secret, or the ready file for where it is used',
    run: create,
  },
  'robot list': {
    usage: 'robot list',
    what: 'list robots',
    run: async ({ registry, print }) => {
      const { robot_name_prefix: prefix } = await readConfiguration(registry)
      for (const robot of await listRobots(registry))
        print([`${prefix}${robot.name}`, robot.level, stateOf(registry, robot), expiryOf(robot)].join('\t'))
      return 0
    },
  },
  'robot show': {
    usage: 'robot show NAME',
    what: 'show what a robot may, and which of its rights it used when or never',
    run: show,
  },
  'robot disable': {
    usage: 'robot disable NAME',
    what: 'keep a robot from logging in; what it pushes is refused within a second',
    run: (context, args) => setDisabled(context, one(args), true),
  },
  'robot enable': {
    usage: 'robot enable NAME',
    what: 'let a disabled robot log in again',
    run: (context, args) => setDisabled(context, one(args), false),
  },
  'robot refresh': {
    usage: 'robot refresh NAME',
    what: 'give a robot a new secret and print it; the old one is void at once',
    run: async (context, args) => {
      const robot = await robotNamed(context.registry, one(args))
      context.print(`secret, shown only now: ${await refreshSecret(context.registry, robot)}`)
      await note(context, 'update', robot)
      return 0
    },
  },
  'robot delete': {
    usage: 'robot delete NAME',
    what: 'delete a robot',
    run: async (context, args) => {
      const robot = await robotNamed(context.registry, one(args))
      await deleteRobot(context.registry, robot)
      await note(context, 'delete', robot)
      context.print(`deleted robot ${robot.name}`)
      return 0
    },
  },
}

/** One project makes a robot of that project; several, or all, one of the registry. */
async function create(context: OperationContext, args: string[]): Promise<number> {
  const { registry, actor, print } = context
  const { positionals, values } = parsed(args, {
    ...RIGHTS_OPTIONS,
    days: { type: 'string' },
    description: { type: 'string' },
    for: { type: 'string' },
    registry: { type: 'string' },
  })
  const { for: kind, registry: host } = values
  if (kind !== undefined && !isRobotFile(kind))
    throw new UsageError(`--for is one of ${ROBOT_FILES.join(', ')}`)
  if (kind !== undefined && !host)
    throw new UsageError('say how its clients call this registry: --registry HOST')
  const permissions = permissionsOf(values)
  const settings = await readConfiguration(registry)
  const single = permissions.length === 1 && permissions[0]!.namespace !== '*'
  const project = single ? await findProject(registry, permissions[0]!.namespace) : undefined
  if (single && !project)
    throw new RegistryError('NAME_UNKNOWN', `project ${permissions[0]!.namespace} does not exist`)
  const { robot, secret } = await createRobot(registry, {
    name: one(positionals),
    description: values.description ?? '',
    ...(project ? { project: { id: project.id, name: project.name } } : {}),
    permissions,
    durationDays: values.days === undefined ? settings.robot_token_duration : daysOf(values.days),
    createdBy: { kind: 'user', number: 1, name: actor.principal },
  })
  await note(context, 'create', robot)
  const shellName = `${SHELL_PREFIX}${robot.name}`
  if (kind !== undefined) {
    const place = project ? { project: project.name } : {}
    for (const line of robotFile(kind, { registry: host!, name: shellName, secret, ...place })) print(line)
    return 0
  }
  const name = `${settings.robot_name_prefix}${robot.name}`
  print(`created robot ${name}; expires ${expiryOf(robot)}`)
  print(`in shells, between single quotes: ${shellQuoted(name)}, or as it is: ${shellName}`)
  print(`secret, shown only now: ${secret}`)
  return 0
}

function daysOf(text: string): number {
  if (text === 'never') return -1
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new UsageError('--days is a number of days, or never')
}

async function show({ registry, print }: OperationContext, args: string[]): Promise<number> {
  const robot = await robotNamed(registry, one(args))
  const { robot_name_prefix: prefix } = await readConfiguration(registry)
  const rights = await rightsUsed(registry, robot)
  const days = rights.flatMap(({ lastUsedDay }) => lastUsedDay ?? [])
  print(`${prefix}${robot.name}\t${robot.level}\t${stateOf(registry, robot)}\texpires ${expiryOf(robot)}`)
  if (robot.description !== '') print(robot.description)
  print(`made ${dateOf(robot.createdAtMs)} by ${robot.createdBy.name}`)
  print(`last used\t${days.length > 0 ? dateOf(Math.max(...days) * DAY_MS) : 'never'}`)
  for (const { namespace, resource, action, lastUsedDay } of rights) {
    const used = lastUsedDay === undefined ? 'never used' : `last used ${dateOf(lastUsedDay * DAY_MS)}`
    print(`${resource}:${action}\t${namespace}\t${used}`)
  }
  return 0
}

async function setDisabled(context: OperationContext, given: string, disabled: boolean): Promise<number> {
  const robot = await robotNamed(context.registry, given)
  await changeRobot(context.registry, robot, { disabled })
  await note(context, 'update', robot)
  context.print(`${robot.name} is ${disabled ? 'disabled' : 'enabled'}`)
  return 0
}

/** With any prefix, or without. @throws NOT_FOUND */
async function robotNamed(registry: Registry, given: string): Promise<Robot> {
  const { robot_name_prefix: prefix } = await readConfiguration(registry)
  const known = loginsOfRobot('', prefix).find((each) => given.startsWith(each))
  const robot =
    (await findRobot(registry, given)) ?? (known && (await findRobot(registry, given.slice(known.length))))
  if (!robot)
    throw new RegistryError('NOT_FOUND', `there is no robot ${given}; list them with: entrepot robot list`)
  return robot
}

function stateOf({ clock }: Registry, { disabled, expiresAtSeconds }: Robot): string {
  if (disabled) return 'disabled'
  return expiresAtSeconds !== -1 && expiresAtSeconds * 1000 <= clock.nowMs() ? 'expired' : 'enabled'
}

function expiryOf({ expiresAtSeconds }: Robot): string {
  return expiresAtSeconds === -1 ? 'never' : dateOf(expiresAtSeconds * 1000)
}

function dateOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10)
}

function note(
  context: OperationContext,
  operation: 'create' | 'update' | 'delete',
  { name, project }: Robot,
): Promise<void> {
  const where = project ? { projectId: project.id } : {}
  return noted(context, { operation, resourceType: 'robot', resource: name, ...where })
}
