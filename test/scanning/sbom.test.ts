// Bills of materials by a registry that has trivy: their packages are those that trivy names when it is run by hand.
// SABOTAGE=sbom-packages has the registry's document lose a package.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { numberOf } from '../api/management.ts'
import { jsonOf, startReceiver } from '../events/receiver.ts'
import { openPlace, type Place } from './place.ts'

let at: Place
const images: Record<string, string> = {}
beforeAll(async () => {
  at = await openPlace({
    args: [
      ...['--trivy-skip-update', 'on', '--trivy-offline', 'on'],
      ...['--upstream-private-networks', '127.0.0.0/8'],
    ],
  })
  for (const kind of ['three', 'thousand', 'index'] as const)
    images[kind] = (await at.publish(kind)).reference
})
afterAll(() => at.close())

const SBOM = 'application/vnd.goharbor.harbor.sbom.v1'
const artifact = (name: string, reference = 'v1', project = 'library') =>
  `/projects/${project}/repositories/${name}/artifacts/${reference}`

async function described(path: string) {
  const begun = await at.admin('POST', `${path}/scan`, { scan_type: 'sbom' })
  expect(begun.status, begun.body.toString()).toBe(202)
  return overview(path)
}

async function overview(path: string) {
  for (;;) {
    const { json } = await at.admin('GET', `${path}?with_sbom_overview=true`)
    const found = json.sbom_overview
    if (found && !['Pending', 'Running'].includes(found.scan_status)) return { ...found, of: json }
    await sleep(100)
  }
}

interface Spdx {
  spdxVersion: string
  packages: { versionInfo?: string; externalRefs?: { referenceType: string; referenceLocator: string }[] }[]
}
const inSpdx = ({ packages }: Spdx) =>
  packages.flatMap(({ versionInfo, externalRefs }) =>
    (externalRefs ?? [])
      .filter(({ referenceType, referenceLocator }) => referenceType === 'purl' && !isImage(referenceLocator))
      .map(({ referenceLocator }) => [referenceLocator, versionInfo]),
  )
interface CycloneDx {
  bomFormat: string
  components: { purl?: string; version?: string }[]
}
const inCycloneDx = ({ components }: CycloneDx) =>
  components.flatMap(({ purl, version }) => (purl && !isImage(purl) ? [[purl, version]] : []))
const isImage = (purl: string) => purl.startsWith('pkg:oci/')

const byHand = async (format: string, image: string) =>
  JSON.parse(
    await at.sh(
      `trivy image --quiet --image-src remote --insecure --cache-dir by-hand --offline-scan --disable-telemetry --skip-version-check --format ${format} ${image}`,
    ),
  )
const document = async (path: string) => {
  const { body, headers } = await at.admin('GET', `${path}/additions/sbom`)
  expect(headers['content-type']).toBe(SBOM)
  return JSON.parse(body.toString())
}
const accessories = async (path: string) => (await at.admin('GET', `${path}/accessories`)).json

for (const [kind, count] of [
  ['three', 4],
  ['thousand', 200],
] as const)
  test(`an image of ${count} packages has them in its SPDX document, as trivy writes it by hand`, async () => {
    const shown = await described(artifact(kind))
    expect(shown).toMatchObject({ scan_status: 'Success', scanner: { name: 'Trivy', version: '0.72.0' } })
    const written: Spdx = await document(artifact(kind))
    if (process.env.SABOTAGE === 'sbom-packages') written.packages.splice(1, 1)
    const wanted = inSpdx(await byHand('spdx-json', images[kind]!))
    expect(wanted).toHaveLength(count)
    expect(inSpdx(written).toSorted()).toEqual(wanted.toSorted())
    // Under its own digest it is the same document: so Harbor's clients ask.
    const link = shown.of.addition_links.sboms.href
    expect(link).toContain(shown.sbom_digest)
    expect(await document(artifact(kind, shown.sbom_digest))).toEqual(await document(artifact(kind)))
  })

test('it is a referrer of the image, for oras, crane and Harbor’s own clients', async () => {
  const { sbom_digest, of } = await overview(artifact('three'))
  const { referrers } = JSON.parse(
    await at.sh(`oras discover --plain-http --format json --artifact-type ${SBOM} ${images.three}`),
  )
  expect(referrers).toMatchObject([{ digest: sbom_digest, artifactType: SBOM }])
  expect(await accessories(artifact('three'))).toMatchObject([
    { type: 'sbom.harbor', digest: sbom_digest, subject_artifact_digest: of.digest },
  ])
  const image = `${at.server.host}/library/three@${sbom_digest}`
  const { layers, config, subject } = JSON.parse(await at.sh(`crane manifest --insecure ${image}`))
  expect([config.mediaType, subject.digest]).toEqual([SBOM, of.digest])
  expect(layers).toMatchObject([{ mediaType: 'application/spdx+json' }])
  const layer = await at.sh(`crane blob --insecure ${at.server.host}/library/three@${layers[0].digest}`)
  expect(JSON.parse(layer)).toEqual(await document(artifact('three')))
  // It is shown with the image, not beside it.
  const { json } = await at.admin('GET', '/projects/library/repositories/three/artifacts')
  expect(json).toHaveLength(1)
})

test('a newer one takes the place of the last', async () => {
  const before = await overview(artifact('three'))
  const after = await described(artifact('three'))
  expect(after.sbom_digest).not.toBe(before.sbom_digest)
  expect(await accessories(artifact('three'))).toMatchObject([{ digest: after.sbom_digest }])
})

