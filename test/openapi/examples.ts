// A body for each operation that takes one: for readers of docs/openapi.yaml, and for whoever tries it out.

const SELECTOR = { kind: 'doublestar', pattern: 'v*' }
const IMMUTABLE_RULE = {
  action: 'immutable',
  template: 'immutable_template',
  disabled: false,
  tag_selectors: [{ ...SELECTOR, decoration: 'matches' }],
  scope_selectors: { repository: [{ ...SELECTOR, pattern: '**', decoration: 'repoMatches' }] },
}
const ROBOT = {
  name: 'builder',
  description: 'builds images',
  level: 'project',
  duration: 30,
  permissions: [
    { kind: 'project', namespace: 'library', access: [{ resource: 'repository', action: 'pull' }] },
  ],
}
const SCANNER = {
  name: 'second-opinion',
  description: 'a second opinion',
  url: 'https://scanner.example.com',
  auth: 'APIKey',
  access_credential: 'Correct-Horse-7',
  skip_certVerify: false,
  use_internal_addr: false,
  disabled: false,
}
const REGISTRY = {
  name: 'hub',
  description: 'images of others',
  type: 'docker-hub',
  url: 'https://hub.docker.com',
  insecure: false,
  credential: { type: 'basic', access_key: 'captain', access_secret: 'a token' },
}

const WEBHOOK = {
  name: 'ci',
  description: 'starts builds',
  enabled: true,
  event_types: ['PUSH_ARTIFACT'],
  targets: [
    {
      type: 'http',
      address: 'https://ci.example.com/hooks',
      auth_header: 'Bearer Correct-Horse-6',
      skip_cert_verify: false,
      payload_format: 'CloudEvents',
    },
  ],
}
const POLICY = {
  name: 'to-the-south',
  dest_registry: { id: 1 },
  filters: [
    { type: 'name', value: 'library/**' },
    { type: 'tag', value: 'v*', decoration: 'matches' },
  ],
  trigger: { type: 'event_based' },
  enabled: true,
  override: true,
}

/** By operation. */
export const EXAMPLES: Record<string, unknown> = {
  updateRepository: { description: 'What every ship of ours runs.' },
  createTag: { name: 'v1.0' },
  addLabel: { id: 1 },
  CreateLabel: { name: 'reviewed', description: 'looked at by two people', color: '#00AB9A', scope: 'g' },
  UpdateLabel: { name: 'approved', description: 'looked at by three people', color: '#00AB9A', scope: 'g' },
  createProject: { project_name: 'harbour', metadata: { public: 'false' }, storage_limit: -1 },
  updateProject: { metadata: { public: 'true' } },
  addProjectMetadatas: { auto_scan: 'true' },
  updateProjectMetadata: { auto_scan: 'false' },
  updateQuota: { hard: { storage: 1_073_741_824 } },
  createUser: {
    username: 'captain',
    email: 'captain@example.com',
    realname: 'A Captain',
    password: 'Correct-Horse-1',
  },
  updateUserProfile: { email: 'mate@example.com', realname: 'First Mate' },
  setUserSysAdmin: { sysadmin_flag: false },
  updateUserPassword: { new_password: 'Correct-Horse-2' },
  setCliSecret: { secret: 'Correct-Horse-3' },
  createUserGroup: { group_name: 'crew', group_type: 3 },
  updateUserGroup: { group_name: 'night-crew' },
  createProjectMember: { role_id: 2, member_user: { username: 'captain' } },
  updateProjectMember: { role_id: 4 },
  CreateRobot: ROBOT,
  UpdateRobot: {
    ...ROBOT,
    id: 1,
    name: 'robot$library+shipper',
    description: 'pulls what is shipped',
    disable: false,
  },
  RefreshSec: { secret: 'Correct-Horse-4' },
  updateConfigurations: { banner_message: 'Maintenance at noon' },
  createGCSchedule: { schedule: { type: 'Daily', cron: '0 0 0 * * *' }, parameters: { dry_run: false } },
  updateGCSchedule: { schedule: { type: 'Custom', cron: '0 30 4 * * *' }, parameters: { dry_run: false } },
  actionPendingJobs: { action: 'resume' },
  scanArtifact: { scan_type: 'vulnerability' },
  stopScanArtifact: { scan_type: 'vulnerability' },
  createScanAllSchedule: { schedule: { type: 'Daily', cron: '0 0 2 * * *' } },
  updateScanAllSchedule: { schedule: { type: 'Weekly', cron: '0 0 2 * * 0' } },
  exportScanData: {
    job_name: 'weekly',
    projects: [1],
    labels: [],
    repositories: '{app,tools/*}',
    tags: 'v*',
    cveIds: '',
  },
  createScanner: SCANNER,
  updateScanner: { ...SCANNER, name: 'third-opinion', url: 'https://scanner.example.com/third' },
  pingScanner: { name: SCANNER.name, url: SCANNER.url },
  setScannerAsDefault: { is_default: true },
  setScannerOfProject: { uuid: '5c3b1c0e-7b4c-4d38-9f3d-0c3f1d1b7a11' },
  createRegistry: REGISTRY,
  updateRegistry: { name: 'hub', description: 'images of others', access_secret: 'another token' },
  pingRegistry: { type: 'docker-hub', url: 'https://hub.docker.com', insecure: false },
  createReplicationPolicy: POLICY,
  updateReplicationPolicy: { ...POLICY, name: 'to-the-north', trigger: { type: 'manual' } },
  startReplication: { policy_id: 1 },
  CreateImmuRule: IMMUTABLE_RULE,
  UpdateImmuRule: {
    ...IMMUTABLE_RULE,
    id: 1,
    tag_selectors: [{ ...SELECTOR, pattern: 'release-*', decoration: 'matches' }],
  },
  CreateWebhookPolicyOfProject: WEBHOOK,
  UpdateWebhookPolicyOfProject: {
    ...WEBHOOK,
    name: 'deployments',
    description: 'starts builds and deployments',
  },
  updateRematchSchedule: { schedule: { type: 'Daily' } },
  updateSignatureTrust: {
    keyless: [],
    cosign_keys: [],
    notation_certificates: [],
    fulcio_certificates: [],
  },
  updateWebhookOptions: { repository_filter: 'team/**', tag_filter: 'v*', secret: 'Correct-Horse-5' },
  putSystemCVEAllowlist: { items: [{ cve_id: 'CVE-2019-10164' }], expires_at: 1_900_000_000 },
}
