// Kinds of artifacts and what is shown of each. Expected values are transcribed from goharbor/harbor v2.14.0:
// src/controller/artifact (abstractor, processors) and src/lib/icon.
import { expect, test } from 'vitest'
import { getArtifact } from '../../lib/artifacts/artifacts.ts'
import { keys } from '../../lib/registry/keys.ts'
import { relay } from '../../lib/registry/relay.ts'
import {
  CHART,
  type Content,
  cosignReferrer,
  DOCKER_CONFIG,
  dockerImage,
  harborSbom,
  helmChart,
  model,
  nydusImage,
  ociImage,
  orasArtifact,
  pushArtifact,
  pushIndexOf,
  tgz,
  wasmModule,
} from './artifact-content.ts'
import { byDigest, byTag, itemsOf, repositoryId, testRegistry } from './registry.ts'

const NAME = 'library/app'
const ICONS = {
  IMAGE: 'sha256:0048162a053eef4d4ce3fe7518615bef084403614f8bca43b40ae2e762e11e06',
  CHART: 'sha256:61cf3a178ff0f75bf08a25d96b75cf7355dc197749a9f128ed3ef34b0df05518',
  UNKNOWN: 'sha256:da834479c923584f4cbcdecc0dac61f32bef1d51e8aae598cf16bd154efab49f',
  CNAB: 'sha256:089bdda265c14d8686111402c8ad629e8177a1ceb7dcd0f7f39b6480f623b3bd',
}
const README = {
  mediaType: 'application/vnd.cncf.model.doc.v1.raw',
  content: '# Small',
  annotations: { 'org.cncf.model.filepath': 'README.md' },
}

/** As it is right after the push, and once its facts were recorded: the same. */
async function shown(content: Content) {
  const registry = await testRegistry()
  const made = await pushArtifact(registry, NAME, 'v1', content)
  const before = await getArtifact(registry, NAME, byTag('v1'))
  while ((await relay(registry)) > 0);
  registry.blobs.objects.clear() // what is recorded needs no blob
  const after = await getArtifact(registry, NAME, byTag('v1'))
  expect(after).toEqual(before)
  return { made, artifact: after }
}

test('a Docker image shows its platform, author and the config’s own fields, and counts all of its bytes', async () => {
  const { made, artifact } = await shown(dockerImage())
  expect(artifact).toMatchObject({
    digest: made.digest,
    type: 'IMAGE',
    mediaType: 'application/vnd.docker.container.image.v1+json',
    manifestMediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    artifactType: 'application/vnd.docker.container.image.v1+json',
    sizeBytes: made.total,
    icon: ICONS.IMAGE,
    additions: ['build_history'],
    annotations: {},
    references: [],
    accessories: [],
    labels: [],
    pullCount: 0,
  })
  expect(artifact.extraAttrs).toEqual({
    created: '2026-01-02T03:04:05.678Z',
    architecture: 'amd64',
    os: 'linux',
    config: { Env: ['PATH=/bin'], Cmd: ['/bin/sh'], Labels: { maintainer: 'ann@example.com' } },
    author: 'ann@example.com',
  })
})

test('the author is the config’s, else that of the OCI label, else the maintainer', async () => {
  const author = async (own: string, labels: Record<string, string>) => {
    const config = { ...DOCKER_CONFIG, author: own, config: { Labels: labels } }
    return (await shown(ociImage('x', config))).artifact.extraAttrs.author
  }
  const labels = { 'org.opencontainers.image.authors': 'bob', maintainer: 'ann' }
  expect(await author('eve', labels)).toBe('eve')
  expect(await author('', labels)).toBe('bob')
  expect(await author('', { ...labels, 'org.opencontainers.image.authors': '' })).toBe('ann')
  expect(await author('', {})).toBe('')
})

test('an image whose config says nothing shows empty fields', async () => {
  const { artifact } = await shown(ociImage('x', {}))
  expect(artifact.extraAttrs).toEqual({ created: null, architecture: '', os: '', config: {}, author: '' })
})

