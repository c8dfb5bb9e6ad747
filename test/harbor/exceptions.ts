// Where an answer may differ from Harbor's swagger file, and why. Whatever is not listed here is a breach.
import type { Operation } from './swagger.ts'

export interface Exception {
  /** Operation ids, or `*` for all. */
  operations: string[] | '*'
  /** What is let through, as `judge` words it. */
  lets: RegExp
  because: string
}

/** Said by a newer version of the file, goharbor/harbor at c50c7ddd. */
const LATER = 'Harbor’s next version describes it'

const SCHEDULES = ['getGCSchedule', 'getPurgeSchedule', 'getScanAllSchedule']

export const EXCEPTIONS: Exception[] = [
  {
    operations: '*',
    lets: /^status (400|401|403|422|429) is not described$/,
    because:
      'Harbor’s middleware answers so before any operation: no login, no right or no CSRF token, a query, parameter or ' +
      'body that it cannot read, too many requests',
  },
  {
    operations: '*',
    lets: /^status (413|503) is not described$/,
    because:
      'a body too large, and a registry that is read-only or shutting down, are answered whatever was asked',
  },
  {
    operations: SCHEDULES,
    lets: /^the body is empty$/,
    because:
      'where there is no schedule Harbor answers 200 and nothing, which the Terraform provider counts on',
  },
  {
    operations: ['getCurrentUserInfo'],
    lets: /^status 412 is not described$/,
    because: `a robot is no user; harbor-cli logs robots in by this status, and ${LATER}`,
  },
  {
    operations: ['getProject', 'deleteProjectMember', 'UpdateImmuRule', 'DeleteImmuRule'],
    lets: /^status 404 is not described$/,
    because: `what is not there: ${LATER}`,
  },
  {
    operations: ['deleteArtifact'],
    lets: /^status 412 is not described$/,
    because: 'a manifest of an index is deleted with it; Harbor’s own tests expect 412',
  },
  {
    operations: ['createProjectMember'],
    lets: /^status 404 is not described$/,
    because: 'Harbor’s server answers so when nobody has that name',
  },
  {
    operations: ['CreateRobot'],
    lets: /^status 409 is not described$/,
    because: 'Harbor’s server answers so when the name is taken',
  },
  {
    operations: ['deleteTag', 'CopyArtifact'],
    lets: /^status 412 is not described$/,
    because: 'Harbor’s server answers so when an immutable tag would go or move',
  },
  {
    operations: ['CreateImmuRule', 'UpdateImmuRule'],
    lets: /^status 409 is not described$/,
    because: 'Harbor’s server answers so when the project has that rule already',
  },
  {
    operations: ['deleteUserGroup'],
    lets: /^status 404 is not described$/,
    because: 'Harbor says 200 to the deletion of a group that is not there; here it is told',
  },
  {
    operations: ['deleteRepository'],
    lets: /^status 412 is not described$/,
    because: `an immutable tag is in it: ${LATER}`,
  },
  {
    operations: ['getUser', 'listUsers', 'getCurrentUserInfo'],
    lets: /must NOT have additional properties: "disabled"$/,
    because: 'ours: Harbor cannot lock a user out; its clients pass over fields they do not know',
  },
  {
    operations: ['getConfigurations'],
    lets: /must NOT have additional properties: "proxy_mirrors"$/,
    because: 'ours: Harbor is no mirror without a prefix',
  },
  {
    operations: ['getConfigurations'],
    lets: /must NOT have additional properties: "pull_(count_update|time_update|audit_log)_disable"$/,
    because: 'settings of Harbor’s that it reads from its environment only, and that can be changed here',
  },
  {
    operations: ['getProject', 'listProjects'],
    lets: /\/metadata must NOT have additional properties: "(proxy_(cache_(local_on_not_found|filter_pattern|filter_kind|deny_pattern)|referrer_api|local_first|fresh_seconds)|max_upstream_conn)"$/,
    because: `the Terraform provider sends it and compares: ${LATER}`,
  },
  {
    operations: ['getRegistry', 'listRegistries'],
    lets: /must NOT have additional properties: "ca_certificate"$/,
    because: `the certificate authority of one registry: ${LATER}`,
  },
  {
    operations: [
      'updateRegistry',
      'createRegistry',
      'deleteRegistry',
      'pingRegistry',
      'getRegistryInfo',
      'getRegistry',
    ],
    lets: /^status (404|409|412) is not described$/,
    because: 'Harbor’s server answers so',
  },
  {
    operations: ['CreateWebhookPolicyOfProject', 'UpdateWebhookPolicyOfProject', 'ListWebhookJobs'],
    lets: /^status (404|409) is not described$/,
    because: 'Harbor’s server answers so when the name is taken, and when there is no such policy',
  },
  {
    operations: [
      'createScanner',
      'updateScanner',
      'setScannerAsDefault',
      'getScannerMetadata',
      'scanArtifact',
    ],
    lets: /^status (404|409|412) is not described$/,
    because: 'no such scanner, its name or URL is taken, or it is deactivated: Harbor’s server answers so',
  },
  {
    operations: ['getReplicationPolicy', 'startReplication'],
    lets: /^status (404|412) is not described$/,
    because: 'no such rule, or a disabled one: Harbor’s server answers so',
  },
]

/** The exception that lets an objection through, if any does. */
export function exceptionFor(operation: Operation, objection: string): Exception | undefined {
  return EXCEPTIONS.find(
    ({ operations, lets }) =>
      (operations === '*' || operations.includes(operation.id)) && lets.test(objection),
  )
}
