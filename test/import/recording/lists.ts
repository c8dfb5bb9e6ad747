// What a Harbor 2.14 answers to whoever administers it: the fields of its swagger file, and of them those that its Go
// structs leave out when they are zero left out. Rows that only fill pages are made up.
const AT = { creation_time: '2024-05-02T08:11:27.000Z', update_time: '2024-06-11T16:40:03.000Z' }
const PULL = { action: 'pull', effect: 'allow', resource: 'repository' }
const PUSH = { action: 'push', effect: 'allow', resource: 'repository' }

const doublestar = (decoration: string, pattern: string) => ({ kind: 'doublestar', decoration, pattern })

/** More than two pages of a hundred. */
const LABELS = 230

export interface Peers {
  /** URL of a registry that answers. */
  upstream: string
  /** One that does not. */
  silent: string
}

function registriesOf({ upstream, silent }: Peers) {
  const credential = (access_key: string) => ({ type: 'basic', access_key, access_secret: '*****' })
  return [
    { id: 1, name: 'upstream', type: 'docker-registry', url: upstream, status: 'healthy', ...AT },
    {
      id: 2,
      name: 'dr site',
      type: 'harbor',
      url: silent,
      credential: credential('robot$sync'),
      insecure: true,
      status: 'unhealthy',
      ...AT,
    },
    {
      id: 3,
      name: 'ali',
      type: 'ali-acr',
      url: silent,
      credential: credential('LTAI'),
      status: 'healthy',
      ...AT,
    },
  ]
}

/** Path below `/api/v2.0` -> its rows. */
export function listsOf(peers: Peers): Record<string, object[]> {
  const registries = registriesOf(peers)
  const local = { id: 0, name: 'Local', type: 'harbor', url: 'http://core:8080', status: 'healthy', ...AT }
  return {
    '/projects': [
      {
        project_id: 1,
        owner_id: 1,
        owner_name: 'admin',
        name: 'library',
        repo_count: 1,
        current_user_role_id: 1,
        current_user_role_ids: [1],
        metadata: { public: 'true' },
        cve_allowlist: { id: 1, project_id: 1, items: [], ...AT },
        ...AT,
      },
      {
        project_id: 7,
        owner_id: 4,
        owner_name: 'ada',
        name: 'payments',
        repo_count: 2,
        metadata: {
          public: 'false',
          auto_scan: 'true',
          prevent_vul: 'false',
          severity: 'critical',
          reuse_sys_cve_allowlist: 'false',
          retention_id: '4',
        },
        cve_allowlist: {
          id: 5,
          project_id: 7,
          expires_at: 1893456000,
          items: [{ cve_id: 'CVE-2023-44487' }, { cve_id: 'CVE-2024-3094' }],
          ...AT,
        },
        ...AT,
      },
      {
        project_id: 9,
        owner_id: 1,
        owner_name: 'admin',
        name: 'hub',
        registry_id: 1,
        repo_count: 1,
        metadata: { public: 'true', proxy_speed_kb: '-1' },
        cve_allowlist: { id: 6, project_id: 9, items: [], ...AT },
        ...AT,
      },
    ],
    '/quotas': [quota(1, 'library', -1), quota(7, 'payments', 10_737_418_240), quota(9, 'hub', -1)],
    '/labels?scope=g': Array.from({ length: LABELS }, (_, at) => ({
      id: at + 1,
      name: `team ${at + 1}`,
      color: '#48960C',
      scope: 'g',
      ...AT,
    })),
    '/labels?scope=p&project_id=7': [
      {
        id: 900,
        name: 'audited',
        description: 'by the bank',
        color: '#C92100',
        scope: 'p',
        project_id: 7,
        ...AT,
      },
    ],
    '/projects/1/members': [member(1, 1, 'u', 1, 'admin', 1, 'projectAdmin')],
    '/projects/7/members': [
      member(7, 20, 'u', 4, 'ada', 1, 'projectAdmin'),
      member(7, 21, 'u', 5, 'Grace.Hopper', 4, 'maintainer'),
      member(7, 22, 'g', 3, 'cn=payments,ou=groups,dc=example,dc=com', 2, 'developer'),
      member(7, 23, 'u', 6, 'eve,l', 5, 'limitedGuest'),
    ],
    '/projects/9/members': [member(9, 30, 'u', 1, 'admin', 1, 'projectAdmin')],
    '/users': [user(4, 'ada', true), user(5, 'Grace.Hopper'), user(6, 'eve,l')],
    '/usergroups': [
      {
        id: 3,
        group_name: 'cn=payments,ou=groups,dc=example,dc=com',
        group_type: 1,
        ldap_group_dn: 'cn=payments,ou=groups,dc=example,dc=com',
      },
    ],
    '/robots': [
      {
        ...robot(40, 'robot$sync', 'system'),
        permissions: [
          { access: [PULL, { action: 'list', resource: 'repository' }], kind: 'project', namespace: '*' },
          { access: [{ action: 'read', resource: 'catalog' }], kind: 'system', namespace: '/' },
        ],
      },
    ],
    '/robots?q=Level=project,ProjectID=7': [
      {
        ...robot(41, 'robot$payments+ci', 'project'),
        description: 'builds',
        permissions: [{ access: [PUSH, PULL], kind: 'project', namespace: 'payments' }],
      },
      {
        ...robot(42, 'robot$payments+gone', 'project'),
        duration: 30,
        expires_at: 1_600_000_000,
        permissions: [{ access: [PULL], kind: 'project', namespace: 'payments' }],
      },
      {
        ...robot(12, 'robot$payments+ancient', 'project'),
        editable: false,
        permissions: [{ access: [PULL], kind: 'project', namespace: 'payments' }],
      },
      {
        ...robot(43, 'robot$payments+scan', 'project'),
        permissions: [
          { access: [{ action: 'fly', resource: 'repository' }], kind: 'project', namespace: 'payments' },
        ],
      },
    ],
    '/registries': registries,
    '/replication/policies': [
      {
        ...rule(50, 'to dr', local, registries[1]!),
        filters: [
          { type: 'name', value: 'payments/**' },
          { type: 'tag', value: 'v*', decoration: 'matches' },
          { type: 'label', value: ['audited'], decoration: 'matches' },
        ],
        trigger: { type: 'event_based', trigger_settings: {} },
        replicate_deletion: true,
        deletion: true,
      },
      {
        ...rule(51, 'nightly', registries[0]!, local),
        filters: [{ type: 'name', value: 'base/**' }],
        trigger: { type: 'scheduled', trigger_settings: { cron: '0 0 2 * * *' } },
      },
      { ...rule(52, 'to ali', local, registries[2]!), trigger: { type: 'manual' } },
    ],
    '/projects/7/webhook/policies': [
      {
        id: 60,
        name: 'chat',
        project_id: 7,
        event_types: ['PUSH_ARTIFACT', 'SCANNING_FAILED', 'DOWNLOAD_CHART'],
        enabled: true,
        creator: 'ada',
        targets: [
          {
            type: 'http',
            address: 'https://hooks.example.com/harbor',
            auth_header: 'Bearer s3cret',
            payload_format: 'CloudEvents',
          },
        ],
        ...AT,
      },
    ],
    '/projects/7/immutabletagrules': [
      {
        id: 70,
        action: 'immutable',
        template: 'immutable_template',
        tag_selectors: [doublestar('matches', 'v*')],
        scope_selectors: { repository: [doublestar('repoExcludes', 'scratch/**')] },
      },
    ],
  }
}

