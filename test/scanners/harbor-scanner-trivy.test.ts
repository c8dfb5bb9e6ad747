// Harbor's own scanner adapter scans what is here, over Harbor's scanner API: what it reports is what trivy says by hand.
// SABOTAGE=scanners-report has the registry's answer lose a vulnerability.
import { rename } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { numberOf } from '../api/management.ts'
import { byId, countsOf, expected } from '../scanning/expected.ts'
import { openPlace, type Place } from '../scanning/place.ts'
import { findingsOf } from '../scanning/trivy.ts'
import { REPORT } from '../support/fake-scanner.ts'
import { type Adapter, startAdapter, VERSION } from './adapter.ts'

const SCANNER = { name: 'Trivy', vendor: 'Aqua Security', version: VERSION }
let at: Place
let adapter: Adapter
let cache: string
let scanner: string
beforeAll(async () => {
  at = await openPlace({ args: ['--upstream-private-networks', '127.0.0.0/8', '--trivy', 'off'] })
  cache = path.join(at.directory, 'trivy')
  await at.publish('clean')
  await at.trivy({ image: `${at.server.host}/library/clean:v1`, cache, database: at.databaseAt })
  adapter = await startAdapter(at.directory, cache)
  // Nobody pulls from it without a login.
  numberOf(await at.admin('POST', '/projects', { project_name: 'closed' }))
  const made = await at.admin('POST', '/scanners', { name: 'harbors', url: adapter.url })
  expect([made.status, made.message]).toEqual([201, ''])
  scanner = made.headers.location!.split('/').at(-1)!
  expect((await at.admin('PUT', '/projects/closed/scanner', { uuid: scanner })).status).toBe(200)
})
afterAll(async () => {
  await adapter?.stop()
  await at.close()
})

const artifact = (kind: string) => `/projects/closed/repositories/${kind}/artifacts/v1`

async function publish(kind: 'clean' | 'three' | 'thousand'): Promise<string> {
  const { reference } = await at.publish(kind)
  const closed = `${at.server.host}/closed/${kind}:v1`
  await at.sh(`crane copy --insecure ${reference} ${closed}`)
  return closed
}

/** Scans it, and waits until that has ended. */
async function scanned(kind: string) {
  const begun = await at.admin('POST', `${artifact(kind)}/scan`)
  expect([begun.status, begun.message]).toEqual([202, ''])
  for (;;) {
    const { json } = await at.admin('GET', `${artifact(kind)}?with_scan_overview=true`)
    const found = json.scan_overview[REPORT]
    if (!['Pending', 'Running'].includes(found.scan_status)) return found
    await sleep(100)
  }
}

/** By their package URLs, of either format, without the image itself. */
function packagesIn(document: string): string[] {
  const urls = JSON.stringify(JSON.parse(document)).match(/"pkg:(?!oci\/)[^"]+"/g) ?? []
  return [...new Set(urls)].sort()
}

async function logOf(kind: string, report: string): Promise<string> {
  return (await at.admin('GET', `${artifact(kind)}/scan/${report}/log`)).body.toString()
}

test('it is shown with what it says of itself: vulnerabilities, bills of materials, of when its database is', async () => {
  const { json: shown } = await at.admin('GET', `/scanners/${scanner}`)
  expect(shown).toMatchObject({
    name: 'harbors',
    health: 'healthy',
    adapter: SCANNER.name,
    vendor: SCANNER.vendor,
    version: SCANNER.version,
    capabilities: { support_vulnerability: true, support_sbom: true },
  })
  const { json: metadata } = await at.admin('GET', `/scanners/${scanner}/metadata`)
  expect(metadata.scanner).toEqual(SCANNER)
  expect(metadata.capabilities.map(({ type }: { type: string }) => type)).toEqual(['vulnerability', 'sbom'])
  const updated = metadata.properties['harbor.scanner-adapter/vulnerability-database-updated-at']
  expect(Date.parse(updated)).toBeGreaterThan(0)
})

for (const [kind, total] of [
  ['clean', 0],
  ['three', 3],
  ['thousand', 1000],
] as const)
  test(`its report of a private image with ${total} vulnerabilities is trivy’s own, field by field`, async () => {
    const image = await publish(kind)
    const shown = await scanned(kind)
    expect(shown, `${await logOf(kind, shown.report_id)}\n${adapter.output()}`).toMatchObject({
      scan_status: 'Success',
      scanner: SCANNER,
      summary: { total },
    })
    const byHand = findingsOf(await at.trivy({ image, cache }))
    const { json } = await at.admin('GET', `${artifact(kind)}/additions/vulnerabilities`)
    const report = json[REPORT]
    if (process.env.SABOTAGE === 'scanners-report') report.vulnerabilities.pop()
    const { digest } = (await at.admin('GET', artifact(kind))).json
    const wanted = byHand.map((each) => expected(each, digest)).sort(byId)
    expect(report.scanner).toEqual(SCANNER)
    expect(report.vulnerabilities).toHaveLength(total)
    expect(report.vulnerabilities.toSorted(byId)).toMatchObject(wanted)
    expect(shown.summary.summary).toEqual(countsOf(byHand))
  })

for (const [format, written] of [
  ['spdx', 'spdx-json'],
  ['cyclonedx', 'cyclonedx'],
] as const)
  test(`its bill of materials in ${format} is attached, and names the packages that trivy names by hand`, async () => {
    const wanted = { metadata: { sbom_format: format } }
    expect((await at.admin('PUT', '/projects/closed', wanted)).status).toBe(200)
    const begun = await at.admin('POST', `${artifact('three')}/scan`, { scan_type: 'sbom' })
    expect([begun.status, begun.message]).toEqual([202, ''])
    const overview = async () =>
      (await at.admin('GET', `${artifact('three')}?with_sbom_overview=true`)).json.sbom_overview
    const status = async () => (await overview()).scan_status
    await expect.poll(status, { timeout: 60_000 }).toSatisfy((now) => !['Pending', 'Running'].includes(now))
    const shown = await overview()
    expect(shown, adapter.output()).toMatchObject({ scan_status: 'Success', scanner: SCANNER })
    const { body } = await at.admin('GET', `${artifact('three')}/additions/sbom`)
    const byHand = await at.sh(
      `trivy image --quiet --insecure --cache-dir ${cache} --offline-scan --disable-telemetry --skip-version-check --skip-db-update --format ${written} ${at.server.host}/closed/three:v1`,
    )
    const packages = packagesIn(body.toString())
    expect(packages).toHaveLength(4)
    expect(packages).toEqual(packagesIn(byHand))
  })

test('it pulls what the policy of the project keeps from everybody else', async () => {
  const policy = { metadata: { prevent_vul: 'true', severity: 'low' } }
  expect((await at.admin('PUT', '/projects/closed', policy)).status).toBe(200)
  await expect(at.sh(`crane manifest --insecure ${at.server.host}/closed/three:v1`)).rejects.toThrow(
    'PROJECTPOLICYVIOLATION',
  )
  expect((await scanned('three')).scan_status).toBe('Success')
})

test('what trivy died of there stands in the log here, and no token does', async () => {
  await rename(path.join(cache, 'db'), path.join(cache, 'away'))
  const { scan_status, report_id } = await scanned('clean')
  const log = await logOf('clean', report_id)
  expect(scan_status).toBe('Error')
  expect(log).toContain(`scanner harbors at ${adapter.url}: asked for a report it answered 500`)
  expect(log).toContain('running trivy')
  expect(log).not.toContain('eyJ')
})
