// Every suite of the project: what it runs, what it needs, and when it runs.

export interface Suite {
  name: string
  /** Folder or files given to vitest. */
  files: string[]
  /** Programs that must be on PATH or in tools/bin; without them the suite is skipped and named. */
  needs: string[]
  /** `default` runs in `npm test`; `ci` also in `.ci/run`; `all` only in `npm run test:all` or by name. */
  when: 'default' | 'ci' | 'all'
  env?: Record<string, string>
  /** All files in one process, one after another: they share what is slow to start. */
  together?: boolean
}

function client(name: string, needs: string[], when: Suite['when'] = 'ci'): Suite {
  return { name: `clients-${name}`, files: [`test/clients/${name}.test.ts`], needs, when }
}

/** The same files again with every server on S3 and DynamoDB. */
function onAws(suite: Suite, env: Record<string, string> = {}, when: Suite['when'] = suite.when): Suite {
  const needs = [...suite.needs, ...AWS_STORES]
  return {
    ...suite,
    name: `aws-${suite.name}`,
    needs,
    when,
    env: { ...suite.env, TEST_STORES: 'aws', ...env },
  }
}

/** Under its own names, which takes root. */
const DOCKER_HUB = ['docker-registry', 'openssl']
const AWS_STORES = ['versitygw', 'dynoxide']

function aws(name: string, env: Record<string, string> = {}): Suite {
  return { name: `aws-${name}`, files: [`test/aws/${name}.test.ts`], needs: AWS_STORES, when: 'ci', env }
}

const CLIENTS: Suite[] = [
  client('skopeo', ['skopeo']),
  client('buildah', ['buildah', 'skopeo']),
  client('podman', ['podman', 'skopeo']),
  client('umoci', ['umoci', 'skopeo', 'jq']),
  client('docker', ['dockerd', 'docker', 'containerd', 'runc']),
  client('gitlab', ['dockerd', 'docker', 'containerd', 'runc']),
  client('containerd', ['containerd', 'ctr']),
  client('crane', ['crane']),
  client('oras', ['oras']),
  client('regctl', ['regctl']),
  client('tls', ['crane', 'podman', 'dockerd', 'docker', 'openssl']),
  client('helm', ['helm'], 'all'),
  client('cosign', ['cosign', 'oras'], 'all'),
  client('notation', ['notation', 'oras'], 'all'),
  client('containerd2', ['containerd2', 'ctr2'], 'all'),
]

