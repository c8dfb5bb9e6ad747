// Lists of artifacts sorted and filtered by what their scans found; Harbor has neither.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CannedTrivy, cannedTrivy, pushScannable, scanned } from '../support/canned-trivy.ts'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { clientOf, indexOf } from './client.ts'
import { basic, type Harbor, harborOf, makeProject } from './management.ts'

let server: Server
let admin: Harbor
let trivy: CannedTrivy

const found = (severities: string[]) =>
  severities.map((Severity, n) => ({
    ...{ VulnerabilityID: `CVE-${n}`, PkgName: 'zlib', InstalledVersion: '1' },
    Severity,
  }))

/** In the order of their pushes; `index` is of `low` and `high`. */
const TAGS: Record<string, string[] | undefined> = {
  low: ['LOW'],
  high: ['HIGH'],
  clean: [],
  two: ['CRITICAL', 'CRITICAL', 'LOW'],
  unscanned: undefined,
  one: ['CRITICAL', 'HIGH', 'HIGH', 'MEDIUM'],
  odd: ['UNKNOWN'],
}

beforeAll(async () => {
  trivy = await cannedTrivy()
  server = await startServer({ open: false, args: trivy.args })
  admin = harborOf(server.url, 'admin')
  await makeProject(admin, 'fleet')
  const http = clientOf(server.url, basic('admin', ADMIN_PASSWORD))
  const digests: Record<string, string> = {}
  for (const [tag, severities] of Object.entries(TAGS)) {
    digests[tag] = await pushScannable(http, 'fleet/app', tag)
    if (!severities) continue
    await trivy.finds('fleet/app', found(severities))
    expect(await scanned(admin, 'fleet/app', tag)).toBe('Success')
  }
  const headers = { 'content-type': 'application/vnd.oci.image.index.v1+json' }
  const body = indexOf(['low', 'high'].map((tag) => ({ digest: digests[tag]!, size: 500 })))
  await http('PUT', '/v2/fleet/app/manifests/index', { headers, body })
  await pushScannable(http, 'fleet/other', 'elsewhere')
  await trivy.finds('fleet/other', found(['MEDIUM']))
  await scanned(admin, 'fleet/other', 'elsewhere')
})
afterAll(async () => {
  await server.stop()
  await trivy.close()
})

const list = (query: string, path = '/projects/fleet/repositories/app/artifacts') =>
  admin('GET', `${path}?${query}`)
const tags = (json: { tags: { name: string }[] }[]) => json.map((each) => each.tags[0]?.name)
const q = (text: string) => `q=${encodeURIComponent(text)}`

test('the worst come first with sort=-severity: by how many are critical, then high, and so on; what was not scanned comes last', async () => {
  const worstFirst = ['two', 'one', 'index', 'high', 'low', 'odd', 'clean', 'unscanned']
  const { json, headers } = await list('sort=-severity')
  expect([tags(json), headers['x-total-count']]).toEqual([worstFirst, '8'])
  expect(tags((await list('sort=severity')).json)).toEqual(worstFirst.toReversed())
  const pages = await Promise.all([1, 2].map((page) => list(`sort=-severity&page=${page}&page_size=5`)))
  expect(pages.flatMap(({ json: page }) => tags(page))).toEqual(worstFirst)
})

test.each([
  ['severity=Critical', ['two', 'one']],
  ['severity=critical', ['two', 'one']],
  ['severity={High Low}', ['index', 'high', 'low']],
  ['severity=Medium', []],
  ['severity=Unknown', ['odd']],
  ['severity=None', ['clean']],
  ['severity=nil', ['unscanned']],
  ['severity=Critical,tags=~o', ['two', 'one']],
  ['severity=Critical,tags=one', ['one']],
])('q=%s leaves exactly these', async (text, wanted) => {
  const { json, headers } = await list(`sort=-severity&${q(text)}`)
  expect([tags(json), headers['x-total-count']]).toEqual([wanted, String(wanted.length)])
})

test('a project’s artifacts are sorted and filtered the same', async () => {
  const path = '/projects/fleet/artifacts'
  expect(tags((await list('sort=-severity&page_size=5', path)).json)).toEqual([
    'two',
    'one',
    'index',
    'high',
    'elsewhere',
  ])
  expect(tags((await list(q('severity={Medium Critical}'), path)).json).toSorted()).toEqual([
    'elsewhere',
    'one',
    'two',
  ])
})

test.each([
  'severity=Terrible',
  'severity=~High',
  'severity=[Low~High]',
  'severity=(High Low)',
  'severity={High Terrible}',
])('q=%s is refused, and it is said what can be asked', async (text) => {
  const { status, message } = await list(q(text))
  expect([status, message]).toEqual([400, expect.stringContaining('one of Critical, High, Medium')])
})
