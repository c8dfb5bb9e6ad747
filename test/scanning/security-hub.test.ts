// The security hub and its exports by a registry that has trivy: over several projects their sums and lines are those of
// `trivy image --format json` run by hand, added up by jq. SABOTAGE=security-sums has what was scanned twice counted twice.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeProject } from '../api/management.ts'
import { scanned } from '../support/canned-trivy.ts'
import { csvRows } from '../support/csv.ts'
import { openPlace, type Place } from './place.ts'

/** Copies of what place.ts makes, over three projects. */
const IMAGES = {
  'library/clean': 'clean',
  'library/three': 'three',
  'library/careless': 'careless',
  'team/deep/three': 'three',
  'team/thousand': 'thousand',
  'other/thousand': 'thousand',
} as const

let at: Place
let cache: string
beforeAll(async () => {
  const preload =
    process.env.SABOTAGE === 'security-sums' ? [path.join(import.meta.dirname, 'counted-twice.ts')] : []
  at = await openPlace({ args: ['--trivy-skip-update', 'on', '--trivy-offline', 'on'], preload })
  cache = path.join(at.server.dataDir, 'trivy')
  const { host } = at.server
  for (const kind of ['clean', 'three', 'careless', 'thousand'] as const) await at.publish(kind)
  // The database the server is given, once and for all.
  await at.trivy({ image: `${host}/library/clean:v1`, cache, database: at.databaseAt })
  for (const project of ['team', 'other']) await makeProject(at.admin, project)
  for (const [name, kind] of Object.entries(IMAGES)) {
    await at.sh(`crane copy --insecure ${host}/library/${kind}:v1 ${host}/${name}:v1`)
    expect(await scanned(at.admin, name, 'v1')).toBe('Success')
    const report = await at.trivy({ image: `${host}/${name}:v1`, cache })
    await writeFile(path.join(at.directory, fileOf(name)), JSON.stringify({ ...report, Entry: name }))
  }
  // Nothing is counted twice that is scanned twice.
  expect(await scanned(at.admin, 'team/deep/three', 'v1')).toBe('Success')
})
afterAll(() => at.close())

const fileOf = (name: string) => `${name.replaceAll('/', '_')}.json`

/** What jq makes of all of trivy's reports. */
async function byHand(program: string, names: string[] = Object.keys(IMAGES)) {
  const files = names.map(fileOf).join(' ')
  return JSON.parse(await at.sh(`jq -s '${program}' ${files}`))
}
const FOUND = '[.[] | .Entry as $image | .Results[]?.Vulnerabilities[]? | . + {image: $image}]'

test('the sums of the summary are those of trivy’s reports', async () => {
  const count = (severity: string) => `(map(select(.Severity == "${severity}")) | length)`
  const wanted = await byHand(`${FOUND} | {
    critical_cnt: ${count('CRITICAL')}, high_cnt: ${count('HIGH')}, medium_cnt: ${count('MEDIUM')},
    low_cnt: ${count('LOW')}, unknown_cnt: ${count('UNKNOWN')}, none_cnt: 0,
    total_vuls: length, fixable_cnt: map(select((.FixedVersion // "") != "")) | length}`)
  expect(wanted.total_vuls).toBe(2006)
  // The one that was copied to two projects lies in library too; and there is the database.
  const images = Object.keys(IMAGES).length + 1
  await expect
    .poll(async () => (await at.admin('GET', '/security/summary')).json)
    .toEqual({ ...wanted, scanned_cnt: Object.keys(IMAGES).length, total_artifact: images + 1 })
})

