// The security hub (goharbor/harbor v2.14: getSecuritySummary, ListVulnerabilities). What scans find is made up here; that the
// sums are those of trivy itself is test/scanning's matter.
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type CannedTrivy,
  cannedTrivy,
  pushScannable,
  scanned,
  type TrivyFinding,
} from '../support/canned-trivy.ts'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { clientOf } from './client.ts'
import { basic, type Harbor, harborOf, makeProject, makeUser, numberOf } from './management.ts'

let server: Server
let admin: Harbor
let trivy: CannedTrivy
let digests: Record<string, string>
let shop: number

const found = (
  id: string,
  name: string,
  severity: string,
  score?: number,
  more: object = {},
): TrivyFinding => ({
  VulnerabilityID: id,
  PkgName: name,
  InstalledVersion: '1.0',
  Severity: severity,
  Status: 'affected',
  Description: `about ${id}`,
  PrimaryURL: `https://avd.example/${id}`,
  ...(score === undefined ? {} : { CVSS: { nvd: { V3Score: score } } }),
  ...more,
})
const FIXED = { FixedVersion: '1.1', Status: 'fixed' }
const WEB = [
  found('CVE-2024-1', 'openssl', 'CRITICAL', 9.8, FIXED),
  found('CVE-2024-1', 'libssl', 'CRITICAL', 9.8, FIXED),
  found('CVE-2024-2', 'zlib', 'HIGH', 7.5),
  found('CVE-2024-3', 'bash', 'LOW'),
]
const DATABASE = [
  found('CVE-2024-2', 'zlib', 'HIGH', 7.5),
  found('CVE-2024-4', 'tar', 'MEDIUM', 5.5, FIXED),
  found('CVE-2024-5', 'odd', 'UNKNOWN'),
]

beforeAll(async () => {
  trivy = await cannedTrivy()
  server = await startServer({ open: false, args: trivy.args })
  admin = harborOf(server.url, 'admin')
  const http = clientOf(server.url, basic('admin', ADMIN_PASSWORD))
  await makeProject(admin, 'shop')
  await makeProject(admin, 'back')
  shop = (await admin('GET', '/projects/shop')).json.project_id
  digests = {}
  for (const [name, tag, findings] of [
    ['shop/web', 'v1', WEB],
    ['shop/deep/er', 'v1', []],
    ['back/db', 'v1', DATABASE],
    ['back/unscanned', 'v1', undefined],
  ] as const) {
    digests[name] = await pushScannable(http, name, tag)
    if (!findings) continue
    await trivy.finds(name, [...findings])
    expect(await scanned(admin, name, tag)).toBe('Success')
  }
})
afterAll(async () => {
  await server.stop()
  await trivy.close()
})

const summary = async (query = '') => (await admin('GET', `/security/summary?${query}`)).json
const search = (q: string, more = '') => admin('GET', `/security/vul?q=${encodeURIComponent(q)}${more}`)
const names = (rows: { cve_id: string; package: string }[]) =>
  rows.map((each) => `${each.cve_id} ${each.package}`)

test('the summary adds up what the last scans found', async () => {
  await expect.poll(async () => (await summary()).total_artifact).toBe(4)
  expect(await summary()).toEqual({
    critical_cnt: 2,
    high_cnt: 2,
    medium_cnt: 1,
    low_cnt: 1,
    none_cnt: 0,
    unknown_cnt: 1,
    total_vuls: 7,
    fixable_cnt: 3,
    scanned_cnt: 3,
    total_artifact: 4,
  })
})

test('it names the most dangerous vulnerabilities and artifacts where that is asked for', async () => {
  const { dangerous_cves, dangerous_artifacts } = await summary(
    'with_dangerous_cve=true&with_dangerous_artifact=true',
  )
  expect(names(dangerous_cves)).toEqual([
    'CVE-2024-1 openssl',
    'CVE-2024-1 libssl',
    'CVE-2024-2 zlib',
    'CVE-2024-4 tar',
  ])
  expect(dangerous_cves[0]).toMatchObject({
    severity: 'Critical',
    cvss_score_v3: 9.8,
    desc: 'about CVE-2024-1',
    version: '1.0',
  })
  const counts = (repository_name: string, critical_cnt: number, high_cnt: number, medium_cnt: number) => ({
    ...{ repository_name, critical_cnt, high_cnt, medium_cnt },
    project_id: expect.any(Number),
    digest: digests[repository_name],
  })
  expect(dangerous_artifacts).toEqual([counts('shop/web', 2, 1, 0), counts('back/db', 0, 1, 1)])
})

