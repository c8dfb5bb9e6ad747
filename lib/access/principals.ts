// Names to principals: of users, and of robots behind their prefix.

import { configurationIn } from '../registry/configuration.ts'
import { keys } from '../registry/keys.ts'
import type { Item, Key } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import type { Principal, RobotPermission } from './principal.ts'
import { type Robot, robotOf } from './robots.ts'
import { type User, userOf } from './users.ts'

/** What robots' names begin with beside the configured prefix: Harbor's own, and one that no shell reads as a variable. */
export const ROBOT_PREFIXES = ['robot$', 'robot-']

const LONGEST_LOGIN = 600

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
  return (await readLogin(registry, login, [])).login
}

/** @param besides items to read in the same call, whether or not there is anybody of that name */
export async function readLogin(
  registry: Registry,
  login: string,
  besides: Key[],
): Promise<{ login: Login | undefined; besides: (Item | undefined)[] }> {
  const read = (...wanted: Key[]) => registry.metadata.batchGet([...besides, ...wanted])
  const answer = (found: (Item | undefined)[], known: Login | undefined) => ({
    login: known,
    besides: found.slice(0, besides.length),
  })
  if (login === '' || login.length > LONGEST_LOGIN) return answer(await read(), undefined)
  const usual = ROBOT_PREFIXES.find((prefix) => login.startsWith(prefix))
  if (usual) {
    const found = await read(robotKey(login, usual))
    return answer(found, robotLogin(registry, found.at(-1), login))
  }
  const found = await read(keys.configuration, keys.user(login))
  const [settings, user] = found.slice(besides.length)
  const { robot_name_prefix: prefix } = configurationIn(settings)
  // A user first: no prefix that somebody configures may lock people out.
  if (user) return answer(found, userLogin(user))
  if (prefix === '' || !login.startsWith(prefix)) return answer(found, undefined)
  const item = await registry.metadata.get(robotKey(login, prefix))
  return answer(found, robotLogin(registry, item, login))
}

function robotKey(login: string, prefix: string): Key {
  return keys.robot(login.slice(prefix.length))
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

function robotLogin(registry: Registry, item: Item | undefined, login: string): Login | undefined {
  if (!item) return undefined
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
