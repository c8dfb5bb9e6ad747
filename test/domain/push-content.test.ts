// What a manifest needs: content that is missing, of another size, or about to be collected.
import { expect, test } from 'vitest'
import { digestOf } from '../../lib/oci/digest.ts'
import { linkChange, readLink } from '../../lib/registry/links.ts'
import { manifestChange, readManifest } from '../../lib/registry/manifest-record.ts'
import { createProject } from '../../lib/registry/projects.ts'
import { imageBytes, layerOf } from './content.ts'
import {
  ACTOR,
  INDEX,
  itemsOf,
  MANIFEST,
  pushBlob,
  pushBytes,
  pushImage,
  pushIndex,
  referencesOf,
  repositoryId,
  type TestRegistry,
  testRegistry,
} from './registry.ts'

const NAME = 'library/app'

async function withConfig(): Promise<TestRegistry> {
  const registry = await testRegistry()
  await pushBlob(registry, NAME, '{}')
  return registry
}

test('a push that misses blobs is refused: it names ten of them and how many more, and leaves nothing', async () => {
  const registry = await withConfig()
  for (const [count, more] of [
    [10, undefined],
    [12, ' and 2 more'],
  ] as const) {
    const layers = Array.from({ length: count }, (_, number) => layerOf(`layer ${number}`))
    const refused = await pushBytes(registry, NAME, 'v1', imageBytes(...layers), MANIFEST).catch(
      (error) => error,
    )
    expect(refused).toMatchObject({
      code: 'MANIFEST_BLOB_UNKNOWN',
      detail: { digest: layers[0]!.digest, missing: layers.map((layer) => layer.digest) },
    })
    for (const [index, layer] of layers.entries())
      expect(refused.message.includes(layer.digest)).toBe(index < 10)
    expect(refused.message.includes(' more')).toBe(more !== undefined)
    if (more) expect(refused.message).toContain(more)
    expect(await referencesOf(registry)).toEqual([])
    expect(await itemsOf(registry, 'T#')).toEqual([])
  }
})

test('a push with hundreds of blobs finds each one that is missing', async () => {
  const registry = await withConfig()
  const layers = Array.from({ length: 230 }, (_, number) => `layer ${number}`)
  for (const [number, text] of layers.entries()) if (number % 100 !== 99) await pushBlob(registry, NAME, text)
  const bytes = imageBytes(...layers.map(layerOf))
  await expect(pushBytes(registry, NAME, 'v1', bytes, MANIFEST)).rejects.toMatchObject({
    detail: { missing: [99, 199].map((number) => layerOf(`layer ${number}`).digest) },
  })
  for (const number of [99, 199]) await pushBlob(registry, NAME, `layer ${number}`)
  await pushBytes(registry, NAME, 'v1', bytes, MANIFEST)
})

test('a push that tells another size of a blob is refused, naming the blob and both sizes', async () => {
  const registry = await withConfig()
  const layer = layerOf('layer')
  await pushBlob(registry, NAME, 'layer')
  for (const size of [4, 6])
    await expect(
      pushBytes(registry, NAME, 'v1', imageBytes(layer, { ...layer, size }), MANIFEST),
    ).rejects.toMatchObject({
      code: 'SIZE_INVALID',
      message: expect.stringMatching(new RegExp(`${layer.digest}.* ${size} .* 5`)),
    })
  expect(await referencesOf(registry)).toEqual([])
})

test('a push over a corrupt blob is refused', async () => {
  const registry = await withConfig()
  const digest = await pushBlob(registry, NAME, 'layer')
  const link = (await readLink(registry, await repositoryId(registry, NAME), digest))!
  await registry.metadata.transact([linkChange(registry, link, { state: 'corrupt' })])
  await expect(pushBytes(registry, NAME, 'v1', imageBytes(layerOf('layer')), MANIFEST)).rejects.toMatchObject(
    {
      code: 'MANIFEST_BLOB_UNKNOWN',
      detail: { missing: [digest] },
    },
  )
})

test('an index needs its manifests, unless its project accepts one without', async () => {
  for (const allowMissingChildren of [false, true]) {
    const registry = await testRegistry()
    await createProject(registry, 'sparse', { allowMissingChildren }, ACTOR)
    const there = await pushImage(registry, 'sparse/app', undefined)
    const missing = digestOf(Buffer.from('elsewhere'))
    const children = [there.digest, missing].map((digest) => ({ mediaType: MANIFEST, digest, size: 9 }))
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: children }))
    const pushed = pushBytes(registry, 'sparse/app', 'v1', bytes, INDEX)
    if (allowMissingChildren) await pushed
    else
      await expect(pushed).rejects.toMatchObject({
        code: 'MANIFEST_BLOB_UNKNOWN',
        detail: { missing: [missing] },
        message: expect.stringContaining('sparse/app'),
      })
  }
})

test('a push revives what a collector has condemned: blobs, children, and the manifest itself', async () => {
  const registry = await testRegistry()
  const child = await pushImage(registry, NAME, undefined)
  const repo = await repositoryId(registry, NAME)
  const condemnLink = async () => {
    const link = (await readLink(registry, repo, child.layer))!
    await registry.metadata.transact([linkChange(registry, link, { state: 'condemned' })])
  }
  const condemn = async () => {
    const record = (await readManifest(registry, repo, child.digest))!
    await registry.metadata.transact([manifestChange(registry, record, { state: 'condemned' })])
  }
  await condemnLink()
  await pushBytes(registry, NAME, 'v2', imageBytes(layerOf('layer'), layerOf('{}')), MANIFEST)
  expect(await readLink(registry, repo, child.layer)).toMatchObject({ state: 'live' })
  await condemn()
  const index = await pushIndex(registry, NAME, 'all', [child])
  expect(await readManifest(registry, repo, child.digest)).toMatchObject({ state: 'live' })
  expect((await readManifest(registry, repo, index))!.kind).toBe('index')
  for (const tag of [undefined, 'again']) {
    await condemn()
    await pushImage(registry, NAME, tag)
    expect(await readManifest(registry, repo, child.digest)).toMatchObject({ state: 'live' })
  }
})

test('of hundreds of missing blobs a hundred are told to the client’s program', async () => {
  const registry = await withConfig()
  const layers = Array.from({ length: 110 }, (_, number) => layerOf(`layer ${number}`))
  await expect(pushBytes(registry, NAME, 'v1', imageBytes(...layers), MANIFEST)).rejects.toMatchObject({
    message: expect.stringContaining(`${layers[0]!.digest}, ${layers[1]!.digest}`),
    detail: { missing: layers.slice(0, 100).map((layer) => layer.digest) },
  })
})