const LOCAL: Suite[] = [
  { name: 'unit', files: ['test/unit'], needs: [], when: 'default' },
  { name: 'domain', files: ['test/domain'], needs: [], when: 'default' },
  { name: 'property', files: ['test/property'], needs: [], when: 'default' },
  { name: 'contract', files: ['test/contract'], needs: [], when: 'default' },
  { name: 'api', files: ['test/api'], needs: [], when: 'default' },
  { name: 'harbor-contract', files: ['test/harbor/contract.test.ts'], needs: [], when: 'default' },
  { name: 'openapi', files: ['test/openapi'], needs: [], when: 'default' },
  { name: 'schemathesis', files: ['test/schemathesis'], needs: ['schemathesis'], when: 'ci' },
  { name: 'access', files: ['test/access'], needs: [], when: 'ci' },
  { name: 'events', files: ['test/events'], needs: [], when: 'default' },
  { name: 'policy', files: ['test/policy'], needs: ['openssl'], when: 'default' },
  {
    name: 'policy-signing',
    files: ['test/signing'],
    needs: ['cosign', 'notation', 'crane', 'openssl'],
    when: 'all',
  },
  { name: 'infra', files: ['test/infra'], needs: [], when: 'default' },
  { name: 'cli', files: ['test/cli/'], needs: [], when: 'default' },
  { name: 'certificates', files: ['test/certificates'], needs: ['openssl'], when: 'default' },
  { name: 'model', files: ['test/model'], needs: [], when: 'default' },
  { name: 'model-long', files: ['test/model'], needs: [], when: 'all', env: { MODEL_STEPS: '400000' } },
  {
    name: 'conformance-v1',
    files: ['test/conformance/v1.test.ts'],
    needs: ['oci-conformance-v1'],
    when: 'ci',
  },
  {
    name: 'conformance-rc',
    files: ['test/conformance/rc.test.ts'],
    needs: ['oci-conformance-rc'],
    when: 'ci',
  },
  {
    name: 'conformance-main',
    files: ['test/conformance/main.test.ts'],
    needs: ['oci-conformance-main'],
    when: 'ci',
  },
  {
    name: 'replication',
    files: ['test/replication'],
    needs: ['docker-registry', 'skopeo', 'crane', 'oras'],
    when: 'ci',
  },
  {
    name: 'import',
    files: ['test/import'],
    needs: ['docker-registry', 'skopeo', 'crane', 'oras'],
    when: 'ci',
  },
  {
    name: 'scan',
    files: ['test/scanning'],
    needs: ['trivy', 'trivy-db', 'go', 'crane', 'oras', 'docker-registry', 'jq', 'python3'],
    when: 'all',
  },
  {
    name: 'scanners',
    files: ['test/scanners'],
    needs: ['harbor-scanner-trivy', 'redis-server', 'trivy', 'trivy-db', 'go', 'crane', 'oras'],
    when: 'all',
  },
  {
    name: 'durability-kill',
    files: ['test/durability/kill.test.ts'],
    needs: [],
    when: 'ci',
    env: { KILLS: process.env.KILLS ?? '12' },
  },
  {
    name: 'durability-sync',
    files: ['test/durability/sync.test.ts'],
    needs: ['strace'],
    when: 'ci',
    // Nothing but the registry's own writes.
    env: { NODE_DISABLE_COMPILE_CACHE: '1' },
  },
  { name: 'cfn-lint', files: ['test/lint'], needs: ['cfn-lint'], when: 'ci' },
  {
    name: 'harbor-cli',
    files: ['test/harbor/harbor-cli'],
    needs: ['harbor-cli', ...DOCKER_HUB, 'crane', 'script'],
    when: 'all',
  },
  {
    name: 'harbor-adapter',
    files: ['test/harbor/adapter.test.ts'],
    needs: ['harbor-adapter', ...DOCKER_HUB, 'crane', 'oras', 'skopeo'],
    when: 'all',
  },
  {
    name: 'terraform',
    files: ['test/harbor/terraform.test.ts'],
    needs: ['terraform-provider-harbor', 'terraform-provider-harbor-tests', 'tofu', ...DOCKER_HUB],
    when: 'all',
  },
  {
    name: 'proxy',
    files: ['test/proxy'],
    needs: [
      ...AWS_STORES,
      'docker-registry',
      'skopeo',
      'crane',
      'oras',
      'podman',
      'containerd',
      'ctr',
      'dockerd',
      'docker',
      'runc',
      'jq',
    ],
    when: 'ci',
  },
  { name: 'exports', files: ['test/exports'], needs: ['python3'], when: 'ci' },
  { name: 'lists', files: ['test/lists'], needs: ['crane', 'oras', 'skopeo', 'jq'], when: 'ci' },
  { name: 'slow', files: ['test/slow'], needs: [], when: 'all' },
  // Mounts a small file system of its own, which takes root.
  { name: 'durability-disk', files: ['test/durability/full-disk.test.ts'], needs: ['mount'], when: 'all' },
]

const named = (name: string) => LOCAL.find((suite) => suite.name === name)!

export const TWIN = [...AWS_STORES, 'ministack', 'openssl']

/** On the deployed twin: one start for all the files. */
function onTwin(
  name: string,
  files: string[],
  needs: string[],
  when: Suite['when'] = 'ci',
  variant = '',
): Suite {
  const env = { TEST_STORES: 'twin', TWIN_VARIANT: variant }
  return { name: `twin-${name}`, files, needs: [...TWIN, ...needs], when, env, together: true }
}

/** These bring a registry of their own shape. */
const ONCE = ['clients-tls', 'clients-gitlab']

const clientsThatRun = (when: Suite['when']) =>
  CLIENTS.filter((suite) => suite.when === when && !ONCE.includes(suite.name))
const filesOf = (suites: Suite[]) => suites.flatMap(({ files }) => files)
const needsOf = (suites: Suite[]) => suites.flatMap(({ needs }) => needs)