test.each([
  ['a chart', async () => helmChart(await tgz({ 'shop/values.yaml': 'a: 1' })), 'CHART', CHART],
  ['an SBOM', async () => harborSbom(), 'SBOM', {}],
  [
    'a model',
    async () => model(README),
    'CNAI',
    { descriptor: { name: 'small' }, config: { format: 'gguf' } },
  ],
  [
    'a WebAssembly module',
    async () => wasmModule(),
    'WASM',
    {
      'manifest.config.mediaType': 'application/vnd.wasm.config.v1+json',
      'manifest.layers.mediaType': 'application/vnd.wasm.content.layer.v1+wasm',
      'org.opencontainers.image.title': 'module.wasm',
    },
  ],
  ['an artifact of ORAS', async () => orasArtifact(), 'UNKNOWN', {}],
  [
    'a config whose media type names its type',
    async (): Promise<Content> => ({
      config: {
        mediaType: 'application/vnd.caicloud.model.config.v1alpha1+json',
        content: '{"format":"SavedModel","metrics":[1],"git":"x"}',
        annotations: { 'io.goharbor.artifact.v1alpha1.skip-list': 'metrics,git' },
      },
    }),
    'MODEL',
    { format: 'SavedModel' },
  ],
  [
    'a config named in several words',
    async (): Promise<Content> => ({
      config: { mediaType: 'application/vnd.acme.rocket.launcher.config.v1+json', content: '{"a":1}' },
    }),
    'ROCKET.LAUNCHER',
    { a: 1 },
  ],
  [
    'a media type of another form',
    async (): Promise<Content> => ({
      config: { mediaType: 'application/vnd.docker.plugin.v1+json', content: '{"a":1}' },
    }),
    'UNKNOWN',
    {},
  ],
] as const)('%s is of its type and shows what its config says', async (_, content, type, extraAttrs) => {
  const { made, artifact } = await shown(await content())
  expect(artifact).toMatchObject({ type, sizeBytes: made.total })
  expect(artifact.extraAttrs).toEqual(extraAttrs)
})

test('an image annotated as WebAssembly is a module with the fields of an image', async () => {
  for (const [key, value] of [
    ['module.wasm.image/variant', 'compat'],
    ['run.oci.handler', 'wasm'],
  ] as const) {
    const { artifact } = await shown({ ...ociImage(), annotations: { [key]: value } })
    expect(artifact).toMatchObject({
      type: 'WASM',
      mediaType: 'application/vnd.wasm.config.v1+json',
      additions: ['build_history'],
      annotations: { [key]: value },
    })
    expect(artifact.extraAttrs).toMatchObject({
      'manifest.config.mediaType': 'application/vnd.oci.image.config.v1+json',
      os: 'linux',
      author: 'ann@example.com',
    })
  }
  const { artifact } = await shown({ ...ociImage(), annotations: { 'run.oci.handler': 'other' } })
  expect(artifact.type).toBe('IMAGE')
})

test('known types have Harbor’s pictures, others the default or one of their layers', async () => {
  const chart = await shown(helmChart(await tgz({ 'shop/Chart.yaml': 'name: shop' })))
  expect(chart.artifact.icon).toBe(ICONS.CHART)
  expect((await shown(orasArtifact())).artifact.icon).toBe(ICONS.UNKNOWN)
  const picture = {
    mediaType: 'image/png',
    content: 'png',
    annotations: { 'io.goharbor.artifact.v1alpha1.icon': '' },
  }
  const own = await shown({ ...orasArtifact(), layers: [picture] })
  expect(own.artifact.icon).not.toBe(ICONS.UNKNOWN)
  expect(own.artifact.icon).toMatch(/^sha256:/)
  // Only types Harbor has no rules for look for one.
  expect((await shown({ ...ociImage(), layers: [picture] })).artifact.icon).toBe(ICONS.IMAGE)
})

test('an index is an image, names its manifests with their platforms, and counts their bytes with its own', async () => {
  const registry = await testRegistry()
  const amd64 = await pushArtifact(registry, NAME, undefined, ociImage('amd64'))
  const arm64 = await pushArtifact(registry, NAME, undefined, ociImage('arm64'))
  const platform = { architecture: 'amd64', os: 'windows', 'os.version': '10.0', 'os.features': ['win32k'] }
  const children = [
    { ...amd64, platform, annotations: { a: 'b' }, urls: ['https://example.com/x'] },
    { ...arm64, platform: { architecture: 'arm64', os: 'linux', variant: 'v8' } },
  ]
  const index = await pushIndexOf(registry, NAME, 'all', children, { annotations: { k: 'v' } })
  for (const relayed of [false, true]) {
    if (relayed) while ((await relay(registry)) > 0);
    const artifact = await getArtifact(registry, NAME, byTag('all'))
    expect(artifact).toMatchObject({
      type: 'IMAGE',
      mediaType: 'application/vnd.oci.image.index.v1+json',
      artifactType: '',
      sizeBytes: index.total,
      additions: [],
      extraAttrs: {},
      annotations: { k: 'v' },
    })
    expect(artifact.references).toEqual([
      { digest: amd64.digest, platform, annotations: { a: 'b' }, urls: ['https://example.com/x'] },
      { digest: arm64.digest, platform: { architecture: 'arm64', os: 'linux', variant: 'v8' } },
    ])
  }
})

