// Names to principals: of users, and of robots behind their prefix.

import { configurationIn } from '../registry/configuration.ts'
import { keys } from '../registry/keys.ts'
import type { Item } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import type { Principal, RobotPermission } from './principal.ts'
import { type Robot, robotOf } from './robots.ts'
import { type User, userOf } from './users.ts'

/** What robots' names begin with beside the configured prefix: Harbor's own, and one that no shell reads as a variable. */
const ROBOT_PREFIXES = ['robot$', 'robot-']

/** The item behind a login name, of a user or robot, with what it means. */
export interface Login {
  item: Item
  principal: Principal
  notBeforeSeconds: number
  /** Who checks its password. */
  provider: string
  /** Why it may not log in, for the log; the client is told nothing. */
  refused?: 'disabled' | 'expired'
}

/** @returns undefined when nobody has that name */
export async function findLogin(registry: Registry, login: string): Promise<Login | undefined> {
  if (login === '' || login.length > 600) return undefined
  const usual = ROBOT_PREFIXES.find((prefix) => login.startsWith(prefix))
  if (usual) return findRobotLogin(registry, login, usual)
  const [settings, user] = await registry.metadata.batchGet([keys.configuration, keys.user(login)])
  const { robot_name_prefix: prefix } = configurationIn(settings)
  // A user first: no prefix that somebody configures may lock people out.
  if (user) return userLogin(user)
  if (prefix === '' || !login.startsWith(prefix)) return undefined
  return findRobotLogin(registry, login, prefix)
}

async function findRobotLogin(registry: Registry, login: string, prefix: string): Promise<Login | undefined> {
  const item = await registry.metadata.get(keys.robot(login.slice(prefix.length)))
  return item && robotLogin(registry, item, login)
}

function userLogin(item: Item): Login {
  const user = userOf(item.attributes)
  return {
    item,
    principal: principalOfUser(user),
    notBeforeSeconds: user.notBeforeSeconds,
    provider: user.provider,
    ...(user.disabled ? { refused: 'disabled' } : {}),
  }
}

function robotLogin(registry: Registry, item: Item, login: string): Login {
  const robot = robotOf(item.attributes)
  const { expiresAtSeconds } = robot
  const expired = expiresAtSeconds !== -1 && expiresAtSeconds * 1000 <= registry.clock.nowMs()
  return {
    item,
    principal: principalOfRobot(robot, login),
    notBeforeSeconds: robot.notBeforeSeconds,
    provider: 'db',
    ...(robot.disabled ? { refused: 'disabled' } : expired ? { refused: 'expired' } : {}),
  }
}

export function principalOfUser({ name, number, admin, groups }: User): Principal {
  return { name, kind: 'user', admin, number, groups, permissions: [] }
}

/** @param login its whole name */
export function principalOfRobot({ number, level, permissions }: Robot, login: string): Principal {
  // As in Harbor: whoever pushes into its own project has to read there too.
  const given = level === 'project' ? permissions.map(withPull) : permissions
  return { name: login, kind: 'robot', admin: false, number, groups: [], permissions: given }
}

function withPull(permission: RobotPermission): RobotPermission {
  const pushes = permission.access.some(
    ({ resource, action }) => resource === 'repository' && action === 'push',
  )
  if (!pushes) return permission
  return { ...permission, access: [...permission.access, { resource: 'repository', action: 'pull' }] }
}

/** All names a robot can log in with. @param prefix as configured */
export function loginsOfRobot(name: string, prefix: string): string[] {
  return [...new Set([prefix, ...ROBOT_PREFIXES])].map((each) => `${each}${name}`)
}

/** @returns undefined for who is gone, disabled or expired */
export async function principalNamed(
  registry: Registry,
  name: string,
): Promise<{ principal: Principal; notBeforeSeconds: number } | undefined> {
  const login = await findLogin(registry, name)
  return login && !login.refused ? login : undefined
}
