// Robots: logins of pipelines and clusters, with rights of their own and a secret that is shown once.
import { randomInt } from 'node:crypto'
import { RegistryError } from '../oci/errors.ts'
import { changeItem } from '../registry/change-item.ts'
import { keys, partitions } from '../registry/keys.ts'
import { nextNumber } from '../registry/numbers.ts'
import type { Attributes, Condition, Item, Json } from '../registry/ports.ts'
import { number, type Registry, text } from '../registry/registry.ts'
import { hashPassword } from './password-hash.ts'
import type { RobotPermission } from './principal.ts'
import { checkRobotName, checkRobotPermissions, checkRobotSecret } from './robot-rules.ts'
import { bindPermissions } from './robot-scope.ts'

const DAY_MS = 86_400_000
const SECRET_LENGTH = 32
const PAGE = 1000

export interface Robot {
  number: number
  /** `<name>`, or `<project>+<name>`; logins have the prefix of the configuration before it. */
  name: string
  description: string
  level: 'project' | 'system'
  /** The project it belongs to, for level project. */
  project?: { id: string; name: string }
  permissions: RobotPermission[]
  disabled: boolean
  /** -1: never expires. */
  durationDays: number
  /** -1: never. */
  expiresAtSeconds: number
  createdBy: { kind: 'user' | 'robot'; number: number; name: string }
  /** Tokens issued before this are void. */
  notBeforeSeconds: number
  createdAtMs: number
  updatedAtMs: number
}

export interface NewRobot {
  name: string
  description: string
  project?: { id: string; name: string }
  permissions: RobotPermission[]
  durationDays: number
  createdBy: Robot['createdBy']
  disabled?: boolean
  secret?: string
}

/** @returns the secret too, for this one time. @throws REQUEST_INVALID, CONFLICT */
export async function createRobot(
  registry: Registry,
  robot: NewRobot,
): Promise<{ robot: Robot; secret: string }> {
  checkRobotName(robot.name)
  const level = robot.project ? 'project' : 'system'
  checkRobotPermissions(robot.permissions, robot.project?.name)
  const permissions = await bindPermissions(registry, robot.permissions)
  if (robot.secret !== undefined) checkRobotSecret(robot.secret)
  const secret = robot.secret ?? newSecret()
  const name = robot.project ? `${robot.project.name}+${robot.name}` : robot.name
  const now = registry.clock.nowMs()
  const assigned = await nextNumber(registry, 'robot')
  const attributes: Attributes = {
    v: 1,
    gen: registry.newId(),
    number: assigned,
    name,
    description: robot.description,
    level,
    permissions: permissions as unknown as Json,
    disabled: robot.disabled ?? false,
    createdBy: { ...robot.createdBy },
    // Tokens of an earlier robot of that name are not this one's.
    notBeforeSeconds: Math.floor(now / 1000),
    createdAtMs: now,
    updatedAtMs: now,
    ...lifeOf(now, robot.durationDays),
    ...(robot.project ? { project: { ...robot.project } } : {}),
    ...(await hashPassword(secret)),
  }
  const earlier = await leftOver(registry, name, robot)
  const free: Condition = earlier ? { kind: 'equals', attributes: { gen: earlier.gen } } : { kind: 'absent' }
  const outcome = await registry.metadata.transact([
    { kind: 'put', if: free, item: { ...keys.robot(name), attributes } },
    ...(earlier ? [{ kind: 'delete', key: keys.robotListing(earlier.number) } as const] : []),
    { kind: 'put', item: { ...keys.robotListing(assigned), attributes: { v: 1, name } } },
  ])
  if (!outcome.ok) throw new RegistryError('CONFLICT', `a robot account named ${robot.name} exists already`)
  return { robot: robotOf(attributes), secret }
}

/** A robot of an earlier project of that name, which is gone: its name is free. */
async function leftOver(registry: Registry, name: string, { project }: NewRobot) {
  const item = project && (await registry.metadata.get(keys.robot(name)))
  if (!item || robotOf(item.attributes).project?.id === project.id) return undefined
  return { gen: text(item, 'gen'), number: number(item, 'number') }
}

function lifeOf(fromMs: number, durationDays: number): Attributes {
  if (durationDays !== -1 && !(Number.isInteger(durationDays) && durationDays > 0 && durationDays <= 36_500))
    throw new RegistryError(
      'REQUEST_INVALID',
      `the duration is -1 (for ever) or a number of days, not ${durationDays}`,
    )
  const expiresAtSeconds = durationDays === -1 ? -1 : Math.floor((fromMs + durationDays * DAY_MS) / 1000)
  return { durationDays, expiresAtSeconds }
}

