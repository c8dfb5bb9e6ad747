// Scans by a registry that has trivy: what it reports is what trivy says when it is run by hand on the same image and database.
// SABOTAGE=scan-report has the registry's answer lose a vulnerability.
import { execFile } from 'node:child_process'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GENERIC_REPORT_TYPE as OLD_TYPE, REPORT_TYPE } from '../../lib/scanning/report.ts'
import { jsonOf, startReceiver } from '../events/receiver.ts'
import { byId, countsOf, expected } from './expected.ts'
import { openPlace, type Place } from './place.ts'
import { findingsOf } from './trivy.ts'

let at: Place
let cache: string
beforeAll(async () => {
  at = await openPlace({
    args: [
      ...['--trivy-checks', 'vuln,secret,misconfig', '--trivy-skip-update', 'on', '--trivy-offline', 'on'],
      ...['--upstream-private-networks', '127.0.0.0/8'],
    ],
  })
  cache = path.join(at.server.dataDir, 'trivy')
  // The database it is given, once and for all.
  await at.publish('clean')
  await at.trivy({ image: `${at.server.host}/library/clean:v1`, cache, database: at.databaseAt })
})
afterAll(() => at.close())

const artifact = (kind: string, reference = 'v1') =>
  `/projects/library/repositories/${kind}/artifacts/${reference}`

/** Scans it, and waits until that has ended. */
async function scanned(kind: string, reference = 'v1') {
  const begun = await at.admin('POST', `${artifact(kind, reference)}/scan`)
  expect(begun.status, begun.body.toString()).toBe(202)
  return overview(kind, reference)
}

async function overview(kind: string, reference = 'v1') {
  for (;;) {
    const { json } = await at.admin('GET', `${artifact(kind, reference)}?with_scan_overview=true`)
    const found = json.scan_overview?.[REPORT_TYPE]
    if (found && !['Pending', 'Running'].includes(found.scan_status)) return found
    await sleep(100)
  }
}

for (const [kind, total] of [
  ['clean', 0],
  ['three', 3],
  ['thousand', 1000],
] as const)
  test(`the report of an image with ${total} vulnerabilities is trivy’s own, field by field`, async () => {
    const { reference } = await at.publish(kind)
    const shown = await scanned(kind)
    expect(shown).toMatchObject({ scan_status: 'Success', complete_percent: 100, scanner: { name: 'Trivy' } })
    expect(shown.summary.total).toBe(total)
    const byHand = findingsOf(await at.trivy({ image: reference, cache }))
    const { json } = await at.admin('GET', `${artifact(kind)}/additions/vulnerabilities`, undefined, {
      'x-accept-vulnerabilities': `text/plain, ${OLD_TYPE}, ${REPORT_TYPE}`,
    })
    const report = json[OLD_TYPE]
    if (process.env.SABOTAGE === 'scan-report') report.vulnerabilities.pop()
    const { digest } = (await at.admin('GET', artifact(kind))).json
    const wanted = byHand.map((each) => expected(each, digest)).sort(byId)
    expect(report.vulnerabilities).toHaveLength(total)
    expect(report.vulnerabilities.toSorted(byId)).toMatchObject(wanted)
    expect(shown.summary.summary).toEqual(countsOf(byHand))
    expect(shown.summary.fixable).toBe(byHand.filter(({ FixedVersion }) => FixedVersion).length)
  })

test('an index shows what its images have together, and every image its own', async () => {
  await at.publish('index')
  const shown = await scanned('index')
  expect([shown.scan_status, shown.summary.total]).toEqual(['Success', 3])
  const { json } = await at.admin('GET', `${artifact('index')}?with_scan_overview=true`)
  const totals = await Promise.all(
    json.references.map(
      async ({ child_digest }: { child_digest: string }) =>
        (await overview('index', child_digest)).summary.total,
    ),
  )
  expect(totals.toSorted()).toEqual([0, 3])
})

test('secrets and misconfigurations stand beside the vulnerabilities', async () => {
  await at.publish('careless')
  await scanned('careless')
  const { json } = await at.admin('GET', `${artifact('careless')}/additions/vulnerabilities`)
  const { findings } = json[REPORT_TYPE]
  expect(findings).toContainEqual(expect.objectContaining({ kind: 'secret', id: 'aws-access-key-id' }))
  expect(findings).toContainEqual(expect.objectContaining({ kind: 'misconfiguration', id: 'DS-0002' }))
})

test('a chart is nothing that can be scanned, and it is said so', async () => {
  await at.publishChart()
  const { status, json } = await at.admin('POST', `${artifact('chart', '1.0.0')}/scan`)
  expect([status, json.errors[0].message]).toEqual([
    400,
    'the configured scanner Trivy does not support scanning artifact with mime type application/vnd.oci.image.manifest.v1+json',
  ])
  expect((await at.admin('GET', `${artifact('chart', '1.0.0')}/additions/vulnerabilities`)).json).toEqual({})
})

