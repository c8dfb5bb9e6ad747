// A push and what it needs: content that is missing, about to go, or goes half way; what a failed push leaves.
import { expect, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/oci/digest.ts'
import { deleteBlob } from '../../lib/registry/blobs.ts'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { keys } from '../../lib/registry/keys.ts'
import { linkChange, readLink } from '../../lib/registry/links.ts'
import { manifestChange, readManifest } from '../../lib/registry/manifest-record.ts'
import { findManifest, putManifest } from '../../lib/registry/manifests.ts'
import { createProject } from '../../lib/registry/projects.ts'
import { before, busy } from './meddling.ts'
import {
  ACTOR,
  byDigest,
  byTag,
  DAY_MS,
  HOUR_MS,
  INDEX,
  itemsOf,
  MANIFEST,
  pushBlob,
  pushBytes,
  pushImage,
  pushIndex,
  repositoryId,
  type TestRegistry,
  testRegistry,
} from './registry.ts'

const NAME = 'library/app'
const TYPE = 'application/x'

/** An image's bytes, pushed or not, over a config `{}` and layers of the sizes told. */
function image(...layers: { digest: Digest; size: number }[]): Buffer {
  const config = { mediaType: TYPE, digest: digestOf(Buffer.from('{}')), size: 2 }
  const described = layers.map((each) => ({ mediaType: TYPE, ...each }))
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: described }))
}

const layerOf = (text: string) => ({ digest: digestOf(Buffer.from(text)), size: text.length })
const references = async (registry: TestRegistry) =>
  [...(await itemsOf(registry, 'L#')), ...(await itemsOf(registry, 'M#'))].filter(({ sk }) =>
    sk.startsWith('R#'),
  )

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
    const refused = await pushBytes(registry, NAME, 'v1', image(...layers), MANIFEST).catch((error) => error)
    expect(refused).toMatchObject({
      code: 'MANIFEST_BLOB_UNKNOWN',
      detail: { digest: layers[0]!.digest, missing: layers.map((layer) => layer.digest) },
    })
    for (const [index, layer] of layers.entries())
      expect(refused.message.includes(layer.digest)).toBe(index < 10)
    expect(refused.message.includes(' more')).toBe(more !== undefined)
    if (more) expect(refused.message).toContain(more)
    expect(await references(registry)).toEqual([])
    expect(await itemsOf(registry, 'T#')).toEqual([])
  }
})

test('a push with hundreds of blobs finds each one that is missing', async () => {
  const registry = await withConfig()
  const layers = Array.from({ length: 230 }, (_, number) => `layer ${number}`)
  for (const [number, text] of layers.entries()) if (number % 100 !== 99) await pushBlob(registry, NAME, text)
  const bytes = image(...layers.map(layerOf))
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
      pushBytes(registry, NAME, 'v1', image(layer, { ...layer, size }), MANIFEST),
    ).rejects.toMatchObject({
      code: 'SIZE_INVALID',
      message: expect.stringMatching(new RegExp(`${layer.digest}.* ${size} .* 5`)),
    })
  expect(await references(registry)).toEqual([])
})

test('a push over a corrupt blob is refused', async () => {
  const registry = await withConfig()
  const digest = await pushBlob(registry, NAME, 'layer')
  const link = (await readLink(registry, await repositoryId(registry, NAME), digest))!
  await registry.metadata.transact([linkChange(registry, link, { state: 'corrupt' })])
  await expect(pushBytes(registry, NAME, 'v1', image(layerOf('layer')), MANIFEST)).rejects.toMatchObject({
    code: 'MANIFEST_BLOB_UNKNOWN',
    detail: { missing: [digest] },
  })
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
  await pushBytes(registry, NAME, 'v2', image(layerOf('layer'), layerOf('{}')), MANIFEST)
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

test('a blob deleted while a manifest that needs it is pushed: one of the two is refused', async () => {
  const registry = await withConfig()
  const digest = await pushBlob(registry, NAME, 'layer')
  const content = { bytes: image(layerOf('layer')), contentType: MANIFEST }
  const late = before(registry, 'transact', () =>
    expect(deleteBlob(registry, NAME, digest)).rejects.toMatchObject({ status: 405 }),
  )
  await putManifest(late, NAME, byTag('v1'), content, [], ACTOR)
  await deleteReference(registry, NAME, byDigest(digestOf(content.bytes)), ACTOR)
  const early = before(registry, 'batchWrite', () => deleteBlob(registry, NAME, digest))
  await expect(putManifest(early, NAME, byTag('v1'), content, [], ACTOR)).rejects.toMatchObject({
    code: 'MANIFEST_BLOB_UNKNOWN',
  })
})

test('two pushes of one manifest at once leave one life of it, with one set of references', async () => {
  const registry = await withConfig()
  const bytes = image()
  const slow = before(registry, 'transact', () => pushBytes(registry, NAME, 'v1', bytes, MANIFEST))
  await putManifest(slow, NAME, byTag('v2'), { bytes, contentType: MANIFEST }, [], ACTOR)
  const births = (await references(registry)).map((item) => item.sk.split('#')[2])
  const found = await Promise.all(['v1', 'v2'].map((tag) => findManifest(registry, NAME, byTag(tag))))
  expect(births).toEqual([found[0]!.record.birth])
  expect(found[1]!.record.birth).toBe(found[0]!.record.birth)
})

test('a push into a repository that was deleted and made again meanwhile is refused', async () => {
  for (const id of ['another', undefined]) {
    const registry = await withConfig()
    const key = keys.repository(NAME)
    const slow = before(registry, 'transact', async () => {
      await pushImage(registry, NAME, 'v1', { layer: 'other' }) // the repository is listed: ours fails
      const item = (await registry.metadata.get(key))!
      const next = { ...item, attributes: { ...item.attributes, id: id ?? '' } }
      await registry.metadata.batchWrite(id ? [{ kind: 'put', item: next }] : [{ kind: 'delete', key }])
    })
    const content = { bytes: image(), contentType: MANIFEST }
    await expect(putManifest(slow, NAME, byTag('v1'), content, [], ACTOR)).rejects.toMatchObject({
      code: 'NAME_UNKNOWN',
      message: expect.stringContaining(NAME),
    })
  }
})

test('a push that takes an hour may end, one that takes longer gives up while its references still count', async () => {
  for (const [tookMs, code] of [
    [HOUR_MS, undefined],
    [HOUR_MS + 1, 'UNAVAILABLE'],
  ] as const) {
    const registry = await withConfig()
    const slow = before(registry, 'batchGet', () => (registry.clock.now += tookMs), 2)
    const pushed = putManifest(slow, NAME, byTag('v1'), { bytes: image(), contentType: MANIFEST }, [], ACTOR)
    if (code) await expect(pushed).rejects.toMatchObject({ code })
    else await pushed
    expect(await references(registry)).toHaveLength(code ? 0 : 1)
  }
})

test('content that never comes to rest makes a push fail, and the client told to try again', async () => {
  const registry = await withConfig()
  const child = await pushImage(registry, NAME, undefined)
  const repo = await repositoryId(registry, NAME)
  const link = (await readLink(registry, repo, child.layer))!
  await registry.metadata.transact([linkChange(registry, link, { state: 'condemned' })])
  registry.clock.now += DAY_MS
  const content = { bytes: image(layerOf('layer')), contentType: MANIFEST }
  await expect(putManifest(busy(registry), NAME, byTag('v1'), content, [], ACTOR)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    status: 503,
  })
  await expect(findManifest(registry, NAME, byTag('v1'))).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' })
})
