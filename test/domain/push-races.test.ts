// Pushes of manifests that meet somebody: a deletion, a collector, another push, or an hour of waiting.
import { expect, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/oci/digest.ts'
import { deleteBlob } from '../../lib/registry/blobs.ts'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { keys } from '../../lib/registry/keys.ts'
import { linkChange, readLink } from '../../lib/registry/links.ts'
import { manifestChange, readManifest } from '../../lib/registry/manifest-record.ts'
import { findManifest, putManifest } from '../../lib/registry/manifests.ts'
import { imageBytes, indexBytes, layerOf } from './content.ts'
import { before, busy } from './meddling.ts'
import {
  ACTOR,
  byDigest,
  byTag,
  HOUR_MS,
  INDEX,
  itemsOf,
  MANIFEST,
  pushBlob,
  pushBytes,
  pushImage,
  referencesOf,
  repositoryId,
  type TestRegistry,
  testRegistry,
} from './registry.ts'

const NAME = 'library/app'
/** Another manifest of the blobs that `pushed` leaves. */
const OTHER = imageBytes(layerOf('layer'), layerOf('{}'))

async function withConfig(): Promise<TestRegistry> {
  const registry = await testRegistry()
  await pushBlob(registry, NAME, '{}')
  return registry
}

async function pushed() {
  const registry = await testRegistry()
  const child = await pushImage(registry, NAME, undefined)
  return { registry, child, repo: await repositoryId(registry, NAME) }
}

async function setLink(
  registry: TestRegistry,
  repo: string,
  digest: Digest,
  state: 'condemned',
): Promise<void> {
  const link = (await readLink(registry, repo, digest))!
  await registry.metadata.transact([linkChange(registry, link, { state })])
}

async function condemn(registry: TestRegistry, repo: string, digest: Digest): Promise<void> {
  const record = (await readManifest(registry, repo, digest))!
  await registry.metadata.transact([manifestChange(registry, record, { state: 'condemned' })])
}

test('a blob deleted while a manifest that needs it is pushed: one of the two is refused', async () => {
  const registry = await withConfig()
  const digest = await pushBlob(registry, NAME, 'layer')
  const content = { bytes: imageBytes(layerOf('layer')), contentType: MANIFEST }
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
  const bytes = imageBytes()
  const slow = before(registry, 'transact', () => pushBytes(registry, NAME, 'v1', bytes, MANIFEST))
  await putManifest(slow, NAME, byTag('v2'), { bytes, contentType: MANIFEST }, [], ACTOR)
  const births = (await referencesOf(registry)).map((item) => item.sk.split('#')[2])
  const found = await Promise.all(['v1', 'v2'].map((tag) => findManifest(registry, NAME, byTag(tag))))
  expect(births).toEqual([found[0]!.record.birth])
  expect(found[1]!.record.birth).toBe(found[0]!.record.birth)
})

test('a first push into a repository that was deleted, or made anew, meanwhile is refused', async () => {
  for (const id of ['another', undefined]) {
    const registry = await withConfig()
    const key = keys.repository(NAME)
    const slow = before(registry, 'transact', async () => {
      const item = (await registry.metadata.get(key))!
      const next = { ...item, attributes: { ...item.attributes, id: id ?? '' } }
      await registry.metadata.batchWrite(id ? [{ kind: 'put', item: next }] : [{ kind: 'delete', key }])
    })
    const content = { bytes: imageBytes(), contentType: MANIFEST }
    await expect(putManifest(slow, NAME, byTag('v1'), content, [], ACTOR)).rejects.toMatchObject({
      code: 'NAME_UNKNOWN',
      message: expect.stringContaining(NAME),
    })
    expect((await registry.metadata.get(key))?.attributes.id).toBe(id)
    expect(await itemsOf(registry, 'CATALOG')).toEqual([])
  }
})

test('a push that takes an hour may end, one that takes longer gives up while its references still count', async () => {
  for (const [tookMs, code] of [
    [HOUR_MS, undefined],
    [HOUR_MS + 1, 'UNAVAILABLE'],
  ] as const) {
    const registry = await withConfig()
    const slow = before(registry, 'batchGet', () => (registry.clock.now += tookMs), 2)
    const pushed = putManifest(
      slow,
      NAME,
      byTag('v1'),
      { bytes: imageBytes(), contentType: MANIFEST },
      [],
      ACTOR,
    )
    if (code) await expect(pushed).rejects.toMatchObject({ code })
    else await pushed
    expect(await referencesOf(registry)).toHaveLength(code ? 0 : 1)
  }
})

test('content that never comes to rest makes a push fail, and the client told to try again', async () => {
  const { registry, repo, child } = await pushed()
  await setLink(registry, repo, child.layer, 'condemned')
  const content = { bytes: OTHER, contentType: MANIFEST }
  await expect(putManifest(busy(registry), NAME, byTag('v1'), content, [], ACTOR)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    status: 503,
  })
  await expect(findManifest(registry, NAME, byTag('v1'))).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' })
  expect((await referencesOf(registry)).filter((item) => item.sk.includes(digestOf(OTHER)))).toEqual([])
})

test('a condemned blob that changes while it is revived is looked at again: kept or missing', async () => {
  for (const lost of [false, true]) {
    const { registry, repo, child } = await pushed()
    await setLink(registry, repo, child.layer, 'condemned')
    const slow = before(registry, 'transact', () =>
      lost
        ? registry.metadata.batchWrite([{ kind: 'delete', key: keys.link(repo, child.layer) }])
        : setLink(registry, repo, child.layer, 'condemned'),
    )
    const put = putManifest(slow, NAME, byTag('v1'), { bytes: OTHER, contentType: MANIFEST }, [], ACTOR)
    if (lost) await expect(put).rejects.toMatchObject({ detail: { missing: [child.layer] } })
    else await put
    expect((await readLink(registry, repo, child.layer))?.state).toBe(lost ? undefined : 'live')
  }
})

test('a condemned child that changes while it is revived is looked at again: kept or missing', async () => {
  for (const lost of [false, true]) {
    const { registry, repo, child } = await pushed()
    await condemn(registry, repo, child.digest)
    const slow = before(registry, 'transact', () =>
      lost
        ? registry.metadata.batchWrite([{ kind: 'delete', key: keys.manifest(repo, child.digest) }])
        : condemn(registry, repo, child.digest),
    )
    const put = putManifest(
      slow,
      NAME,
      byTag('all'),
      { bytes: indexBytes(child), contentType: INDEX },
      [],
      ACTOR,
    )
    if (lost) await expect(put).rejects.toMatchObject({ detail: { missing: [child.digest] } })
    else await put
    expect((await readManifest(registry, repo, child.digest))?.state).toBe(lost ? undefined : 'live')
  }
})

test('a manifest condemned, or deleted and pushed anew, while a tag is put on it is live under the tag', async () => {
  for (const reborn of [false, true]) {
    const { registry, repo, child } = await pushed()
    const slow = before(registry, 'transact', async () => {
      if (!reborn) return condemn(registry, repo, child.digest)
      await deleteReference(registry, NAME, byDigest(child.digest), ACTOR)
      await pushImage(registry, NAME, undefined)
    })
    await putManifest(slow, NAME, byTag('v1'), { bytes: child.bytes, contentType: MANIFEST }, [], ACTOR)
    expect((await findManifest(registry, NAME, byTag('v1'))).record).toMatchObject({
      digest: child.digest,
      state: 'live',
    })
  }
})
