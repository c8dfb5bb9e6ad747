// An import from another Entrepôt: what crane and skopeo find at both ends is the same, and so is who may do what.
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientOf } from '../api/client.ts'
import { basic, type Harbor, harborOf, makeProject, makeUser } from '../api/management.ts'
import { makeImage } from '../clients/image.ts'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { openPlace, type Place } from './place.ts'

const MINUTE = 60_000
let there: Server
let source: Harbor
let here: Place
let layouts: string

beforeAll(async () => {
  layouts = await mkdtemp(path.join(tmpdir(), 'entrepot-layouts-'))
  there = await startServer({ open: false })
  source = harborOf(there.url, 'admin')
  here = await openPlace()
  for (const host of [there.host, here.server.host])
    await here.sh(`crane auth login ${host} --insecure -u admin -p ${ADMIN_PASSWORD}
      oras login --plain-http ${host} -u admin -p ${ADMIN_PASSWORD}`)
  await furnish()
}, 2 * MINUTE)
afterAll(async () => {
  await there.stop()
  await here.close()
  await rm(layouts, { recursive: true, force: true })
})

/** People, rules and images there. */
async function furnish(): Promise<void> {
  await source('POST', '/projects', {
    project_name: 'team',
    metadata: { public: 'true', auto_scan: 'true', prevent_vul: 'false', severity: 'high' },
    storage_limit: 10 ** 9,
    cve_allowlist: { items: [{ cve_id: 'CVE-2024-1' }], expires_at: 1_900_000_000 },
  })
  await makeProject(source, 'other')
  await makeUser(source, 'ada')
  await makeUser(source, 'bob')
  await source('POST', '/projects/team/members', { role_id: 4, member_user: { username: 'ada' } })
  await source('POST', '/projects/team/members', { role_id: 2, member_user: { username: 'bob' } })
  await source('POST', '/projects/team/members', {
    role_id: 3,
    member_group: { group_name: 'crew', group_type: 3 },
  })
  await source('POST', '/labels', { name: 'golden', color: '#FFD700', scope: 'g' })
  const { project_id } = (await source('GET', '/projects/team')).json
  await source('POST', '/labels', { name: 'tested', color: '#00FF00', scope: 'p', project_id })
  const access = [
    { resource: 'repository', action: 'pull' },
    { resource: 'repository', action: 'push' },
  ]
  await source('POST', '/robots', {
    name: 'ci',
    level: 'project',
    duration: 90,
    permissions: [{ kind: 'project', namespace: 'team', access }],
  })
  await source('POST', '/robots', {
    name: 'sync',
    level: 'system',
    duration: -1,
    permissions: [
      { kind: 'project', namespace: '*', access },
      { kind: 'system', namespace: '/', access: [{ resource: 'catalog', action: 'read' }] },
    ],
  })
  await source('POST', '/projects/team/immutabletagrules', {
    action: 'immutable',
    template: 'immutable_template',
    scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: 'app/**' }] },
    tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'v*' }],
  })
  await source('POST', '/projects/team/webhook/policies', {
    name: 'deploys',
    enabled: true,
    event_types: ['PUSH_ARTIFACT'],
    targets: [{ type: 'http', address: 'https://hooks.example.com/1', auth_header: 'Bearer quiet' }],
  })
  for (const [name, options] of [
    ['team/app/web', { layers: 2, layerBytes: 100_000, architectures: ['amd64', 'arm64'] }],
    ['team/tools', { layers: 1, layerBytes: 50_000 }],
    ['other/base', { layers: 1, layerBytes: 50_000 }],
  ] as const) {
    const { layout } = await makeImage(path.join(layouts, name), options as never)
    await here.sh(
      `skopeo copy -q --all --preserve-digests --dest-tls-verify=false oci:${layout}:v1 docker://${there.host}/${name}:v1`,
    )
  }
  await here.sh(`echo '{"spdx":1}' > sbom.json
    oras attach --plain-http --artifact-type application/spdx+json ${there.host}/team/app/web:v1 sbom.json`)
}

/** By crane. */
async function digest(server: Server, name: string): Promise<string> {
  return (await here.sh(`crane digest --insecure ${server.host}/${name}`)).trim()
}

const secretsFile = () => path.join(here.directory, 'secrets')