test('a CNAB bundle is an index that shows the config of its bundle', async () => {
  const registry = await testRegistry()
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    content: '{"name":"bundle","version":"0.1"}',
  }
  const bundle = await pushArtifact(registry, NAME, undefined, { config })
  const image = await pushArtifact(registry, NAME, undefined, dockerImage())
  await pushIndexOf(
    registry,
    NAME,
    'v1',
    [
      { ...bundle, annotations: { 'io.cnab.manifest.type': 'config' } },
      { ...image, annotations: { 'io.cnab.manifest.type': 'invocation' } },
    ],
    { annotations: { 'org.opencontainers.artifactType': 'application/vnd.cnab.manifest.v1' } },
  )
  for (const relayed of [false, true]) {
    if (relayed) while ((await relay(registry)) > 0);
    expect(await getArtifact(registry, NAME, byTag('v1'))).toMatchObject({
      type: 'CNAB',
      mediaType: 'application/vnd.cnab.manifest.v1',
      icon: ICONS.CNAB,
      extraAttrs: { name: 'bundle', version: '0.1' },
    })
  }
})

test('an index of an artifactType Harbor does not know is unknown', async () => {
  const registry = await testRegistry()
  const child = await pushArtifact(registry, NAME, undefined, ociImage())
  await pushIndexOf(registry, NAME, 'v1', [child], { artifactType: 'application/vnd.example+type' })
  expect(await getArtifact(registry, NAME, byTag('v1'))).toMatchObject({
    type: 'UNKNOWN',
    artifactType: 'application/vnd.example+type',
  })
})

test('of a config too large to be kept with the facts, the small entries are shown', async () => {
  const { artifact } = await shown(
    helmChart(await tgz({ 'shop/Chart.yaml': '' }), { ...CHART, description: 'x'.repeat(40_000) }),
  )
  const { description: _, ...rest } = CHART
  expect(artifact.extraAttrs).toEqual(rest)
})

test('annotations and references too many to be recorded are read from the manifest', async () => {
  const annotations = { big: 'x'.repeat(50_000) }
  const registry = await testRegistry()
  const { digest } = await pushArtifact(registry, NAME, 'v1', { ...ociImage(), annotations })
  while ((await relay(registry)) > 0);
  const facts = await registry.metadata.get(keys.imageFacts(await repositoryId(registry, NAME), digest))
  expect(JSON.stringify(facts!.attributes).length).toBeLessThan(10_000)
  expect(await getArtifact(registry, NAME, byTag('v1'))).toMatchObject({
    annotations,
    extraAttrs: { os: 'linux' },
  })
})

test('manifests that an older version recorded are shown the same', async () => {
  const registry = await testRegistry()
  const child = await pushArtifact(registry, NAME, 'v1', nydusImage(`sha256:${'5'.repeat(64)}` as never))
  await pushIndexOf(registry, NAME, 'all', [child])
  await pushArtifact(registry, NAME, 'signed', cosignReferrer(child.digest))
  while ((await relay(registry)) > 0);
  const all = () => Promise.all(['v1', 'all', 'signed'].map((tag) => getArtifact(registry, NAME, byTag(tag))))
  const recorded = await all()
  for (const item of await itemsOf(registry, '')) {
    const { artifact: _, atMs: __, ...attributes } = item.attributes
    if (/^(A|M|TL|TD)#/.test(item.pk))
      await registry.metadata.batchWrite([{ kind: 'put', item: { ...item, attributes } }])
  }
  expect(await all()).toEqual(recorded)
  expect(await getArtifact(registry, NAME, byDigest(child.digest))).toEqual(recorded[0])
})

test('an artifact that is not there is named in the error', async () => {
  const registry = await testRegistry()
  await expect(getArtifact(registry, NAME, byTag('v1'))).rejects.toMatchObject({ code: 'NAME_UNKNOWN' })
  const { digest } = await pushArtifact(registry, NAME, 'v1', ociImage())
  const unknown = { code: 'MANIFEST_UNKNOWN', status: 404 }
  await expect(getArtifact(registry, NAME, byTag('v2'))).rejects.toMatchObject(unknown)
  const other = `sha256:${'0'.repeat(64)}` as typeof digest
  await expect(getArtifact(registry, NAME, byDigest(other))).rejects.toMatchObject(unknown)
})