test('vulnerabilities are listed by their score, each with what is known of it', async () => {
  const { json, headers } = await admin('GET', '/security/vul?with_tag=true')
  expect([names(json), headers['x-total-count']]).toEqual([
    [
      'CVE-2024-1 openssl',
      'CVE-2024-1 libssl',
      'CVE-2024-2 zlib',
      'CVE-2024-2 zlib',
      'CVE-2024-4 tar',
      'CVE-2024-3 bash',
      'CVE-2024-5 odd',
    ],
    '7',
  ])
  expect(json[0]).toEqual({
    project_id: shop,
    repository_name: 'shop/web',
    digest: digests['shop/web'],
    tags: ['v1'],
    cve_id: 'CVE-2024-1',
    severity: 'Critical',
    status: 'fixed',
    cvss_v3_score: 9.8,
    package: 'openssl',
    version: '1.0',
    fixed_version: '1.1',
    desc: 'about CVE-2024-1',
    links: ['https://avd.example/CVE-2024-1'],
  })
})

test('pages follow each other without a gap, and say how many there are', async () => {
  const pages = await Promise.all(
    [1, 2, 3].map((page) => admin('GET', `/security/vul?page=${page}&page_size=3`)),
  )
  expect(pages.map(({ json }) => json.length)).toEqual([3, 3, 1])
  const whole = await admin('GET', '/security/vul?page_size=100')
  expect(pages.flatMap(({ json }) => json)).toEqual(whole.json)
  expect(pages[1]!.headers.link).toMatch(/page=1.*rel="prev" , .*page=3.*rel="next"/)
  expect(pages[2]!.headers.link).not.toContain('next')
  expect((await admin('GET', '/security/vul?page=9&page_size=3')).json).toEqual([])
  expect((await admin('GET', '/security/vul?page_size=0')).json).toHaveLength(7)
})

test.each([
  ['cve_id=CVE-2024-2', ['CVE-2024-2 zlib', 'CVE-2024-2 zlib']],
  ['severity=Critical', ['CVE-2024-1 openssl', 'CVE-2024-1 libssl']],
  ['severity=critical,package=libssl', ['CVE-2024-1 libssl']],
  ['status=fixed', ['CVE-2024-1 openssl', 'CVE-2024-1 libssl', 'CVE-2024-4 tar']],
  ['cvss_score_v3=[5~7.5]', ['CVE-2024-2 zlib', 'CVE-2024-2 zlib', 'CVE-2024-4 tar']],
  ['cvss_v3_score=[7.6~]', ['CVE-2024-1 openssl', 'CVE-2024-1 libssl']],
  ['package=zlib', ['CVE-2024-2 zlib', 'CVE-2024-2 zlib']],
  ['repository_name=back/db', ['CVE-2024-2 zlib', 'CVE-2024-4 tar', 'CVE-2024-5 odd']],
  ['repository_name=back/db,cve_id=CVE-2024-2', ['CVE-2024-2 zlib']],
  ['repository_name=back/db,severity=Medium', ['CVE-2024-4 tar']],
  ['repository_name=back/nothing', []],
  ['project_id=999', []],
  ['package=nothing', []],
  ['tag=v1,severity=Medium', ['CVE-2024-4 tar']],
  ['tag=v2', []],
])('q=%s finds exactly these, and counts them', async (q, wanted) => {
  const { json, headers, status } = await search(q)
  expect([status, names(json), headers['x-total-count']]).toEqual([200, wanted, String(wanted.length)])
})

test('a project is searched by its number, an artifact by its digest', async () => {
  const ofShop = await search(`project_id=${shop}`)
  expect(names(ofShop.json)).toEqual([
    'CVE-2024-1 openssl',
    'CVE-2024-1 libssl',
    'CVE-2024-2 zlib',
    'CVE-2024-3 bash',
  ])
  const byDigest = await search(`digest=${digests['back/db']}`)
  expect(names(byDigest.json)).toEqual(['CVE-2024-2 zlib', 'CVE-2024-4 tar', 'CVE-2024-5 odd'])
  expect((await search(`digest=sha256:${'0'.repeat(64)}`)).json).toEqual([])
  expect((await search(`project_id=${shop},repository_name=back/db`)).json).toEqual([])
})