test('a project may want CycloneDX, or both', async () => {
  numberOf(await at.admin('POST', '/projects', { project_name: 'formats' }))
  await at.sh(`crane copy --insecure ${images.three} ${at.server.host}/formats/three:v1`)
  const path = artifact('three', 'v1', 'formats')
  const want = (sbom_format: string) => at.admin('POST', '/projects/formats/metadatas/', { sbom_format })
  expect((await want('docx')).status).toBe(400)
  expect((await want('cyclonedx')).status).toBe(200)
  await described(path)
  const wanted = inCycloneDx(await byHand('cyclonedx', images.three!))
  const written: CycloneDx = await document(path)
  expect(written.bomFormat).toBe('CycloneDX')
  expect(inCycloneDx(written).toSorted()).toEqual(wanted.toSorted())
  expect(
    (await at.admin('PUT', '/projects/formats/metadatas/sbom_format', { sbom_format: 'both' })).status,
  ).toBe(200)
  await described(path)
  const types = await Promise.all(
    (await accessories(path)).map(async ({ digest }: { digest: string }) => {
      const text = await at.sh(`crane manifest --insecure ${at.server.host}/formats/three@${digest}`)
      return JSON.parse(text).layers[0].mediaType
    }),
  )
  expect(types.toSorted()).toEqual(['application/spdx+json', 'application/vnd.cyclonedx+json'])
  expect((await document(path)).spdxVersion).toBe('SPDX-2.3')
})

test('of an index each image has its own', async () => {
  const shown = await described(artifact('index'))
  expect(shown).toMatchObject({ scan_status: 'Success' })
  expect(shown).not.toHaveProperty('sbom_digest')
  const counts = await Promise.all(
    shown.of.references.map(async ({ child_digest }: { child_digest: string }) => {
      const { sbom_digest } = await overview(artifact('index', child_digest))
      expect(sbom_digest).toMatch(/^sha256:/)
      return inSpdx(await document(artifact('index', child_digest))).length
    }),
  )
  expect(counts.toSorted()).toEqual([2, 4])
})

test('a project that wants them has them of what is pushed, once, and none of themselves', async () => {
  numberOf(await at.admin('POST', '/projects', { project_name: 'pushed' }))
  const told = await startReceiver()
  const target = { type: 'http', address: told.url, payload_format: 'Default' }
  const webhook = { name: 'sboms', enabled: true, event_types: ['SCANNING_COMPLETED'], targets: [target] }
  expect((await at.admin('POST', '/projects/pushed/webhook/policies', webhook)).status).toBe(201)
  await at.admin('POST', '/projects/pushed/metadatas/', { auto_sbom_generation: 'true' })
  await at.sh(`crane copy --insecure ${images.three} ${at.server.host}/pushed/app:v1`)
  try {
    const path = artifact('app', 'v1', 'pushed')
    const { sbom_digest } = await overview(path)
    await expect.poll(() => told.received.length, { timeout: 30_000 }).toBe(1)
    expect(jsonOf(told.received[0]!)).toMatchObject({
      type: 'SCANNING_COMPLETED',
      event_data: {
        scan: { scan_type: 'sbom' },
        resources: [{ sbom_overview: { scan_status: 'Success', sbom_digest } }],
      },
    })
    const asked = await at.admin('POST', `${artifact('app', sbom_digest, 'pushed')}/scan`, {
      scan_type: 'sbom',
    })
    expect(asked.status).toBe(400)
    // A push after it would come after whatever the first one led to.
    await at.sh(`crane copy --insecure ${images.thousand} ${at.server.host}/pushed/later:v1`)
    await overview(artifact('later', 'v1', 'pushed'))
    expect(await accessories(path)).toHaveLength(1)
    expect(await accessories(artifact('app', sbom_digest, 'pushed'))).toEqual([])
  } finally {
    await told.close()
  }
})

test('what it is of takes it along', async () => {
  await at.sh(`crane copy --insecure ${images.three} ${at.server.host}/library/doomed:v1`)
  const { sbom_digest } = await described(artifact('doomed'))
  expect((await at.admin('GET', artifact('doomed', sbom_digest))).status).toBe(200)
  expect((await at.admin('DELETE', artifact('doomed'))).status).toBe(200)
  expect((await at.admin('GET', artifact('doomed', sbom_digest))).status).toBe(404)
})

test('a project that is full gets none, and is told why', async () => {
  numberOf(await at.admin('POST', '/projects', { project_name: 'full', storage_limit: 20_000 }))
  await at.sh(`crane copy --insecure ${images.three} ${at.server.host}/full/three:v1`)
  const path = artifact('three', 'v1', 'full')
  const { json } = await at.admin('GET', '/quotas?reference=project&page_size=100')
  const { id, used } = json.find((each: { ref: { name: string } }) => each.ref.name === 'full')
  expect((await at.admin('PUT', `/quotas/${id}`, { hard: { storage: used.storage + 10 } })).status).toBe(200)
  const { scan_status, report_id } = await described(path)
  expect(scan_status).toBe('Error')
  const log = await at.admin('GET', `${path}/scan/${report_id}/log`)
  expect(log.body.toString()).toContain('exceed')
  expect(await accessories(path)).toEqual([])
})

test('who may push may ask for one, who may only pull may not', async () => {
  const refused = await fetch(`${at.server.url}/api/v2.0${artifact('three')}/scan`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"scan_type": "sbom"}',
  })
  expect(refused.status).toBe(401)
})