test('a dry run says what it would bring and brings nothing', async () => {
  const { code, stdout } = await here.bring(there.url, '--dry-run')
  expect(stdout).toMatch(/^would bring\tproject\tteam$/m)
  expect(stdout).toMatch(/^would bring\trobot\tteam\+ci$/m)
  expect(stdout).toMatch(/^would pull\tartifact\tteam\/app\/web:v1\tthere sha256:[0-9a-f]{64}\there -$/m)
  expect(code).toBe(0)
  expect((await here.admin('GET', '/projects')).json.map(({ name }: { name: string }) => name)).toEqual([
    'library',
  ])
  expect((await here.admin('GET', '/registries')).json).toEqual([])
})

test(
  'an import brings one project alone where it is told to, and says that users are missing',
  async () => {
    const { code, stdout } = await here.bring(there.url, '--project', 'other')
    expect(stdout).toMatch(/^content: 1 the same, 0 missing/m)
    expect(code).toBe(0)
    expect(await digest(here.server, 'other/base:v1')).toBe(await digest(there, 'other/base:v1'))
    expect((await here.admin('GET', '/projects/team')).status).toBe(404)
    const users = async (...options: string[]) =>
      (await here.bring(there.url, '--project', 'team', '--dry-run', ...options)).stdout.match(
        /^.*\bada$|^.*ada\t.*$/gm,
      )
    expect(await users()).toEqual([
      'failed\tmember\tteam user ada\tnobody here is called ada: they log in once, or are made with --create-users',
    ])
    expect(await users('--create-users')).toEqual([
      'would bring\tuser\tada',
      'would bring\tmember\tteam user ada',
    ])
  },
  MINUTE,
)

test(
  'an import brings every digest, with what refers to it, as crane and oras see both ends',
  async () => {
    const { code, stdout, stderr } = await here.bring(
      there.url,
      ...['--create-users', '--secrets-to', secretsFile()],
    )
    expect([stderr, stdout.match(/^failed.*|^differs.*/gm)]).toEqual(['', null])
    expect(stdout).toMatch(/^content: \d+ the same, 0 missing, 0 differ, 0 only here/m)
    expect(code).toBe(0)
    for (const name of ['team/app/web:v1', 'team/tools:v1', 'other/base:v1'])
      expect(await digest(here.server, name)).toBe(await digest(there, name))
    await here.sh(`crane validate --insecure --remote ${here.server.host}/team/app/web:v1`)
    const discover = (host: string) =>
      here.sh(
        `oras discover --plain-http --format json ${host}/team/app/web:v1 | grep -o '"digest": "sha256:[0-9a-f]*"' | sort`,
      )
    expect(await discover(here.server.host)).toBe(await discover(there.host))
    const raw = (host: string) =>
      here.sh(`skopeo inspect --raw --tls-verify=false docker://${host}/team/app/web:v1`)
    expect(await raw(here.server.host)).toBe(await raw(there.host))
  },
  2 * MINUTE,
)

/** What both ends tell, without what each numbers and dates for itself. */
async function told(path: string): Promise<unknown[]> {
  const own = /^(id|.*_time|.*_id|owner_name|creator.*|repo_count|expires_at|duration|current_user.*)$/
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => !own.test(name))
        .map(([name, each]) => [name, plain(each)]),
    )
  }
  return Promise.all([source, here.admin].map(async (harbor) => plain((await harbor('GET', path)).json)))
}

test(
  'settings are what they are there',
  async () => {
    for (const path of [
      '/projects/team',
      '/projects/team/members',
      '/labels?scope=g',
      '/robots',
      '/projects/team/immutabletagrules',
    ]) {
      const [one, other] = await told(path)
      expect([path, other]).toEqual([path, one])
    }
    // What was pulled counts once its events are relayed: within a minute where another process pulled it.
    const isSame = async () => {
      const [one, other] = await told('/quotas')
      return JSON.stringify(one) === JSON.stringify(other)
    }
    await expect.poll(isSame, { timeout: 70_000, interval: 500 }).toBe(true)
    const webhooks = (await here.admin('GET', '/projects/team/webhook/policies')).json
    expect(webhooks).toMatchObject([
      { name: 'deploys', enabled: false, targets: [{ auth_header: 'Bearer quiet' }] },
    ])
  },
  2 * MINUTE,
)

test('robots and users log in with the secrets of the file, which only its owner reads', async () => {
  expect((await stat(secretsFile())).mode & 0o777).toBe(0o600)
  const lines = (await readFile(secretsFile(), 'utf8')).trim().split('\n')
  const logins = lines.map((line) => line.split('\t') as [string, string, string])
  expect(logins.map(([kind, name]) => `${kind} ${name}`).sort()).toEqual([
    'robot robot$sync',
    'robot robot$team+ci',
    'user ada',
    'user bob',
  ])
  for (const [, name, secret] of logins) {
    const http = clientOf(here.server.url, basic(name, secret))
    expect([name, (await http('GET', '/service/token?service=entrepot')).status]).toEqual([name, 200])
  }
})

