// Scans in the cloud: a push wakes the worker, whose trivy pulls from the worker itself; then a policy keeps the image back.
// SABOTAGE=scan-mute has the worker be told of no scanner.
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { REPORT_TYPE } from '../../lib/scanning/report.ts'
import { openWorkplace, type Workplace } from '../clients/workplace.ts'
import { buildDatabase } from '../scanning/database.ts'
import { makeScannable } from '../scanning/images.ts'
import { findTool } from '../tools.ts'
import { type Management, managementOf } from './management.ts'
import { sharedTwin } from './shared.ts'
import type { Twin } from './twin.ts'

const PROJECT = 'scanned'
let twin: Twin
let at: Workplace
let admin: Management
beforeAll(async () => {
  twin = await sharedTwin()
  at = await openWorkplace()
  admin = managementOf(twin, 'admin', twin.adminPassword)
  const cache = path.join(at.directory, 'trivy')
  const { directory } = await buildDatabase(at.directory)
  await at.sh(`mkdir ${cache} && cp -r ${directory} ${cache}/db`)
  twin.bendWorkers({
    preload: [],
    env: {
      ENTREPOT_TRIVY: process.env.SABOTAGE === 'scan-mute' ? 'off' : findTool('trivy')!,
      ENTREPOT_TRIVY_CACHE: cache,
      ENTREPOT_TRIVY_SKIP_UPDATE: 'on',
      ENTREPOT_TRIVY_OFFLINE: 'on',
    },
  })
  await admin('POST', '/projects', 201, { project_name: PROJECT, metadata: { auto_scan: 'true' } })
}, 400_000)
afterAll(() => at.close())

const artifact = `/projects/${PROJECT}/repositories/three/artifacts/v1`

async function scanned() {
  for (let look = 0; look < 240; look++) {
    const { json } = await admin('GET', `${artifact}?with_scan_overview=true`, 200)
    const found = json.scan_overview?.[REPORT_TYPE]
    if (found && !['Pending', 'Running'].includes(found.scan_status)) return found
    await sleep(500)
  }
  throw new Error('the scan did not end')
}

test('a push is scanned by the worker, and its report is read through the edge', async () => {
  const { layout } = await makeScannable(at.directory, 'three')
  await at.sh(`crane auth login ${at.host} -u admin -p $PASSWORD --insecure`)
  await at.sh(`crane push --insecure ${layout} ${at.host}/${PROJECT}/three:v1`)
  const found = await scanned()
  const { answer } = await admin('GET', `${artifact}/scan/${found.report_id}/log`, 200)
  expect(found.scan_status, answer.body.toString()).toBe('Success')
  expect([found.severity, found.summary.total]).toEqual(['Critical', 3])
  const { json } = await admin('GET', `${artifact}/additions/vulnerabilities`, 200)
  expect(json[REPORT_TYPE].vulnerabilities).toHaveLength(3)
})

test('an image with something critical is not pulled where the policy says so, and is once that is allowed', async () => {
  const pull = `crane pull --insecure ${at.host}/${PROJECT}/three:v1 pulled.tar`
  await at.sh(pull)
  await admin('PUT', `/projects/${PROJECT}`, 200, { metadata: { prevent_vul: 'true', severity: 'critical' } })
  // Believed for five seconds by those who read it just now.
  await expect
    .poll(() => at.sh(pull).then(String, String), { timeout: 30_000 })
    .toContain('PROJECTPOLICYVIOLATION')
  await admin('PUT', `/projects/${PROJECT}`, 200, { metadata: { prevent_vul: 'false' } })
  await expect.poll(() => at.sh(pull).then(() => 'pulled', String), { timeout: 30_000 }).toBe('pulled')
})

test('the worker writes a bill of materials beside the image', async () => {
  await admin('POST', `${artifact}/scan`, 202, { scan_type: 'sbom' })
  const status = async () =>
    (await admin('GET', `${artifact}?with_sbom_overview=true`, 200)).json.sbom_overview?.scan_status
  await expect.poll(status, { timeout: 120_000, interval: 500 }).toBe('Success')
  const { json } = await admin('GET', `${artifact}/additions/sbom`, 200)
  const names = json.packages.map(({ name }: { name: string }) => name)
  expect(names).toEqual(expect.arrayContaining(['libssl3', 'zlib1g', 'minimist']))
  const { json: accessories } = await admin('GET', `${artifact}/accessories`, 200)
  expect(accessories).toMatchObject([{ type: 'sbom.harbor' }])
})

test('what scans found is summed up, searched, and exported by the worker', async () => {
  const { json: sums } = await admin('GET', '/security/summary', 200)
  expect(sums).toMatchObject({ total_vuls: 3, critical_cnt: 1, high_cnt: 1, medium_cnt: 1 })
  const { json: found } = await admin('GET', '/security/vul?q=package%3Dlibssl3', 200)
  expect(found).toMatchObject([{ cve_id: 'CVE-2099-0001', repository_name: `${PROJECT}/three` }])
  const { json: project } = await admin('GET', `/projects/${PROJECT}`, 200)
  const request = { job_name: 'all', projects: [project.project_id] }
  const type = { 'x-scan-data-type': 'application/vnd.security.vulnerability.report; version=1.1' }
  const { json: begun } = await admin('POST', '/export/cve', 200, request, type)
  const done = async () => (await admin('GET', `/export/cve/execution/${begun.id}`, 200)).json.status
  await expect.poll(done, { timeout: 120_000, interval: 500 }).toBe('Success')
  const { answer } = await admin('GET', `/export/cve/download/${begun.id}`, 200)
  expect(answer.body.toString()).toContain('CVE-2099-0003')
})
