// An import from a Harbor's recorded answers. That the recording is one is judged by Harbor's own swagger file.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeImage } from '../clients/image.ts'
import { freePort } from '../support/aws-stores.ts'
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts'
import { ADMIN_PASSWORD } from '../support/server.ts'
import { openPlace, type Place } from './place.ts'
import { LOGIN, type RecordedHarbor, startRecordedHarbor } from './recording/harbor.ts'

const MINUTE = 60_000
const AT = { push_time: '2024-06-11T16:40:03.000Z', pull_time: '0001-01-01T00:00:00.000Z' }
let here: Place
let harbor: RecordedHarbor
let upstream: DockerRegistry
let printed: string

/** An artifact as Harbor lists it. */
function artifact(
  id: number,
  repository_name: string,
  digest: string,
  tags: string[] | null,
  labels: object[] | null = null,
) {
  return {
    id,
    type: 'IMAGE',
    media_type: 'application/vnd.oci.image.config.v1+json',
    manifest_media_type: 'application/vnd.oci.image.manifest.v1+json',
    project_id: 7,
    repository_id: 11,
    repository_name,
    digest,
    size: 51_000,
    extra_attrs: { architecture: 'amd64', os: 'linux' },
    ...AT,
    references: null,
    labels,
    accessories: null,
    tags:
      tags?.map((name, at) => ({
        id: id * 10 + at,
        artifact_id: id,
        repository_id: 11,
        name,
        immutable: false,
        ...AT,
      })) ?? null,
  }
}

const digests: Record<string, string> = {}

beforeAll(async () => {
  here = await openPlace()
  await writeFile(path.join(here.directory, 'password'), LOGIN.password)
  upstream = await startDockerRegistry()
  const silent = `http://127.0.0.1:${await freePort()}`
  harbor = await startRecordedHarbor({ upstream: upstream.url, silent })
  for (const name of ['payments/ledger/api', 'payments/web', 'library/tool']) {
    const { layout, digest } = await makeImage(path.join(here.directory, name), {
      layers: 1,
      layerBytes: 50_000,
    })
    digests[name] = digest
    await here.sh(
      `skopeo copy -q --preserve-digests --dest-tls-verify=false oci:${layout}:v1 docker://${harbor.behind.host}/${name}:v1`,
    )
  }
  const repository = (id: number, name: string) => ({
    id,
    project_id: 7,
    name,
    artifact_count: 1,
    pull_count: 3,
  })
  const untagged = `sha256:${'7'.repeat(64)}`
  Object.assign(harbor.lists, {
    '/projects/payments/repositories': [
      repository(11, 'payments/ledger/api'),
      repository(12, 'payments/web'),
    ],
    '/projects/library/repositories': [repository(13, 'library/tool')],
    '/projects/payments/repositories/ledger%252Fapi/artifacts': [
      artifact(
        1,
        'payments/ledger/api',
        digests['payments/ledger/api']!,
        ['v1'],
        [...harbor.lists['/labels?scope=p&project_id=7']!, harbor.lists['/labels?scope=g']![228]!],
      ),
      artifact(2, 'payments/ledger/api', untagged, null),
    ],
    '/projects/payments/repositories/web/artifacts': [
      artifact(3, 'payments/web', digests['payments/web']!, ['v1']),
    ],
    '/projects/library/repositories/tool/artifacts': [
      artifact(4, 'library/tool', digests['library/tool']!, ['v1']),
    ],
  })
  await here.sh(`crane auth login ${here.server.host} --insecure -u admin -p ${ADMIN_PASSWORD}`)
  const { stdout } = await here.bring(harbor.url, '--create-users')
  printed = stdout
}, 2 * MINUTE)
afterAll(async () => {
  await here.close()
  await harbor.stop()
  await upstream.stop()
})

const lines = (kind: string) => printed.split('\n').filter((line) => line.split('\t')[1] === kind)

test('every answer of the recording is one that Harbor’s swagger file describes', () => {
  expect(harbor.asked.length).toBeGreaterThan(20)
  expect(harbor.breaches).toEqual([])
})

test('content arrives from repositories with slashes in their names, which are asked for encoded twice', async () => {
  expect(harbor.asked).toContainEqual(expect.stringContaining('/repositories/ledger%252Fapi/artifacts?'))
  for (const [name, digest] of Object.entries(digests))
    expect((await here.sh(`crane digest --insecure ${here.server.host}/${name}:v1`)).trim()).toBe(digest)
  expect(lines('artifact')).toEqual([
    `untagged\tartifact\tpayments/ledger/api@sha256:${'7'.repeat(64)}\tthere sha256:${'7'.repeat(64)}\there -`,
  ])
})

test('all pages of a list come', async () => {
  expect(lines('label')).toHaveLength(231)
  const answer = await here.admin('GET', '/labels?scope=g&page_size=1')
  expect(answer.headers['x-total-count']).toBe('230')
})

test('artifacts have the labels that they have there', async () => {
  const path = '/projects/payments/repositories/ledger%252Fapi/artifacts/v1?with_label=true'
  const { json } = await here.admin('GET', path)
  expect(json.labels.map(({ name }: { name: string }) => name).sort()).toEqual(['audited', 'team 229'])
  expect(lines('artifact label')).toHaveLength(2)
})