const CONFORMANCE = 'test/twin/conformance.test.ts'
const PROGRAMS = ['oci-conformance-rc', 'oci-conformance-main']
const core = clientsThatRun('ci')
const more = clientsThatRun('all')

/** The same clients as somebody who is no administrator. */
function withLogin(login: 'user' | 'robot', suite: Suite): Suite {
  return { ...suite, env: { ...suite.env, TEST_LOGIN: login } }
}

const AS_OTHERS: Suite[] = (['user', 'robot'] as const).map((login) =>
  withLogin(login, {
    name: `clients-as-${login}`,
    files: filesOf(core),
    needs: needsOf(core),
    when: login === 'robot' ? 'ci' : 'all',
  }),
)

const ON_TWIN: Suite[] = [
  onTwin(
    'deployment',
    [
      'limits',
      'bytes',
      'rights',
      'cognito',
      'bad-input',
      'doctor',
      'ingest',
      'logins',
      'on-push',
      'proxy',
    ].map((name) => `test/twin/${name}.test.ts`),
    ['skopeo', 'crane', 'oras', 'regctl'],
  ),
  onTwin(
    'guide',
    ['test/twin/deploy-guide.test.ts'],
    ['dockerd', 'docker', 'containerd', 'runc'],
    'ci',
    'guide',
  ),
  onTwin('access', ['test/access'], [], 'all'),
  onTwin('scans', ['test/twin/scans.test.ts'], ['trivy', 'trivy-db', 'go', 'crane'], 'all'),
  onTwin('conformance', [CONFORMANCE], PROGRAMS),
  onTwin('clients', filesOf(core), needsOf(core)),
  withLogin('robot', onTwin('robots', filesOf(core), needsOf(core), 'all')),
  onTwin('clients-more', filesOf(more), needsOf(more), 'all'),
  onTwin(
    'alb',
    [CONFORMANCE, 'test/twin/rights.test.ts', ...filesOf(core)],
    [...PROGRAMS, ...needsOf(core)],
    'all',
    'alb',
  ),
  onTwin('indirect', [CONFORMANCE, ...filesOf(core)], [...PROGRAMS, ...needsOf(core)], 'all', 'direct-off'),
]

export const SUITES: Suite[] = [
  ...LOCAL,
  ...CLIENTS,
  ...AS_OTHERS,
  { name: 'jobs', files: ['test/jobs'], needs: AWS_STORES, when: 'ci' },
  aws('contract'),
  aws('strictness'),
  aws('processes'),
  aws('disabling'),
  aws('direct-uploads'),
  aws('recovery'),
  { name: 'aws-queue', files: ['test/aws/queue.test.ts'], needs: ['ministack'], when: 'ci' },
  { name: 'aws-event-bus', files: ['test/aws/event-bus.test.ts'], needs: ['ministack'], when: 'ci' },
  { name: 'aws-ecr', files: ['test/aws/ecr.test.ts'], needs: ['ministack'], when: 'ci' },
  { name: 'aws-preflight', files: ['test/aws/preflight.test.ts'], needs: ['ministack'], when: 'ci' },
  aws('model'),
  aws('calls'),
  aws('scale'),
  aws('large'),
  aws('faults'),
  // Every tenth call; the evidence cuts every single one.
  aws('cuts', { CUT_STRIDE: process.env.CUT_STRIDE ?? '10' }),
  // The core's own suites: bytes through the server, so that all of it is seen; the clients follow redirects.
  onAws(named('api'), { TEST_REDIRECT: 'off' }, 'ci'),
  onAws(named('import'), {}, 'all'),
  {
    name: 'aws-proxy-retention',
    files: ['test/domain/proxy-retention.test.ts'],
    needs: AWS_STORES,
    when: 'ci',
    env: { TEST_STORES: 'aws' },
  },
  onAws(named('conformance-v1')),
  onAws(named('conformance-rc')),
  onAws(named('conformance-main'), {}, 'all'),
  onAws(named('durability-kill'), { KILLS: process.env.KILLS ?? '10' }),
  // In CI they come through the twin's edge.
  ...CLIENTS.filter(({ name }) => name !== 'clients-tls').map((suite) => onAws(suite, {}, 'all')),
  onAws(named('exports')),
  onAws(named('scan')),
  ...ON_TWIN,
]