/** With all kinds of characters that Harbor asks for, and none that a shell or a URL reads. */
function newSecret(): string {
  const kinds = ['ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz', '0123456789']
  const all = kinds.join('')
  for (;;) {
    const secret = Array.from({ length: SECRET_LENGTH }, () => all[randomInt(all.length)]).join('')
    if (kinds.every((kind) => [...secret].some((each) => kind.includes(each)))) return secret
  }
}

/** @param name without the prefix */
export async function findRobot(registry: Registry, name: string): Promise<Robot | undefined> {
  const item = await registry.metadata.get(keys.robot(name))
  return item && robotOf(item.attributes)
}

/** @throws NOT_FOUND */
export async function requireRobot(registry: Registry, robotNumber: number): Promise<Robot> {
  const listed = await registry.metadata.get(keys.robotListing(robotNumber))
  const robot = listed && (await findRobot(registry, text(listed, 'name')))
  if (!robot) throw new RegistryError('NOT_FOUND', `robot ${robotNumber} not found`)
  return robot
}

/** All of them, by number. */
export async function listRobots(registry: Registry): Promise<Robot[]> {
  const robots: Robot[] = []
  let after: string | undefined
  do {
    const listed = await registry.metadata.query({
      pk: partitions.robots,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    })
    after = listed.length === PAGE ? listed.at(-1)!.sk : undefined
    for (let at = 0; at < listed.length; at += 100) {
      const wanted = listed.slice(at, at + 100).map((item) => keys.robot(text(item, 'name')))
      for (const item of await registry.metadata.batchGet(wanted))
        if (item) robots.push(robotOf(item.attributes))
    }
  } while (after !== undefined)
  return robots
}

export interface RobotChange {
  description?: string
  disabled?: boolean
  permissions?: RobotPermission[]
  /** Counted from its creation, as Harbor does. */
  durationDays?: number
}

/** Tokens that say more than the change leaves end at once. @throws NOT_FOUND, REQUEST_INVALID */
export async function changeRobot(registry: Registry, robot: Robot, change: RobotChange): Promise<Robot> {
  const { durationDays, ...fields } = change
  if (fields.permissions) {
    checkRobotPermissions(fields.permissions, robot.project?.name)
    fields.permissions = await bindPermissions(registry, fields.permissions)
  }
  const now = registry.clock.nowMs()
  return changed(registry, robot, (before) => ({
    ...before,
    ...(fields as Attributes),
    ...(durationDays === undefined || durationDays === before.durationDays
      ? {}
      : lifeOf(before.createdAtMs as number, durationDays)),
    updatedAtMs: now,
    notBeforeSeconds: Math.floor(now / 1000),
  }))
}

/** The old secret, and tokens of it, are void. @returns the new secret. @throws NOT_FOUND, REQUEST_INVALID */
export async function refreshSecret(registry: Registry, robot: Robot, secret = newSecret()): Promise<string> {
  checkRobotSecret(secret)
  const hash = await hashPassword(secret)
  const now = registry.clock.nowMs()
  await changed(registry, robot, (before) => ({
    ...before,
    ...hash,
    updatedAtMs: now,
    notBeforeSeconds: Math.floor(now / 1000),
  }))
  return secret
}

export async function deleteRobot(registry: Registry, robot: Robot): Promise<void> {
  await registry.metadata.batchWrite([
    { kind: 'delete', key: keys.robot(robot.name) },
    { kind: 'delete', key: keys.robotListing(robot.number) },
  ])
}

/** Those that belong to a project that was deleted. */
export async function deleteRobotsOf(registry: Registry, projectId: string): Promise<void> {
  for (const robot of await listRobots(registry))
    if (robot.project?.id === projectId) await deleteRobot(registry, robot)
}

async function changed(
  registry: Registry,
  robot: Robot,
  change: (before: Attributes) => Attributes,
): Promise<Robot> {
  const item = await changeItem(registry, keys.robot(robot.name), change)
  if (!item) throw new RegistryError('NOT_FOUND', `robot ${robot.number} not found`)
  return robotOf(item.attributes)
}

export function robotOf(attributes: Attributes): Robot {
  const item = { pk: 'robot', sk: '', attributes } satisfies Item
  return {
    number: number(item, 'number'),
    name: text(item, 'name'),
    description: text(item, 'description'),
    level: text(item, 'level') as Robot['level'],
    ...(attributes.project ? { project: attributes.project as unknown as { id: string; name: string } } : {}),
    permissions: attributes.permissions as unknown as RobotPermission[],
    disabled: attributes.disabled === true,
    durationDays: number(item, 'durationDays'),
    expiresAtSeconds: number(item, 'expiresAtSeconds'),
    createdBy: attributes.createdBy as unknown as Robot['createdBy'],
    notBeforeSeconds: number(item, 'notBeforeSeconds'),
    createdAtMs: number(item, 'createdAtMs'),
    updatedAtMs: number(item, 'updatedAtMs'),
  }
}