/** Path below `/api/v2.0` -> its object. */
export const OBJECTS: Record<string, object> = {
  '/systeminfo': { auth_mode: 'ldap_auth', primary_auth_mode: false, harbor_version: 'v2.14.0-2a3e7b4c' },
  '/configurations': {
    auth_mode: { editable: false, value: 'ldap_auth' },
    robot_name_prefix: { editable: true, value: 'robot$' },
  },
  '/system/CVEAllowlist': { id: 1, project_id: 0, items: [{ cve_id: 'CVE-2021-44228' }], ...AT },
  '/retentions/4': {
    id: 4,
    algorithm: 'or',
    rules: [
      {
        id: 1,
        action: 'retain',
        template: 'latestPushedK',
        params: { latestPushedK: 10 },
        tag_selectors: [doublestar('matches', '**')],
        scope_selectors: { repository: [doublestar('repoMatches', '**')] },
      },
    ],
    scope: { level: 'project', ref: 7 },
    trigger: { kind: 'Schedule', references: { job_id: 17 }, settings: { cron: '0 0 0 * * *' } },
  },
}

function quota(id: number, name: string, storage: number) {
  return { id, ref: { id, name, owner_name: 'admin' }, hard: { storage }, used: { storage: 0 }, ...AT }
}

function member(
  project_id: number,
  id: number,
  entity_type: string,
  entity_id: number,
  entity_name: string,
  role_id: number,
  role_name: string,
) {
  return { id, project_id, entity_id, entity_name, entity_type, role_id, role_name }
}

function user(user_id: number, username: string, sysadmin_flag = false) {
  const email = `user${user_id}@example.com`
  return { user_id, username, email, realname: username, sysadmin_flag, admin_role_in_auth: false, ...AT }
}

function robot(id: number, name: string, level: string) {
  const state = { disable: false, editable: true, duration: -1, expires_at: -1 }
  return { id, name, level, ...state, creator_type: 'local', creator_ref: 4, ...AT }
}

function rule(id: number, name: string, src_registry: object, dest_registry: object) {
  const usual = { dest_namespace_replace_count: -1, override: true, enabled: true, speed: 0 }
  return { id, name, src_registry, dest_registry, ...usual, copy_by_chunk: false, ...AT }
}
