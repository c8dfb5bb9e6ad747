// Everything somebody may, listed for programs that hide what their user may not.
import { keys } from '../registry/keys.ts'
import { type Registry, text } from '../registry/registry.ts'
import { decideInProject, decideInSystem, readStanding } from './permissions.ts'
import type { Principal } from './principal.ts'
import { PROJECT_RULES } from './roles.ts'

/** What Harbor's administrators may beyond projects (goharbor/harbor src/common/rbac/system/policies.go, v2.14). */
const SYSTEM_RULES = Object.entries({
  catalog: 'read',
  'audit-log': 'list',
  project: 'create read update delete list',
  user: 'create read update delete list',
  'user-group': 'create read update delete list',
  registry: 'create read update delete list',
  replication: 'create read update list delete',
  distribution: 'create read update delete list',
  'garbage-collection': 'create read update delete list',
  'scan-all': 'create read update delete list stop',
  'system-volumes': 'read',
  'ldap-user': 'create list',
  configuration: 'read update',
  'jobservice-monitor': 'read list stop',
  'security-hub': 'read list',
}).flatMap(([resource, actions]) => actions.split(' ').map((action) => ({ resource, action })))

export interface OwnPermission {
  /** `/project/1` for the project itself, `/project/1/member`, `/system/user`. */
  resource: string
  action: string
}

/** @param scope `/project/<number>` or `/system`, with or without more behind it; anything else has no permissions */
export async function permissionsIn(
  registry: Registry,
  principal: Principal,
  scope: string,
): Promise<OwnPermission[]> {
  if (scope.startsWith('/system'))
    return SYSTEM_RULES.filter(
      ({ resource, action }) => decideInSystem(principal, resource, action).allowed,
    ).map(({ resource, action }) => ({ resource: `/system/${resource}`, action }))
  const number = /^\/project\/(\d{1,9})(?:\/|$)/.exec(scope)?.[1]
  const item =
    number === undefined ? undefined : await registry.metadata.get(keys.projectNumber(Number(number)))
  if (!item) return []
  const standing = await readStanding(registry, principal, text(item, 'name'))
  return PROJECT_RULES.filter(
    ({ resource, action }) => decideInProject(principal, standing, resource, action).allowed,
  ).map(({ resource, action }) => ({
    resource: resource === 'project' ? `/project/${number}` : `/project/${number}/${resource}`,
    action,
  }))
}