test('a push is scanned without a click where the project says so', async () => {
  await at.admin('POST', '/projects/library/metadatas/', { auto_scan: 'true' })
  await at.sh(`crane copy --insecure ${at.server.host}/library/three:v1 ${at.server.host}/library/pushed:v1`)
  const shown = await overview('pushed')
  expect([shown.scan_status, shown.severity, shown.summary.total]).toEqual(['Success', 'Critical', 3])
  await at.admin('PUT', '/projects/library/metadatas/auto_scan', { auto_scan: 'false' })
})

test('a webhook tells of a scan that ended what it found, as Harbor does', async () => {
  const receiver = await startReceiver()
  try {
    const targets = [{ type: 'http', address: receiver.url, payload_format: 'Default' }]
    const event_types = ['SCANNING_COMPLETED', 'SCANNING_FAILED']
    const policy = { name: 'scans', enabled: true, event_types, targets }
    expect((await at.admin('POST', '/projects/library/webhook/policies', policy)).status).toBe(201)
    await scanned('three')
    await expect.poll(() => receiver.received.length, { timeout: 30_000 }).toBe(1)
    const { digest } = (await at.admin('GET', artifact('three'))).json
    expect(jsonOf(receiver.received[0]!)).toMatchObject({
      type: 'SCANNING_COMPLETED',
      operator: 'admin',
      event_data: {
        scan: { scan_type: 'vulnerability' },
        repository: { repo_full_name: 'library/three' },
        resources: [
          {
            digest,
            tag: 'v1',
            scan_overview: {
              [REPORT_TYPE]: { scan_status: 'Success', severity: 'Critical', summary: { total: 3 } },
            },
          },
        ],
      },
    })
  } finally {
    await receiver.close()
  }
})

test('the log of a scan is kept, without its token', async () => {
  const { report_id } = await overview('three')
  const { body } = await at.admin('GET', `${artifact('three')}/scan/${report_id}/log`)
  expect(body.toString()).toContain('3 vulnerabilities')
  expect(body.toString()).not.toContain('eyJ')
  expect((await at.admin('GET', `${artifact('three')}/scan/0000/log`)).status).toBe(404)
})

test('everything is scanned, and its progress is told', async () => {
  expect((await at.admin('POST', '/system/scanAll/schedule', { schedule: { type: 'Manual' } })).status).toBe(
    201,
  )
  for (;;) {
    const { json } = await at.admin('GET', '/scans/all/metrics')
    if (!json.ongoing) {
      // clean, three, thousand, two of the index, careless, pushed; the chart and the database are no images.
      expect(json).toMatchObject({
        total: 7,
        completed: 7,
        trigger: 'Manual',
        metrics: { Success: 7, Error: 0 },
      })
      break
    }
    await sleep(200)
  }
})

test('the schedule of scans of everything is set, shown, and ended', async () => {
  const schedule = '/system/scanAll/schedule'
  expect((await at.admin('GET', schedule)).body.toString()).toBe('')
  const daily = { schedule: { type: 'Daily', cron: '0 0 0 * * *' } }
  expect((await at.admin('POST', schedule, daily)).status).toBe(201)
  expect((await at.admin('POST', schedule, daily)).status).toBe(412)
  expect((await at.admin('GET', schedule)).json.schedule).toMatchObject({
    type: 'Daily',
    cron: '0 0 0 * * *',
  })
  expect((await at.admin('PUT', schedule, { schedule: { type: 'Manual' } })).status).toBe(400)
  expect((await at.admin('PUT', schedule, { schedule: { type: 'None' } })).status).toBe(200)
  expect((await at.admin('GET', schedule)).body.toString()).toBe('')
})

test('what is deleted takes its report with it', async () => {
  const reports = async () => {
    const { stdout } = await promisify(execFile)('find', [at.server.dataDir, '-path', '*/r/*', '-type', 'f'])
    return stdout.split('\n').filter((each) => each !== '').length
  }
  const before = await reports()
  expect(before).toBeGreaterThan(0)
  await at.admin('DELETE', artifact('pushed'))
  expect((await at.admin('POST', '/system/gc/schedule', { schedule: { type: 'Manual' } })).status).toBe(201)
  await expect.poll(reports, { timeout: 30_000 }).toBeLessThan(before)
})

test('the one scanner says what it is, and of when its database is', async () => {
  const { json } = await at.admin('GET', '/scanners')
  expect(json).toMatchObject([{ name: 'Trivy', is_default: true, health: 'healthy' }])
  const { properties } = (await at.admin('GET', `/scanners/${json[0].uuid}/metadata`)).json
  expect(Date.parse(properties['harbor.scanner-adapter/vulnerability-database-updated-at'])).toBeGreaterThan(
    0,
  )
})
