// A bill of materials has to belong to the image: as a referrer, by cosign's tags, or beside it in BuildKit's index.
import { beforeEach, expect, test } from 'vitest'
import type { Digest } from '../../lib/oci/digest.ts'
import { MANIFEST, pushBytes, type TestRegistry, testRegistry } from '../domain/registry.ts'
import { IMAGE_CONFIG, NAME, pull, pushParts, pushRunnable, setPolicy } from './place.ts'

const REFUSED = 'The image has no bill of materials (SBOM).'
const EMPTY = { mediaType: 'application/vnd.oci.empty.v1+json', text: '{}' }
const SPDX = { mediaType: 'application/spdx+json', text: '{"spdxVersion":"SPDX-2.3"}' }
const IN_TOTO = { mediaType: 'application/vnd.in-toto+json', text: '{"_type":"statement"}' }

let registry: TestRegistry
let image: Digest

beforeEach(async () => {
  registry = await testRegistry()
  image = await pushRunnable(registry, 'v1')
  await setPolicy(registry, { require_sbom: 'true' })
})

const refer = (type: string, more: object = {}) =>
  pushParts(registry, undefined, [EMPTY, { mediaType: type, text: type }], {
    subject: { mediaType: MANIFEST, digest: image, size: 2 },
    ...more,
  })

test('an image without a bill of materials is refused, and other referrers are none', async () => {
  expect(await pull(registry, image)).toContain(REFUSED)
  await refer('application/vnd.example+json', { artifactType: 'application/vnd.example' })
  expect(await pull(registry, image)).toContain(REFUSED)
  // Whoever may push may attach one, and reads the image for that.
  expect(await pull(registry, image, { pushes: true })).toBe('pulled')
  await setPolicy(registry, { require_sbom: 'true', prevent_vul: 'true', severity: 'high' })
  expect(await pull(registry, image, { pushes: true })).toContain('without vulnerability scanning')
  await setPolicy(registry, { require_sbom: 'false', prevent_vul: 'false' })
  expect(await pull(registry, image)).toBe('pulled')
})

test.each([
  ['oras attach', 'application/spdx+json', {}],
  ['syft and oras', 'application/vnd.cyclonedx+json', { artifactType: 'application/vnd.cyclonedx+json' }],
  ['Harbor', 'application/spdx+json', { artifactType: 'application/vnd.goharbor.harbor.sbom.v1' }],
  [
    'cosign attest',
    'application/vnd.dev.sigstore.bundle.v0.3+json',
    { annotations: { 'dev.sigstore.bundle.predicateType': 'https://spdx.dev/Document/v2.3' } },
  ],
])('a bill of materials attached by %s counts', async (_, type, more) => {
  await refer(type, more)
  expect(await pull(registry, image)).toBe('pulled')
})

test.each([
  ['sbom', SPDX],
  [
    'att',
    {
      mediaType: 'application/vnd.dsse.envelope.v1+json',
      text: '{}',
      annotations: { predicateType: 'https://cyclonedx.org/bom' },
    },
  ],
])('the tags of older cosigns (.%s) count', async (suffix, layer) => {
  await pushParts(registry, `${image.replace(':', '-')}.${suffix}`, [
    { mediaType: IMAGE_CONFIG, text: '{}' },
    layer,
  ])
  expect(await pull(registry, image)).toBe('pulled')
})

test('an attestation of BuildKit counts when it says what is in this image', async () => {
  const attest = (predicate: string) =>
    pushParts(registry, undefined, [
      { mediaType: IMAGE_CONFIG, text: `{"of":"${predicate}"}` },
      { ...IN_TOTO, annotations: { 'in-toto.io/predicate-type': predicate } },
    ])
  const index = async (of: string, attestation: string) => {
    const child = (digest: string, more = {}) => ({ mediaType: MANIFEST, digest, size: 2, ...more })
    const annotations = {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': of,
    }
    const mediaType = 'application/vnd.oci.image.index.v1+json'
    const manifests = [child(image), child(attestation, { annotations })]
    const body = JSON.stringify({ schemaVersion: 2, mediaType, manifests })
    await pushBytes(registry, NAME, undefined, Buffer.from(body), mediaType)
  }
  await index(image, await attest('https://slsa.dev/provenance/v1'))
  expect(await pull(registry, image)).toContain(REFUSED)
  const bill = await attest('https://spdx.dev/Document')
  await index(`sha256:${'ab'.repeat(32)}`, bill)
  expect(await pull(registry, image)).toContain(REFUSED)
  await index(image, bill)
  expect(await pull(registry, image)).toBe('pulled')
})
