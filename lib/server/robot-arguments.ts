// What robots of `entrepot robot create` may, said in a few options.
import type { RobotAccess, RobotPermission } from '../access/principal.ts'
import { UsageError } from './operation.ts'

export const RIGHTS_OPTIONS = {
  project: { type: 'string', multiple: true },
  'all-projects': { type: 'boolean' },
  pull: { type: 'boolean' },
  push: { type: 'boolean' },
  delete: { type: 'boolean' },
  may: { type: 'string', multiple: true },
} as const

interface Rights {
  project?: string[]
  'all-projects'?: boolean
  pull?: boolean
  push?: boolean
  delete?: boolean
  may?: string[]
}

/** Who pushes pulls too: clients look first at what is there. @throws UsageError */
export function permissionsOf(rights: Rights): RobotPermission[] {
  const access: RobotAccess[] = [
    ...(rights.pull || rights.push ? [{ resource: 'repository', action: 'pull' }] : []),
    ...(rights.push ? [{ resource: 'repository', action: 'push' }] : []),
    ...(rights.delete
      ? ['repository', 'artifact', 'tag'].map((resource) => ({ resource, action: 'delete' }))
      : []),
    ...(rights.may ?? []).map(accessOf),
  ]
  if (access.length === 0)
    throw new UsageError('say what it may: --pull, --push, --delete or --may RESOURCE:ACTION')
  const namespaces = rights['all-projects'] ? ['*'] : (rights.project ?? [])
  if (namespaces.length === 0) throw new UsageError('say where: --project NAME or --all-projects')
  return namespaces.map((namespace) => ({ kind: 'project', namespace, access }))
}

function accessOf(text: string): RobotAccess {
  const [resource, action, ...more] = text.split(':')
  if (!resource || !action || more.length > 0)
    throw new UsageError(`${JSON.stringify(text)} is not RESOURCE:ACTION`)
  return { resource, action }
}
