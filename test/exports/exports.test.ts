// Exports of vulnerabilities (goharbor/harbor v2.14: exportScanData and its kin). What scans find is made up here; Python reads
// the files.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientOf, indexOf } from '../api/client.ts'
import { basic, type Harbor, harborOf, makeProject, makeUser, numberOf } from '../api/management.ts'
import {
  type CannedTrivy,
  cannedTrivy,
  pushScannable,
  scanned,
  type TrivyFinding,
} from '../support/canned-trivy.ts'
import { csvRows } from '../support/csv.ts'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'

const TYPE = { 'x-scan-data-type': 'application/vnd.security.vulnerability.report; version=1.1' }
const HEADER = [
  ...['Repository', 'Artifact Digest', 'CVE', 'Package', 'Current Version', 'Fixed in version', 'Severity'],
  ...['CWE Ids', 'Additional Data', 'Scanner'],
]
const NASTY: TrivyFinding = {
  VulnerabilityID: 'CVE-2024-1',
  PkgName: '=cmd|"/C calc",é',
  InstalledVersion: '-1.0\n2',
  FixedVersion: '@2, "3"',
  Severity: 'CRITICAL',
  CweIDs: ['CWE-79', 'CWE-80'],
  CVSS: { nvd: { V3Score: 9.8, V3Vector: 'CVSS:3.1/AV:N' } },
}
const plain = (id: string, name: string): TrivyFinding => ({
  ...{ VulnerabilityID: id, PkgName: name, InstalledVersion: '1', Severity: 'LOW' },
})

let server: Server
let admin: Harbor
let trivy: CannedTrivy
let fleet: number
const digests: Record<string, string> = {}

beforeAll(async () => {
  trivy = await cannedTrivy()
  server = await startServer({ open: false, args: trivy.args })
  admin = harborOf(server.url, 'admin')
  const http = clientOf(server.url, basic('admin', ADMIN_PASSWORD))
  await makeProject(admin, 'fleet')
  await makeProject(admin, 'empty')
  fleet = (await admin('GET', '/projects/fleet')).json.project_id
  for (const [name, tag, findings] of [
    ['fleet/web', 'v1', [NASTY, plain('CVE-2024-2', 'zlib')]],
    ['fleet/deep/db', 'release', [plain('CVE-2023-9', 'tar')]],
    ['fleet/part', 'amd64', [plain('CVE-2022-1', 'bash')]],
  ] as const) {
    digests[name] = await pushScannable(http, name, tag)
    await trivy.finds(name, [...findings])
    expect(await scanned(admin, name, tag)).toBe('Success')
  }
  // An index whose image has no tag of its own any more.
  const index = indexOf([{ digest: digests['fleet/part']!, size: 500 }])
  const headers = { 'content-type': 'application/vnd.oci.image.index.v1+json' }
  await http('PUT', '/v2/fleet/part/manifests/multi', { headers, body: index })
  await admin('DELETE', `/projects/fleet/repositories/part/artifacts/${digests['fleet/part']}/tags/amd64`)
})
afterAll(async () => {
  await server.stop()
  await trivy.close()
})

const begin = (who: Harbor, criteria: object, headers: Record<string, string> = TYPE) =>
  who('POST', '/export/cve', { projects: [fleet], ...criteria }, headers)

async function ended(who: Harbor, id: number) {
  for (;;) {
    const { json } = await who('GET', `/export/cve/execution/${id}`)
    if (!['Pending', 'Running'].includes(json.status)) return json
    await sleep(50)
  }
}

/** @returns the id, once it has ended */
async function exported(criteria: object): Promise<number> {
  const { status, json, message } = await begin(admin, criteria)
  expect([status, message]).toEqual([200, ''])
  await ended(admin, json.id)
  return json.id
}

const download = (who: Harbor, id: number) => who('GET', `/export/cve/download/${id}`)

/** Vulnerabilities in the export. */
async function found(criteria: object): Promise<string[]> {
  const { status, body } = await download(admin, await exported(criteria))
  return status === 404
    ? []
    : csvRows(body)
        .slice(1)
        .map((row) => row[2]!)
        .sort()
}

test('an export has Harbor’s columns, and whatever packages are called it is one line of plain texts each', async () => {
  const id = await exported({ job_name: 'weekly' })
  const shown = await ended(admin, id)
  expect(shown).toMatchObject({
    id,
    status: 'Success',
    trigger: 'MANUAL',
    user_name: 'admin',
    status_text: '',
  })
  expect(shown.file_present).toBe(true)
  const { body, headers } = await download(admin, id)
  expect([
    headers['content-type'],
    headers['content-disposition'],
    Number(headers['content-length']),
  ]).toEqual(['text/csv', `attachment; filename="scandata_export_${id}.csv"`, body.length])
  const [header, ...rows] = csvRows(body)
  expect(header).toEqual(HEADER)
  expect(rows).toHaveLength(4)
  expect(rows).toContainEqual([
    ...[
      'fleet/web',
      digests['fleet/web'],
      'CVE-2024-1',
      `'=cmd|"/C calc",é`,
      `'-1.0\n2`,
      `'@2, "3"`,
      'Critical',
    ],
    ...['CWE-79,CWE-80', JSON.stringify({ CVSS: NASTY.CVSS }), 'Trivy'],
  ])
  expect(rows).toContainEqual([
    ...['fleet/deep/db', digests['fleet/deep/db'], 'CVE-2023-9', 'tar', '1', '', 'Low', '', '{}', 'Trivy'],
  ])
})

