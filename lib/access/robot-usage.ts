// What a robot does with its rights: what it used and when, and what it never did and need not have.
import { projectOf } from '../oci/reference.ts'
import { configurationIn } from '../registry/configuration.ts'
import { keys, partitions } from '../registry/keys.ts'
import { pagesOf } from '../registry/partitions.ts'
import type { Registry } from '../registry/registry.ts'
import { loginsOfRobot } from './principals.ts'
import type { Robot } from './robots.ts'

export interface RightUse {
  /** A project's name, `*` for all of them, `/` for the whole registry. */
  namespace: string
  resource: string
  action: string
  /** The last day it was used, since 1970; absent when it never was. */
  lastUsedDay?: number
}

interface Use {
  resource: string
  namespace: string
  action: string
  day: number
}

/** Uses are noted once a day for each right, and written a second later. */
export async function rightsUsed(registry: Registry, robot: Robot): Promise<RightUse[]> {
  const uses = await usesOf(registry, robot)
  return robot.permissions.flatMap(({ kind, namespace, access }) =>
    access.map(({ resource, action }) => {
      const days = uses
        .filter((use) => use.resource === resource && use.action === action)
        .filter((use) => (use.namespace === '/') === (kind === 'system'))
        .filter((use) => kind === 'system' || namespace === '*' || use.namespace === namespace)
        .map(({ day }) => day)
      const last = days.length > 0 ? { lastUsedDay: Math.max(...days) } : {}
      return { namespace, resource, action, ...last }
    }),
  )
}

/** Under whichever of its names it came. */
async function usesOf(registry: Registry, robot: Robot): Promise<Use[]> {
  const { robot_name_prefix: prefix } = configurationIn(await registry.metadata.get(keys.configuration))
  const uses: Use[] = []
  for (const login of loginsOfRobot(robot.name, prefix))
    for await (const page of pagesOf(registry.metadata, { pk: partitions.access(login) }))
      for (const { sk, attributes } of page)
        if (attributes.got === true) uses.push(useOf(sk, Number(attributes.askedDay)))
  return uses
}

/** `repository:library/app:pull`, `member:library:list`, `user:/:list`, `registry:catalog:*`. */
function useOf(what: string, day: number): Use {
  const parts = what.split(':')
  const [resource, name, action] = [parts[0]!, parts.slice(1, -1).join(':'), parts.at(-1)!]
  if (resource === 'registry' && name === 'catalog')
    return { resource: 'catalog', namespace: '/', action: 'read', day }
  return { resource, namespace: name === '/' ? '/' : projectOf(name), action, day }
}
