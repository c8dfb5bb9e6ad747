// The real trivy, its database from our registry, and images that have 0, 3 and 1,000 findings.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { numberOf } from '../api/management.ts'
import { startDockerRegistry } from '../support/docker-registry.ts'
import { ADVISORIES, type Advisory, THREE } from './advisories.ts'
import { buildDatabase, pushDatabase } from './database.ts'
import { openPlace, type Place } from './place.ts'
import { findingsOf, type Report } from './trivy.ts'

let at: Place
const images: Record<string, string> = {}
beforeAll(async () => {
  at = await openPlace({ args: ['--upstream-private-networks', '127.0.0.0/8'] })
  for (const kind of ['clean', 'three', 'thousand', 'careless', 'index'] as const)
    images[kind] = (await at.publish(kind)).reference
})
afterAll(() => at.close())

/** Filled from our registry by whoever comes first. */
const scan = (image: string, ...options: string[]) =>
  at.trivy({ image, cache: path.join(at.directory, 'cache'), database: at.databaseAt, options })

const found = (report: Report) =>
  findingsOf(report)
    .map((each) => [each.VulnerabilityID, each.Severity, each.FixedVersion, each.Description])
    .sort()
const known = (advisories: Advisory[]) =>
  advisories.map(({ id, severity, fixed, description }) => [
    id,
    severity,
    fixed,
    severity === 'UNKNOWN' ? undefined : description,
  ])

test('trivy takes its database from our registry and finds 0, 3 and 1,000 vulnerabilities, each as known', async () => {
  const thousand = ADVISORIES.filter((each) => each.in === 'alpine')
  expect(thousand).toHaveLength(1000)
  expect(found(await scan(images.clean!))).toEqual([])
  expect(found(await scan(images.three!))).toEqual(known(THREE))
  expect(found(await scan(images.thousand!))).toEqual(known(thousand))
})

test('what nobody has fixed is left out with --ignore-unfixed', async () => {
  const fixed = THREE.filter((each) => each.fixed)
  expect(found(await scan(images.three!, '--ignore-unfixed'))).toEqual(known(fixed))
})

test('a downloaded database serves later scans without asking anybody', async () => {
  const cache = path.join(at.directory, 'downloaded')
  await at.trivy({ image: images.clean!, cache, database: at.databaseAt })
  const { DownloadedAt } = JSON.parse(await readFile(path.join(cache, 'db/metadata.json'), 'utf8'))
  expect(Date.parse(DownloadedAt)).toBeGreaterThan(Date.parse('2026-01-01'))
  expect(found(await at.trivy({ image: images.three!, cache }))).toEqual(known(THREE))
  const empty = path.join(at.directory, 'empty')
  await expect(at.trivy({ image: images.three!, cache: empty })).rejects.toThrow(
    '--skip-db-update cannot be specified on the first run',
  )
})

test('a project that caches another registry serves its database, also when that one is away', async () => {
  const origin = await startDockerRegistry()
  try {
    await pushDatabase(at.sh, at.database, `${origin.host}/aquasecurity/trivy-db`)
    const upstream = { name: 'origin', type: 'docker-registry', url: origin.url }
    const registry_id = numberOf(await at.admin('POST', '/registries', upstream))
    numberOf(await at.admin('POST', '/projects', { project_name: 'ghcr', registry_id }))
    const database = `${at.server.host}/ghcr/aquasecurity/trivy-db:2`
    const through = (name: string) =>
      at.trivy({ image: images.three!, cache: path.join(at.directory, name), database })
    expect(found(await through('cold'))).toEqual(known(THREE))
    const layers = [...origin.fetched().keys()].filter((each) => each.includes('/trivy-db/blobs/'))
    expect(layers).not.toEqual([])
    await origin.stop()
    expect(found(await through('warm'))).toEqual(known(THREE))
  } finally {
    await origin.stop()
  }
})

test('secrets and misconfigurations are found by scanners of their own', async () => {
  const report = await scan(images.careless!, '--scanners', 'vuln,secret,misconfig')
  expect(findingsOf(report)).toEqual([])
  const results = report.Results ?? []
  expect(
    results.flatMap(({ Target, Secrets }) => (Secrets ?? []).map((each) => [Target, each.RuleID])),
  ).toEqual([['/root/.aws/credentials', 'aws-access-key-id']])
  const wrong = results.flatMap(({ Misconfigurations }) => (Misconfigurations ?? []).map(({ ID }) => ID))
  expect(wrong).toContain('DS-0002')
})

test('each platform of an index has findings of its own', async () => {
  expect(found(await scan(images.index!, '--platform', 'linux/amd64'))).toEqual(known(THREE))
  expect(found(await scan(images.index!, '--platform', 'linux/arm64'))).toEqual([])
})

test('a Helm chart is nothing that trivy scans', async () => {
  await expect(scan(await at.publishChart())).rejects.toThrow('unsupported artifact type')
})

test('trivy refuses the database of another schema that its cache has', async () => {
  const other = await buildDatabase(at.directory, { advisories: THREE, metadata: { Version: 3 } })
  const cache = path.join(at.directory, 'other')
  await at.sh(`mkdir ${cache} && cp -r ${other.directory} ${cache}/db`)
  await expect(at.trivy({ image: images.three!, cache })).rejects.toThrow(
    "the version of DB schema doesn't match. Local DB: 3, Expected: 2",
  )
})