test(
  'a second run changes nothing and says so',
  async () => {
    const { code, stdout } = await here.bring(there.url, '--create-users')
    expect(stdout).toMatch(/^settings: 0 brought, 0 changed/m)
    expect(stdout).toMatch(/^nothing was changed$/m)
    expect(stdout).not.toMatch(/^pulling/m)
    expect(code).toBe(0)
  },
  MINUTE,
)

test(
  'drift is told digest by digest, with exit code 1, until another run has ended it',
  async () => {
    await here.sh(`crane copy --insecure ${there.host}/team/tools:v1 ${there.host}/team/tools:moved
      crane copy --insecure ${there.host}/other/base:v1 ${there.host}/team/new:v1`)
    await here.bring(there.url)
    await here.sh(`crane copy --insecure ${there.host}/other/base:v1 ${there.host}/team/tools:moved
      crane copy --insecure ${there.host}/other/base:v1 ${there.host}/team/newer:v1
      crane copy --insecure ${here.server.host}/other/base:v1 ${here.server.host}/team/extra:v1`)
    const [base, tools] = [await digest(there, 'other/base:v1'), await digest(there, 'team/tools:v1')]
    const { code, stdout } = await here.bring(there.url, '--drift', '--project', 'team')
    expect(
      stdout
        .split('\n')
        .filter((line) => line.includes('\tartifact\t'))
        .sort(),
    ).toEqual([
      `differs\tartifact\tteam/tools:moved\tthere ${base}\there ${tools}`,
      `extra\tartifact\tteam/extra:v1\tthere -\there ${base}`,
      `missing\tartifact\tteam/newer:v1\tthere ${base}\there -`,
    ])
    expect(code).toBe(1)
    await here.sh(`crane delete --insecure ${here.server.host}/team/extra:v1`)
    expect((await here.bring(there.url)).code).toBe(0)
    expect(await digest(here.server, 'team/tools:moved')).toBe(base)
    expect((await here.bring(there.url, '--drift')).code).toBe(0)
  },
  2 * MINUTE,
)

test(
  'what people changed here is told and left, and changed only with --overwrite',
  async () => {
    const members = (await here.admin('GET', '/projects/team/members')).json
    const ada = members.find(({ entity_name }: { entity_name: string }) => entity_name === 'ada')
    await here.admin('PUT', `/projects/team/members/${ada.id}`, { role_id: 3 })
    const left = await here.bring(there.url)
    expect(left.stdout).toMatch(
      /^differs\tmember\tteam user ada\tthe role is "maintainer" there and "guest" here$/m,
    )
    expect([left.code, left.stdout.includes('nothing was changed')]).toEqual([1, true])
    const changed = await here.bring(there.url, '--overwrite')
    expect(changed.stdout).toMatch(/^changed\tmember\tteam user ada/m)
    expect(changed.code).toBe(0)
    const role = (await here.admin('GET', `/projects/team/members/${ada.id}`)).json.role_id
    expect(role).toBe(4)
  },
  MINUTE,
)

test('the password goes neither to the log nor into what is printed', async () => {
  const { stdout } = await here.bring(there.url, '--drift', '--all')
  expect(stdout).not.toContain(ADMIN_PASSWORD)
  const log = await here.sh(`cat ${here.server.dataDir}/logs/*.jsonl || true`)
  expect(log + here.server.output()).not.toContain(ADMIN_PASSWORD)
})

test(
  'without a server the command does it all itself, and a server that starts then serves it',
  async () => {
    const alone = await openPlace()
    try {
      await alone.server.kill()
      const { code, stdout } = await alone.bring(there.url, '--create-users')
      expect([code, stdout.match(/^failed.*/gm)]).toEqual([0, null])
      const again = await startServer({ dataDir: alone.server.dataDir, open: false })
      try {
        await here.sh(`crane auth login ${again.host} --insecure -u admin -p ${ADMIN_PASSWORD}`)
        for (const name of ['team/app/web:v1', 'other/base:v1'])
          expect(await digest(again, name)).toBe(await digest(there, name))
      } finally {
        await again.stop()
      }
    } finally {
      await alone.close()
    }
  },
  2 * MINUTE,
)