test('it can be fetched once', async () => {
  const id = await exported({})
  expect((await download(admin, id)).status).toBe(200)
  await expect.poll(async () => (await download(admin, id)).status).toBe(404)
  expect((await admin('GET', `/export/cve/execution/${id}`)).status).toBe(404)
})

test.each([
  [{ repositories: 'web' }, ['CVE-2024-1', 'CVE-2024-2']],
  [{ repositories: '{web,deep/*}' }, ['CVE-2023-9', 'CVE-2024-1', 'CVE-2024-2']],
  [{ repositories: 'fleet/web' }, []],
  [{ cveIds: '{CVE-2024-2,CVE-2023-9}' }, ['CVE-2023-9', 'CVE-2024-2']],
  [{ cveIds: 'CVE-2024-*' }, ['CVE-2024-1', 'CVE-2024-2']],
  [{ tags: 'release' }, ['CVE-2023-9']],
  [{ tags: 'mul*' }, ['CVE-2022-1']],
  [{ tags: '{v*,release}', cveIds: 'CVE-2024-2' }, ['CVE-2024-2']],
  [{ tags: 'nothing' }, []],
])('%j selects exactly these', async (criteria, wanted) => {
  expect(await found(criteria)).toEqual(wanted)
})

test('labels select artifacts, and indexes their images', async () => {
  const label = async (name: string) => numberOf(await admin('POST', '/labels', { name, scope: 'g' }))
  const [one, other] = [await label('one'), await label('other')]
  await admin('POST', `/projects/fleet/repositories/web/artifacts/v1/labels`, { id: one })
  await admin('POST', `/projects/fleet/repositories/part/artifacts/multi/labels`, { id: other })
  expect(await found({ labels: [one] })).toEqual(['CVE-2024-1', 'CVE-2024-2'])
  expect(await found({ labels: [one, other], cveIds: 'CVE-202?-1' })).toEqual(['CVE-2022-1', 'CVE-2024-1'])
})

test('where nothing is found there is no file, and it is said so', async () => {
  const id = await exported({ cveIds: 'CVE-1' })
  expect(await ended(admin, id)).toMatchObject({
    status: 'Success',
    file_present: false,
    status_text: 'No vulnerabilities found or matched',
  })
  expect((await download(admin, id)).status).toBe(404)
})

test.each([
  [{}, {}, 422, 'X-Scan-Data-Type in header is required'],
  [{}, { 'x-scan-data-type': 'text/plain' }, 400, 'Unsupported MIME type : text/plain'],
  [{ projects: [] }, TYPE, 400, 'only support export single project, invalid value: []'],
  [{ projects: [1, 2] }, TYPE, 400, 'only support export single project, invalid value: [1,2]'],
  [{ projects: [987_654] }, TYPE, 404, 'project 987654 not found'],
  [{ projects: ['fleet'] }, TYPE, 422, 'projects in body must be'],
  [{ repositories: 'a, b' }, TYPE, 400, 'please remove additional spaces'],
  [{ cveIds: '{CVE-1' }, TYPE, 400, 'cveIds: the pattern has a { without its }'],
  [{ labels: ['x'] }, TYPE, 422, 'labels in body must be'],
])('%j with %j is refused with %i', async (criteria, headers, status, why) => {
  const answer = await begin(admin, criteria, headers as Record<string, string>)
  expect([answer.status, answer.message]).toEqual([status, expect.stringContaining(why)])
})

test('developers of the project export, and see their own exports alone', async () => {
  const people = { dev: 2, guest: 3, stranger: 0 }
  for (const [username, role_id] of Object.entries(people)) {
    await makeUser(admin, username)
    if (role_id > 0) await admin('POST', '/projects/fleet/members', { role_id, member_user: { username } })
  }
  const [dev, guest, stranger] = Object.keys(people).map((name) => harborOf(server.url, name)) as [
    Harbor,
    Harbor,
    Harbor,
  ]
  expect((await begin(guest, {})).status).toBe(403)
  expect((await begin(stranger, {})).status).toBe(403)
  expect((await begin(stranger, { projects: [987_654] })).status).toBe(403)
  expect((await begin(harborOf(server.url), {})).status).toBe(401)
  const { json } = await begin(dev, {})
  expect((await ended(dev, json.id)).user_name).toBe('dev')
  const listed = await dev('GET', '/export/cve/executions')
  expect(listed.json.items.map((each: { id: number }) => each.id)).toEqual([json.id])
  for (const path of [`execution/${json.id}`, `download/${json.id}`])
    for (const who of [admin, guest, stranger])
      expect((await who('GET', `/export/cve/${path}`)).status).toBe(403)
  expect((await guest('GET', '/export/cve/executions')).json.items).toEqual([])
  expect((await admin('GET', '/export/cve/execution/99999')).status).toBe(404)
  expect((await admin('GET', '/export/cve/download/none')).status).toBe(422)
  expect((await download(dev, json.id)).status).toBe(200)
})