test('projects have their settings, quotas and allowlists, and caches their registry', async () => {
  expect(lines('project')).toEqual(['brought\tproject\thub', 'brought\tproject\tpayments'])
  const { json: payments } = await here.admin('GET', '/projects/payments')
  expect(payments).toMatchObject({
    metadata: { public: 'false', severity: 'critical', prevent_vul: 'false' },
    cve_allowlist: {
      items: [{ cve_id: 'CVE-2023-44487' }, { cve_id: 'CVE-2024-3094' }],
      expires_at: 1893456000,
    },
  })
  expect(payments.metadata.retention_id).toBeUndefined()
  const { json: summary } = await here.admin('GET', '/projects/payments/summary')
  expect(summary.quota.hard.storage).toBe(10_737_418_240)
  const [upstream] = (await here.admin('GET', '/registries?q=name=upstream')).json
  expect((await here.admin('GET', '/projects/hub')).json.registry_id).toBe(upstream.id)
  expect((await here.admin('GET', '/system/CVEAllowlist')).json.items).toEqual([{ cve_id: 'CVE-2021-44228' }])
})

test('users, groups and their roles come; who cannot be one here is told, and nobody becomes an administrator', async () => {
  const { json: members } = await here.admin('GET', '/projects/payments/members')
  const named = members.map(({ entity_name, entity_type, role_name }: Record<string, string>) =>
    [entity_type, entity_name, role_name].join(' '),
  )
  expect(named.sort()).toEqual([
    'g cn=payments,ou=groups,dc=example,dc=com developer',
    'u Grace.Hopper maintainer',
    'u ada projectAdmin',
  ])
  expect(lines('user')).toContainEqual(expect.stringMatching(/^failed\tuser\teve,l\tinvalid user name/))
  expect(lines('member')).toContainEqual(expect.stringMatching(/^failed\tmember\tpayments user eve,l\t/))
  expect(lines('user')).toContainEqual('note\tuser\tada\tan administrator there, and a usual user here')
  expect(lines('users')).toEqual([expect.stringContaining('they log in by ldap_auth there')])
})

test('robots come with their rights and new secrets; those that cannot are told with the reason', async () => {
  const secrets = printed.split('\n').filter((line) => line.startsWith('secret\trobot\t'))
  expect(secrets.map((line) => line.split('\t')[2])).toEqual(['robot$payments+ci', 'robot$sync'])
  expect(lines('robot').filter((line) => !line.startsWith('secret'))).toEqual([
    'brought\trobot\tpayments+ci',
    'note\trobot\tpayments+gone\tnot brought: it has expired there',
    'note\trobot\tpayments+ancient\tnot brought: it is of a Harbor before 2.2, whose robots have other rights',
    expect.stringMatching(/^failed\trobot\tpayments\+scan\t.*repository:fly/),
    'brought\trobot\tsync',
  ])
  const { json: system } = await here.admin('GET', '/robots')
  expect(system).toMatchObject([
    { name: 'robot$sync', permissions: [{ namespace: '*' }, { kind: 'system', namespace: '/' }] },
  ])
})

test('registries come without secrets, and rules disabled', async () => {
  expect(lines('registry')).toEqual([
    'brought\tregistry\tupstream',
    'brought\tregistry\tdr site',
    'note\tregistry\tdr site\tits secret is told by nobody: set it here',
    'failed\tregistry\tali\tthere is no registry type "ali-acr"',
  ])
  expect(lines('replication rule')).toEqual([
    'brought\treplication rule\tto dr',
    'note\treplication rule\tto dr\tit comes disabled: --enable-rules enables it',
    'brought\treplication rule\tnightly',
    'note\treplication rule\tnightly\tit comes disabled: --enable-rules enables it',
    'failed\treplication rule\tto ali\tits registry was not brought',
  ])
  const { json: rules } = await here.admin('GET', '/replication/policies')
  expect(rules.filter(({ name }: { name: string }) => !name.startsWith('import-'))).toMatchObject([
    {
      name: 'to dr',
      enabled: false,
      trigger: { type: 'event_based' },
      filters: [
        { type: 'name', value: 'payments/**' },
        { type: 'tag', value: 'v*' },
        { type: 'label', value: ['audited'] },
      ],
      replicate_deletion: true,
      dest_registry: { name: 'dr site', insecure: true },
    },
    {
      name: 'nightly',
      trigger: { trigger_settings: { cron: '0 0 2 * * *' } },
      src_registry: { name: 'upstream' },
    },
  ])
  const { json: webhooks } = await here.admin('GET', '/projects/payments/webhook/policies')
  expect(webhooks).toMatchObject([
    {
      name: 'chat',
      enabled: false,
      event_types: ['PUSH_ARTIFACT', 'SCANNING_FAILED'],
      targets: [{ payload_format: 'CloudEvents' }],
    },
  ])
  expect(lines('webhook')).toContainEqual(
    'note\twebhook\tpayments chat\tevents that are not told here: DOWNLOAD_CHART',
  )
  expect((await here.admin('GET', '/projects/payments/immutabletagrules')).json).toMatchObject([
    {
      disabled: false,
      scope_selectors: { repository: [{ decoration: 'repoExcludes', pattern: 'scratch/**' }] },
    },
  ])
  expect(lines('retention')).toEqual([
    expect.stringMatching(/^note\tretention\tpayments\tnot brought: 1 rule/),
  ])
})

test(
  'a second run finds nothing more to do, and --enable-rules enables what was left disabled',
  async () => {
    const second = await here.bring(harbor.url, '--create-users')
    expect(second.stdout).toMatch(/^nothing was changed$/m)
    expect(second.stdout.match(/^(brought|changed|differs)\t.*/gm)).toEqual(null)
    const enabled = await here.bring(harbor.url, '--enable-rules', '--overwrite')
    expect(enabled.stdout.match(/^changed\t.*/gm)).toEqual([
      'changed\twebhook\tpayments chat\tenabled is true there and false here',
      'changed\treplication rule\tto dr\tenabled is true there and false here',
      'changed\treplication rule\tnightly\tenabled is true there and false here',
    ])
  },
  MINUTE,
)