test('the most dangerous artifacts are those in whose reports trivy counts the most', async () => {
  const wanted = await byHand(`${FOUND} | group_by(.image) | map({repository_name: .[0].image,
    critical_cnt: map(select(.Severity == "CRITICAL")) | length,
    high_cnt: map(select(.Severity == "HIGH")) | length,
    medium_cnt: map(select(.Severity == "MEDIUM")) | length})`)
  const { json } = await at.admin('GET', '/security/summary?with_dangerous_artifact=true')
  const byName = (a: { repository_name: string }, b: { repository_name: string }) =>
    a.repository_name < b.repository_name ? -1 : 1
  const shown = json.dangerous_artifacts.map(
    ({ project_id: _, digest: __, ...rest }: Record<string, unknown>) => rest,
  )
  expect(shown.toSorted(byName)).toEqual(wanted.toSorted(byName))
  const critical = json.dangerous_artifacts.map((each: { critical_cnt: number }) => each.critical_cnt)
  expect(critical).toEqual(critical.toSorted((a: number, b: number) => b - a))
})

test('the most dangerous vulnerabilities have the highest scores that trivy tells', async () => {
  const scores = await byHand(
    `${FOUND} | map({id: .VulnerabilityID, name: .PkgName, version: .InstalledVersion, score: (.CVSS.nvd.V3Score // 0)})
      | unique | map(.score) | sort | reverse | .[0:5]`,
  )
  const { json } = await at.admin('GET', '/security/summary?with_dangerous_cve=true')
  expect(json.dangerous_cves.map((each: { cvss_score_v3: number }) => each.cvss_score_v3)).toEqual(
    scores.filter((each: number) => each > 0),
  )
})

test('pages of the search hold each vulnerability of each image once', async () => {
  const wanted: string[] = await byHand(
    `${FOUND} | map("\\(.image) \\(.VulnerabilityID) \\(.PkgName) \\(.InstalledVersion) \\(.FixedVersion // "")")`,
  )
  const shown: string[] = []
  for (let page = 1; ; page++) {
    const { json, headers } = await at.admin('GET', `/security/vul?page=${page}&page_size=100`)
    expect(headers['x-total-count']).toBe(String(wanted.length))
    for (const { repository_name: name, cve_id: cve, package: of, version, fixed_version: fix } of json)
      shown.push(`${name} ${cve} ${of} ${version} ${fix}`)
    if (!String(headers.link).includes('rel="next"')) break
  }
  expect(shown.toSorted()).toEqual(wanted.toSorted())
})

test.each([
  ['severity=Critical', 'select(.Severity == "CRITICAL")'],
  ['package=libssl3', 'select(.PkgName == "libssl3")'],
  ['cvss_score_v3=[9~10]', 'select((.CVSS.nvd.V3Score // 0) >= 9)'],
  [
    'repository_name=team/thousand,severity=High',
    'select(.image == "team/thousand" and .Severity == "HIGH")',
  ],
])('q=%s counts what jq selects', async (q, selected) => {
  const wanted = await byHand(`${FOUND} | map(${selected}) | length`)
  const { headers } = await at.admin('GET', `/security/vul?q=${encodeURIComponent(q)}`)
  expect(headers['x-total-count']).toBe(String(wanted))
})

test('an export has the lines that jq makes of trivy’s reports', async () => {
  const { project_id: project } = (await at.admin('GET', '/projects/team')).json
  const type = { 'x-scan-data-type': 'application/vnd.security.vulnerability.report; version=1.1' }
  const { id } = (await at.admin('POST', '/export/cve', { projects: [project] }, type)).json
  while (!(await at.admin('GET', `/export/cve/execution/${id}`)).json.file_present) await sleep(100)
  const [, ...rows] = csvRows((await at.admin('GET', `/export/cve/download/${id}`)).body)
  const wanted: string[][] = await byHand(
    `${FOUND} | map([.image, .VulnerabilityID, .PkgName, .InstalledVersion, .FixedVersion // "",
      (.Severity[0:1] + (.Severity[1:] | ascii_downcase)), ((.CweIDs // []) | join(",")), "Trivy"])`,
    ['team/deep/three', 'team/thousand'],
  )
  expect(wanted).toHaveLength(1003)
  const plain = rows.map((row) => [row[0], row[2], row[3], row[4], row[5], row[6], row[7], row[9]].join('|'))
  expect(plain.toSorted()).toEqual(wanted.map((row) => row.join('|')).toSorted())
})
