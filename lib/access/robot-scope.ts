// What robots' permissions reach: the projects they name, and what of it a robot can hand on to another.
import { RegistryError } from '../oci/errors.ts'
import { keys } from '../registry/keys.ts'
import type { Registry } from '../registry/registry.ts'
import type { RobotPermission } from './principal.ts'

/** The permissions, each with the id of the project it names. @throws NOT_FOUND naming the project that is not there */
export async function bindPermissions(
  registry: Registry,
  permissions: RobotPermission[],
): Promise<RobotPermission[]> {
  const ids = await projectIds(registry, permissions)
  return permissions.map(({ projectId: _, ...permission }) => {
    if (!namesProject(permission)) return permission
    const projectId = ids.get(permission.namespace)
    if (projectId === undefined)
      throw new RegistryError('NOT_FOUND', `project ${permission.namespace} not found`)
    return { ...permission, projectId }
  })
}

/** Without those of projects that are gone: what is read can be written back. */
export async function presentPermissions(
  registry: Registry,
  permissions: RobotPermission[],
): Promise<RobotPermission[]> {
  const ids = await projectIds(registry, permissions)
  return permissions.filter((each) => !namesProject(each) || ids.get(each.namespace) === each.projectId)
}

async function projectIds(registry: Registry, permissions: RobotPermission[]): Promise<Map<string, string>> {
  const names = [...new Set(permissions.filter(namesProject).map(({ namespace }) => namespace))]
  const ids = new Map<string, string>()
  for (let at = 0; at < names.length; at += 100) {
    const page = names.slice(at, at + 100)
    const items = await registry.metadata.batchGet(page.map((name) => keys.project(name)))
    for (const [index, name] of page.entries()) {
      const id = items[index]?.attributes.id
      if (typeof id === 'string') ids.set(name, id)
    }
  }
  return ids
}

function namesProject({ kind, namespace }: RobotPermission): boolean {
  return kind === 'project' && namespace !== '*'
}

/** Whether `own` allows everything that `wanted` does: nobody hands on what they have not. */
export function isWithin(wanted: RobotPermission[], own: RobotPermission[]): boolean {
  return wanted.every(({ kind, namespace, access }) =>
    access.every(({ resource, action }) =>
      own.some(
        (each) =>
          each.kind === kind &&
          (each.namespace === namespace || (kind === 'project' && each.namespace === '*')) &&
          each.access.some((given) => given.resource === resource && given.action === action),
      ),
    ),
  )
}
