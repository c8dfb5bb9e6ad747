// What robots can be given: Harbor's two lists (goharbor/harbor src/common/rbac/const.go, v2.14).

/** Within projects: resource -> actions. */
export const PROJECT_PERMISSIONS: Record<string, string[]> = table({
  log: 'list',
  project: 'read delete update',
  metadata: 'create read update delete list',
  repository: 'read update delete list pull push',
  artifact: 'create read list delete',
  scan: 'create read stop',
  sbom: 'create read stop',
  tag: 'create list delete',
  accessory: 'list',
  'artifact-addition': 'read',
  'artifact-label': 'create delete',
  scanner: 'create read',
  'preheat-policy': 'create read update delete list',
  'immutable-tag': 'create update delete list',
  'notification-policy': 'create read update delete list',
  'tag-retention': 'create read update delete list',
  label: 'create read update delete list',
  quota: 'read',
  robot: 'create read list delete',
  'export-cve': 'create read',
  member: 'create read update delete list',
})

/** On the whole registry: resource -> actions. */
export const SYSTEM_PERMISSIONS: Record<string, string[]> = table({
  'audit-log': 'list',
  'preheat-instance': 'create read update delete list',
  project: 'list create',
  'replication-policy': 'create read update delete list',
  replication: 'create read list',
  'replication-adapter': 'list',
  registry: 'create read update delete list',
  'scan-all': 'create read update stop',
  'system-volumes': 'read',
  'garbage-collection': 'create read list update stop',
  'purge-audit': 'create read list update stop',
  'jobservice-monitor': 'list stop',
  scanner: 'create read update delete list',
  label: 'create read update delete',
  'security-hub': 'read list',
  catalog: 'read',
  quota: 'read list update',
  robot: 'create read list delete',
  user: 'create read update delete list',
  'ldap-user': 'create list',
  'user-group': 'create read update delete list',
})

function table(cells: Record<string, string>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(cells).map(([resource, actions]) => [resource, actions.split(' ')]),
  )
}
