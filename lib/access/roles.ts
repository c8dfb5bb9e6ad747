// Harbor's roles in a project: what each may do, as one table, and the one function that reads it.

/** From the least to the most. */
export const ROLES = ['limitedGuest', 'guest', 'developer', 'maintainer', 'projectAdmin'] as const

export type Role = (typeof ROLES)[number]

type Matrix = Record<string, Record<Role, string[]>>

/** resource -> role -> actions. `project` is Harbor's empty resource: the project itself. */
const MATRIX = {
  project: row('read', 'read', 'read', 'read', 'read update delete'),
  member: row('', 'read list', 'read list', 'read list', 'create read update delete list'),
  metadata: row('', '', '', 'read', 'create read update delete'),
  log: row('', '', '', '', 'list'),
  label: row(
    '',
    'read list',
    'read list',
    'create read update delete list',
    'create read update delete list',
  ),
  quota: row('read', 'read', 'read', 'read', 'read'),
  repository: row(
    'read list pull',
    'read list pull',
    'create read update list push pull',
    'create read update delete list push pull',
    'create read update delete list push pull',
  ),
  artifact: row(
    'read list',
    'read list',
    'create read list',
    'create read delete list',
    'create read delete list',
  ),
  'artifact-addition': row('read', 'read', 'read', 'read', 'read'),
  'artifact-label': row('', '', 'create delete', 'create delete', 'create delete'),
  tag: row('list', 'list', 'create list', 'create delete list', 'create delete list'),
  accessory: row('list', 'list', 'list', 'list', 'list'),
  'tag-retention': row(
    '',
    '',
    'create read update delete list operate',
    'create read update delete list operate',
    'create read update delete list operate',
  ),
  'immutable-tag': row('', '', '', 'create update delete list', 'create update delete list'),
  configuration: row('read', 'read', 'read', 'read', 'read update'),
  robot: row('', 'read list', 'read list', 'read list', 'create read update delete list'),
  'notification-policy': row('', '', '', 'read list', 'create read update delete list'),
  scan: row('read', 'read', 'read', 'create read stop', 'create read stop'),
  sbom: row('read', 'read', 'read', 'create read stop', 'create read stop'),
  scanner: row('read', 'read', 'read', 'read', 'create read'),
  'preheat-policy': row('', '', '', '', 'create read update delete list'),
  'export-cve': row('', '', 'create read list', 'create read list', 'create read list'),
} as const satisfies Matrix

export type ProjectResource = keyof typeof MATRIX

/** What everybody may in a public project, without any role (Harbor's getPoliciesForPublicProject). */
const PUBLIC: Partial<Record<string, string[]>> = {
  project: ['read'],
  label: ['read', 'list'],
  repository: ['list', 'pull'],
  scan: ['read'],
  scanner: ['read'],
  tag: ['list'],
  artifact: ['read', 'list'],
  'artifact-addition': ['read'],
  accessory: ['list'],
}

export function mayAnybody(resource: string, action: string): boolean {
  return PUBLIC[resource]?.includes(action) ?? false
}

export function isRole(name: string): name is Role {
  return (ROLES as readonly string[]).includes(name)
}

export function isProjectResource(name: string): name is ProjectResource {
  return Object.hasOwn(MATRIX, name)
}

/** @returns whether the role allows the action on that resource of its project */
export function may(role: Role, resource: ProjectResource, action: string): boolean {
  return MATRIX[resource][role].includes(action)
}

/** @returns the least role that allows it */
export function leastRole(resource: ProjectResource, action: string): Role | undefined {
  return ROLES.find((role) => may(role, resource, action))
}

/** Actions of each role, in the order of `ROLES`. */
function row(...cells: [string, string, string, string, string]): Record<Role, string[]> {
  const actions = (at: number) => cells[at]!.split(' ').filter((action) => action !== '')
  return {
    limitedGuest: actions(0),
    guest: actions(1),
    developer: actions(2),
    maintainer: actions(3),
    projectAdmin: actions(4),
  }
}
