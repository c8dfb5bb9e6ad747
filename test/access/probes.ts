// For each right that an endpoint asks for, a request that needs exactly it and changes nothing when it is allowed:
// what it names is not there, or its body says too little. Victims are made anew after each deletion.

export interface Place {
  /** A project with the repository `app`, tagged `v1`. */
  project: string
  number: number
  label: number
  robot: number
}

export interface Registry {
  label: number
  robot: number
}

export interface Probe<Where> {
  /** `resource action`, as in Harbor's rules. */
  right: string
  method: string
  path(where: Where): string
  body?(where: Where): object
  /** What it deletes when it is allowed. */
  victim?: 'label' | 'robot'
  /** No role has the right in Harbor, so that its interface asks another one of users. */
  robotsOnly?: boolean
}

const API = '/api/v2.0'
const NONE = `sha256:${'0'.repeat(64)}`
const inProject = (rest: string) => (where: Place) => `${API}/projects/${where.project}${rest}`
const empty = () => ({})
const repositoryPath = (rest: string) => inProject(`/repositories/${rest}`)
const artifactPath = (rest: string) => repositoryPath(`app/artifacts${rest}`)
const robotBody = (kind: 'project' | 'system', namespace: string) => ({
  name: '',
  level: kind,
  duration: 1,
  // A robot hands on only what it has, and whoever may make robots has at least this.
  permissions: [{ kind, namespace, access: [{ resource: 'robot', action: 'create' }] }],
})

function probe<Where>(
  right: string,
  method: string,
  path: (where: Where) => string,
  more: Partial<Probe<Where>> = {},
): Probe<Where> {
  const needsBody = method === 'POST' || method === 'PUT' || method === 'PATCH'
  return { right, method, path, ...(needsBody ? { body: empty } : {}), ...more }
}

export const PROJECT_PROBES: Probe<Place>[] = [
  probe('project read', 'GET', inProject('')),
  probe('project read', 'GET', inProject('/summary')),
  probe('project update', 'PUT', inProject('')),
  probe('project delete', 'GET', inProject('/_deletable')),
  probe('project delete', 'DELETE', inProject('')), // it has a repository
  probe('member create', 'POST', inProject('/members')),
  probe('member read', 'GET', inProject('/members/999999')),
  probe('member update', 'PUT', inProject('/members/999999')),
  probe('member delete', 'DELETE', inProject('/members/999999')),
  probe('member list', 'GET', inProject('/members')),
  probe('metadata create', 'POST', inProject('/metadatas')),
  probe('metadata read', 'GET', inProject('/metadatas/public')),
  probe('metadata update', 'PUT', inProject('/metadatas/public')),
  probe('metadata delete', 'DELETE', inProject('/metadatas/public')),
  probe('metadata list', 'GET', inProject('/metadatas'), { robotsOnly: true }),
  probe('log list', 'GET', inProject('/logs')),
  probe('log list', 'GET', inProject('/auditlog-exts')),
  probe('label create', 'POST', () => `${API}/labels`, {
    body: ({ number }) => ({ scope: 'p', project_id: number, name: '' }),
  }),
  probe('label read', 'GET', ({ label }) => `${API}/labels/${label}`),
  probe('label update', 'PUT', ({ label }) => `${API}/labels/${label}`),
  probe('label delete', 'DELETE', ({ label }) => `${API}/labels/${label}`, { victim: 'label' }),
  probe('label list', 'GET', ({ number }) => `${API}/labels?scope=p&project_id=${number}`),
  probe('repository list', 'GET', inProject('/repositories')),
  probe('repository read', 'GET', repositoryPath('app')),
  probe('repository update', 'PUT', repositoryPath('app')),
  probe('repository delete', 'DELETE', repositoryPath('none')),
  probe('repository pull', 'GET', ({ project }) => `/v2/${project}/app/manifests/v1`),
  probe('repository pull', 'HEAD', ({ project }) => `/v2/${project}/app/blobs/${NONE}`),
  probe('repository pull', 'GET', ({ project }) => `/v2/${project}/app/tags/list`),
  probe('repository delete', 'DELETE', ({ project }) => `/v2/${project}/app/manifests/${NONE}`),
  probe('artifact list', 'GET', artifactPath('')),
  probe('artifact read', 'GET', artifactPath('/v1')),
  probe('artifact create', 'POST', artifactPath('')),
  probe('artifact delete', 'DELETE', artifactPath('/none')),
  probe('artifact-addition read', 'GET', artifactPath('/v1/additions/vulnerabilities')),
  probe('artifact-label create', 'POST', artifactPath('/v1/labels')),
  probe('artifact-label delete', 'DELETE', artifactPath('/v1/labels/999999')),
  probe('accessory list', 'GET', artifactPath('/v1/accessories')),
  probe('tag list', 'GET', artifactPath('/v1/tags')),
  probe('tag create', 'POST', artifactPath('/v1/tags')),
  probe('tag delete', 'DELETE', artifactPath('/v1/tags/none')),
  probe('robot create', 'POST', () => `${API}/robots`, {
    body: ({ project }) => robotBody('project', project),
  }),
  probe('robot read', 'GET', ({ robot }) => `${API}/robots/${robot}`),
  probe('robot update', 'PUT', ({ robot }) => `${API}/robots/${robot}`),
  probe('robot update', 'PATCH', ({ robot }) => `${API}/robots/${robot}`, {
    body: () => ({ secret: 'weak' }),
  }),
  probe('robot delete', 'DELETE', ({ robot }) => `${API}/robots/${robot}`, { victim: 'robot' }),
  probe('robot list', 'GET', ({ number }) => `${API}/robots?q=Level=project,ProjectID=${number}`),
]