test.each([
  ['colour=red', 'keyword: colour is not allowed'],
  ['severity=Terrible', 'keyword: severity, "Terrible" is none of Critical'],
  ['severity=~High', 'keyword: severity, the query type is not allowed'],
  ['cvss_score_v3=7', 'keyword: cvss_score_v3, the query type is not allowed'],
  ['cvss_score_v3=[9~7]', 'ends before it begins'],
  ['cvss_score_v3=[many~7]', '"many" is no score'],
  ['cvss_score_v3=[5]', 'is not [from~to]'],
  ['project_id=shop', 'keyword: project_id, "shop" is no number'],
  ['digest=sha256:1', 'keyword: digest'],
  ['nonsense', 'is not key=value'],
])('q=%s is refused, and it is said why', async (q, why) => {
  const { status, message } = await search(q)
  expect([status, message]).toEqual([400, expect.stringContaining(why)])
})

test('a page of more than 100, or beyond the first 10,000, is refused', async () => {
  expect((await admin('GET', '/security/vul?page_size=101')).status).toBe(422)
  expect((await admin('GET', '/security/vul?page=101&page_size=100')).status).toBe(400)
  expect((await admin('GET', '/security/vul?tune_count=perhaps')).status).toBe(422)
})

test('it is for administrators, and for robots that were given it', async () => {
  await makeUser(admin, 'ordinary')
  for (const path of ['/security/summary', '/security/vul']) {
    expect((await harborOf(server.url)('GET', path)).status).toBe(401)
    expect((await harborOf(server.url, 'ordinary')('GET', path)).status).toBe(403)
  }
  const robot = async (name: string, access: object[]) => {
    const made = await admin('POST', '/robots', {
      ...{ name, level: 'system', duration: -1, secret: 'Robot-secret-1' },
      permissions: [{ kind: 'system', namespace: '/', access }],
    })
    numberOf(made)
    return harborOf(server.url, made.json.name, made.json.secret)
  }
  const reader = await robot('hub', [{ resource: 'security-hub', action: 'read' }])
  expect((await reader('GET', '/security/summary')).status).toBe(200)
  expect((await reader('GET', '/security/vul')).status).toBe(403)
})

test('what is scanned again counts once, and what was repaired is found no more', async () => {
  await trivy.finds('back/db', [found('CVE-2024-6', 'tar', 'LOW', 2)])
  await scanned(admin, 'back/db', 'v1')
  await scanned(admin, 'back/db', 'v1')
  expect(await summary()).toMatchObject({
    total_vuls: 5,
    high_cnt: 1,
    low_cnt: 2,
    unknown_cnt: 0,
    scanned_cnt: 3,
  })
  expect((await search('cve_id=CVE-2024-4')).json).toEqual([])
  expect(names((await search('repository_name=back/db')).json)).toEqual(['CVE-2024-6 tar'])
  expect(names((await summary('with_dangerous_cve=true')).dangerous_cves)).toEqual([
    'CVE-2024-1 openssl',
    'CVE-2024-1 libssl',
    'CVE-2024-2 zlib',
    'CVE-2024-6 tar',
  ])
})

test('what was deleted counts no more', async () => {
  await admin('DELETE', '/projects/shop/repositories/web')
  await admin('DELETE', `/projects/back/repositories/unscanned/artifacts/${digests['back/unscanned']}`)
  await expect.poll(async () => (await summary()).total_artifact).toBe(2)
  await expect
    .poll(() => summary('with_dangerous_cve=true&with_dangerous_artifact=true'))
    .toMatchObject({
      total_vuls: 1,
      critical_cnt: 0,
      scanned_cnt: 2,
      fixable_cnt: 0,
      dangerous_cves: [{ cve_id: 'CVE-2024-6' }],
      dangerous_artifacts: [{ repository_name: 'back/db' }],
    })
  expect((await admin('GET', '/security/vul')).headers['x-total-count']).toBe('1')
})
