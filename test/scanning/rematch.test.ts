// A newer database against what is known of images: the reports become those of trivy by hand, and nothing is pulled.
// SABOTAGE=rematch-old has the database stay what it was.
import { randomUUID } from 'node:crypto'
import { cp, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { REPORT_TYPE } from '../../lib/scanning/report.ts'
import { logFile } from '../../lib/server/log.ts'
import { basic, makeUser, PASSWORD } from '../api/management.ts'
import { entrepot } from '../cli/command.ts'
import { ADMIN_PASSWORD } from '../support/server.ts'
import { ADVISORIES, THREE } from './advisories.ts'
import { buildDatabase } from './database.ts'
import { openPlace, type Place } from './place.ts'
import { findingsOf } from './trivy.ts'

const KINDS = ['clean', 'three', 'thousand', 'careless'] as const
/** `entrepot` and the server's log are found by the data directory, which servers on other stores have not. */
const here = (process.env.TEST_STORES ?? 'local') === 'local'
let at: Place
let cache: string
beforeAll(async () => {
  if (!here) return
  at = await openPlace({
    args: ['--trivy-checks', 'vuln,secret,misconfig', '--trivy-skip-update', 'on', '--trivy-offline', 'on'],
  })
  cache = path.join(at.server.dataDir, 'trivy')
  for (const kind of KINDS) await at.publish(kind)
  // Of what is known later, it knows one advisory of three, and five of a thousand.
  const known = [THREE[1]!, ...ADVISORIES.slice(THREE.length, THREE.length + 5)]
  await use(
    await buildDatabase(at.directory, { advisories: known, metadata: { UpdatedAt: '2026-02-01T00:00:00Z' } }),
  )
  for (const kind of KINDS) {
    // What was never scanned has its packages known all the same.
    if (kind !== 'clean') await ended(kind, 'vulnerability')
    await ended(kind, 'sbom')
  }
})
afterAll(() => at?.close())

async function use({ directory }: { directory: string }): Promise<void> {
  await rm(path.join(cache, 'db'), { recursive: true, force: true })
  await cp(directory, path.join(cache, 'db'), { recursive: true })
}

const artifact = (kind: string) => `/projects/library/repositories/${kind}/artifacts/v1`

async function ended(kind: string, scan_type: 'vulnerability' | 'sbom') {
  expect((await at.admin('POST', `${artifact(kind)}/scan`, { scan_type })).status).toBe(202)
  for (;;) {
    const { json } = await at.admin(
      'GET',
      `${artifact(kind)}?with_scan_overview=true&with_sbom_overview=true`,
    )
    const found = scan_type === 'sbom' ? json.sbom_overview : json.scan_overview?.[REPORT_TYPE]
    if (found?.scan_status === 'Success') return
    expect(found?.scan_status).not.toBe('Error')
    await sleep(100)
  }
}

async function report(kind: string) {
  const { json } = await at.admin('GET', `${artifact(kind)}/additions/vulnerabilities`)
  return json[REPORT_TYPE]
}

/** Begins it as an operator does, and waits. @returns what it said at its end */
async function rematched(): Promise<string> {
  const run = (...args: string[]) => entrepot([...args, '--data', at.server.dataDir])
  const begun = await run('rematch')
  expect(begun.code, begun.stdout).toBe(0)
  const [, execution] = /execution (\d+)/.exec(begun.stdout)!
  for (;;) {
    const { stdout } = await run('jobs', 'show', execution!)
    const [, job, status] = /^([0-9a-f]{24})\t(\w+)/m.exec(stdout)!
    if (['Pending', 'Running'].includes(status!)) continue
    expect(status, stdout).toBe('Success')
    return (await run('jobs', 'log', job!)).stdout
  }
}

test.runIf(here)(
  'new advisories appear in the reports of images, as trivy finds them by hand, and no layer is read',
  async () => {
    const totals = async () =>
      Promise.all(KINDS.map(async (kind) => (await report(kind))?.vulnerabilities.length))
    expect(await totals()).toEqual([undefined, 1, 5, 0])
    const newer = await buildDatabase(at.directory)
    if (process.env.SABOTAGE !== 'rematch-old') await use(newer)
    const before = await requests()
    const said = await rematched()
    expect(before.some((line) => line.includes('/blobs/'))).toBe(true)
    expect(await requests()).toEqual(before)
    expect(said).toContain('3 reports are new')
    expect(await totals()).toEqual([0, 3, 1000, 0])
    for (const kind of KINDS) {
      const byHand = findingsOf(await at.trivy({ image: `${at.server.host}/library/${kind}:v1`, cache }))
      const { vulnerabilities } = await report(kind)
      const ours = vulnerabilities.map((each: Record<string, string>) => [
        ...[
          each.id,
          each.package,
          each.version,
          each.fix_version,
          each.severity!.toUpperCase(),
          each.description,
        ],
      ])
      const theirs = byHand.map((each) => [
        ...[each.VulnerabilityID, each.PkgName, each.InstalledVersion, each.FixedVersion ?? ''],
        ...[each.Severity, each.Description ?? ''],
      ])
      expect(ours.toSorted()).toEqual(theirs.toSorted())
    }
  },
)

/** What the server was asked for of manifests and blobs, by its own log; which has everything up to a request of ours. */
async function requests(): Promise<string[]> {
  const marker = `mark-${randomUUID()}`
  await fetch(`${at.server.url}/v2/library/${marker}/tags/list`)
  const lines = async () => (await readFile(logFile(at.server.dataDir), 'utf8')).split('\n')
  await expect
    .poll(async () => (await lines()).some((line) => line.includes(marker)), { timeout: 10_000 })
    .toBe(true)
  return (await lines()).filter((line) => line.includes('/blobs/') || line.includes('/manifests/'))
}

test.runIf(here)('secrets and misconfigurations stay: no list of packages has them', async () => {
  const { findings } = await report('careless')
  expect(findings).toContainEqual(expect.objectContaining({ kind: 'secret', id: 'aws-access-key-id' }))
})

test.runIf(here)('while the database is the same nothing is new', async () => {
  expect(await rematched()).toContain('0 reports are new')
})

test.runIf(here)('it has a schedule, which is the administrators’', async () => {
  const path = `${at.server.url}/api/v2.0/system/rematch/schedule`
  // Harbor has nothing of it.
  const ask = async (schedule?: object, login = basic('admin', ADMIN_PASSWORD)) => {
    const body = schedule && { method: 'PUT', body: JSON.stringify({ schedule }) }
    const headers = { authorization: login, 'content-type': 'application/json' }
    const answer = await fetch(path, { headers, ...body })
    return { status: answer.status, text: await answer.text() }
  }
  const none = { status: 200, text: JSON.stringify({ schedule: { type: 'None' } }) }
  expect(await ask()).toEqual(none)
  expect((await ask({ type: 'Hourly' })).status).toBe(200)
  expect(JSON.parse((await ask()).text).schedule).toMatchObject({ type: 'Hourly', cron: '0 0 * * * *' })
  expect((await ask({ type: 'Manual' })).status).toBe(200)
  expect((await ask({ type: 'None' })).status).toBe(200)
  expect(await ask()).toEqual(none)
  await makeUser(at.admin, 'ada')
  expect((await ask(undefined, basic('ada', PASSWORD))).status).toBe(403)
  expect((await ask({ type: 'Manual' }, basic('ada', PASSWORD))).status).toBe(403)
})