/** The right to push alone: needs pulling too, as clients ask for both. */
export const PUSH_PROBE: Probe<Place> = probe(
  'repository push',
  'POST',
  ({ project }) => `/v2/${project}/app/blobs/uploads/`,
)

const at = (path: string) => () => `${API}${path}`

export const SYSTEM_PROBES: Probe<Registry>[] = [
  probe('audit-log list', 'GET', at('/audit-logs')),
  probe('audit-log list', 'GET', at('/auditlog-exts')),
  probe('project create', 'POST', at('/projects')),
  probe('system-volumes read', 'GET', at('/systeminfo/volumes')),
  probe('label create', 'POST', at('/labels'), { body: () => ({ scope: 'g', name: '' }) }),
  probe('label read', 'GET', ({ label }) => `${API}/labels/${label}`),
  probe('label update', 'PUT', ({ label }) => `${API}/labels/${label}`),
  probe('label delete', 'DELETE', ({ label }) => `${API}/labels/${label}`, { victim: 'label' }),
  probe('catalog read', 'GET', () => '/v2/_catalog'),
  probe('quota read', 'GET', at('/quotas/1')),
  probe('quota list', 'GET', at('/quotas')),
  probe('quota update', 'PUT', at('/quotas/1')),
  probe('robot create', 'POST', at('/robots'), { body: () => robotBody('system', '/') }),
  probe('robot read', 'GET', ({ robot }) => `${API}/robots/${robot}`),
  probe('robot update', 'PUT', ({ robot }) => `${API}/robots/${robot}`),
  probe('robot update', 'PATCH', ({ robot }) => `${API}/robots/${robot}`, {
    body: () => ({ secret: 'weak' }),
  }),
  probe('robot delete', 'DELETE', ({ robot }) => `${API}/robots/${robot}`, { victim: 'robot' }),
  probe('robot list', 'GET', at('/robots')),
  probe('user list', 'GET', at('/users')),
  probe('user create', 'POST', at('/users')),
  probe('user read', 'GET', at('/users/1')),
  probe('user update', 'PUT', at('/users/1')),
  probe('user update', 'PUT', at('/users/1/sysadmin'), { body: () => ({ sysadmin_flag: true }) }),
  probe('user update', 'PUT', at('/users/999999/password')),
  probe('user update', 'PUT', at('/users/999999/cli_secret')),
  probe('user delete', 'DELETE', at('/users/999999')),
  probe('user-group list', 'GET', at('/usergroups')),
  probe('user-group create', 'POST', at('/usergroups')),
  probe('user-group read', 'GET', at('/usergroups/999999')),
  probe('user-group update', 'PUT', at('/usergroups/999999')),
  probe('user-group delete', 'DELETE', at('/usergroups/999999')),
  probe('configuration read', 'GET', at('/configurations')),
  probe('configuration read', 'GET', at('/internalconfig')),
  probe('configuration update', 'PUT', at('/configurations')),
]
