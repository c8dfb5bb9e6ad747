// Pushes of manifests: what is refused, what is stored where, and what a push tells.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/oci/digest.ts'
import { MANIFEST_LIMIT_BYTES } from '../../lib/oci/manifest.ts'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { keys } from '../../lib/registry/keys.ts'
import { findManifest, putManifest } from '../../lib/registry/manifests.ts'
import { listReferrers } from '../../lib/registry/referrers.ts'
import { listCatalog } from '../../lib/registry/repositories.ts'
import { tagHistory, tagsOfManifest } from '../../lib/registry/tags.ts'
import {
  ACTOR,
  byDigest,
  byTag,
  DAY_MS,
  itemsOf,
  MANIFEST,
  pushBlob,
  pushBytes,
  pushImage,
  repositoryId,
  type TestRegistry,
  testRegistry,
} from './registry.ts'

const NAME = 'library/app'

/** A manifest of exactly so many bytes, whose config is there. */
async function manifestOf(registry: TestRegistry, sizeBytes: number): Promise<Buffer> {
  const config = { mediaType: 'application/x', digest: await pushBlob(registry, NAME, '{}'), size: 2 }
  const text = (fill: string) =>
    JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [], annotations: { fill } })
  return Buffer.from(text('x'.repeat(sizeBytes - text('').length)))
}

const put = (
  registry: TestRegistry,
  reference: Parameters<typeof putManifest>[2],
  bytes: Uint8Array,
  moreTags: string[] = [],
) => putManifest(registry, NAME, reference, { bytes, contentType: MANIFEST }, moreTags, ACTOR)

test('a manifest up to 64 KiB lies beside its record, a larger one in the blob store; both come back as pushed', async () => {
  for (const [sizeBytes, objects] of [
    [65_536, 0],
    [65_537, 1],
  ] as const) {
    const registry = await testRegistry()
    const bytes = await manifestOf(registry, sizeBytes)
    const digest = await pushBytes(registry, NAME, 'v1', bytes, MANIFEST)
    expect([...registry.blobs.objects.keys()].filter((key) => key.includes('/m/'))).toHaveLength(objects)
    for (const reference of [byTag('v1'), byDigest(digest)]) {
      const found = await findManifest(registry, NAME, reference)
      expect(Buffer.from(found.bytes)).toEqual(bytes)
      expect(found.record).toMatchObject({ digest, mediaType: MANIFEST, sizeBytes, kind: 'image' })
    }
  }
})

test('a large manifest whose bytes are gone is unknown, and says that it has to be pushed again', async () => {
  const registry = await testRegistry()
  const digest = await pushBytes(registry, NAME, 'v1', await manifestOf(registry, 70_000), MANIFEST)
  registry.blobs.objects.clear()
  for (const reference of [byTag('v1'), byDigest(digest)])
    await expect(findManifest(registry, NAME, reference)).rejects.toMatchObject({
      code: 'MANIFEST_UNKNOWN',
      message: expect.stringContaining(digest),
    })
})

test('a manifest of the largest size is looked at, one byte more is 413 with the limit', async () => {
  const registry = await testRegistry()
  for (const [sizeBytes, status] of [
    [MANIFEST_LIMIT_BYTES, 400],
    [MANIFEST_LIMIT_BYTES + 1, 413],
  ] as const)
    await expect(put(registry, byTag('v1'), Buffer.alloc(sizeBytes, 'no JSON'))).rejects.toMatchObject({
      code: 'MANIFEST_INVALID',
      status,
      ...(status === 413 ? { message: expect.stringContaining(String(MANIFEST_LIMIT_BYTES)) } : {}),
    })
})

test('a manifest pushed under the digest of another is refused, naming both', async () => {
  const registry = await testRegistry()
  const bytes = await manifestOf(registry, 400)
  const [expected, actual] = [digestOf(Buffer.from('other')), digestOf(bytes)]
  await expect(put(registry, byDigest(expected), bytes)).rejects.toMatchObject({
    code: 'DIGEST_INVALID',
    message: expect.stringContaining(`${actual}, not ${expected}`),
    detail: { expected, actual },
  })
})

test('a manifest pushed by sha512 is found by it, one pushed by tag has a sha256', async () => {
  const registry = await testRegistry()
  const bytes = await manifestOf(registry, 400)
  const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}` as Digest
  expect((await put(registry, byDigest(digest), bytes)).digest).toBe(digest)
  expect(Buffer.from((await findManifest(registry, NAME, byDigest(digest))).bytes)).toEqual(bytes)
  expect((await put(registry, byTag('v1'), bytes)).digest).toBe(digestOf(bytes))
})

test('a push by digest sets each of up to fifteen tags given with it once', async () => {
  const registry = await testRegistry()
  const bytes = await manifestOf(registry, 400)
  const names = Array.from({ length: 15 }, (_, number) => `v${number}`)
  const digest = digestOf(bytes)
  await expect(put(registry, byDigest(digest), bytes, [...names, 'one-more'])).rejects.toMatchObject({
    code: 'TAG_INVALID',
    status: 414,
    message: expect.stringMatching(/16.*15/),
  })
  expect((await put(registry, byDigest(digest), bytes, names)).tags).toEqual(names)
  for (const name of names)
    expect((await findManifest(registry, NAME, byTag(name))).record.digest).toBe(digest)
  expect((await put(registry, byDigest(digest), bytes, ['w', 'w'])).tags).toEqual(['w'])
  expect(await tagHistory(registry, await repositoryId(registry, NAME), 'w', 9)).toHaveLength(1)
})

test('an invalid tag given with a push is refused by name, before anything is stored', async () => {
  const registry = await testRegistry()
  const bytes = await manifestOf(registry, 400)
  const long = 'x'.repeat(5000)
  for (const bad of ['-no', '', long]) {
    const refused = await put(registry, byDigest(digestOf(bytes)), bytes, ['good', bad]).catch(
      (error) => error,
    )
    expect(refused).toMatchObject({ code: 'TAG_INVALID', status: 400 })
    expect(refused.message).toContain(JSON.stringify(bad.slice(0, 100)).slice(0, -1))
    expect(refused.message.length).toBeLessThan(300)
  }
  expect(await itemsOf(registry, 'T#')).toEqual([])
})

test('a repository is in the catalog from its first manifest on, in byte order', async () => {
  const registry = await testRegistry()
  for (const name of ['library/b', 'library/a', 'library/a-b', 'library/a/b']) {
    await pushBlob(registry, name, 'blob')
    expect(await listCatalog(registry, { limit: 9 })).not.toContain(name)
    await pushImage(registry, name, 'v1')
    await pushImage(registry, name, 'v2', { layer: 'second' })
  }
  const all = ['library/a', 'library/a-b', 'library/a/b', 'library/b']
  expect(await listCatalog(registry, { limit: 9 })).toEqual(all)
  expect(await listCatalog(registry, { limit: 2, after: 'library/a' })).toEqual(all.slice(1, 3))
})

test('a push tells what was pushed, by whom and from where; a further tag tells that it moved', async () => {
  const registry = await testRegistry()
  const bytes = await manifestOf(registry, 400)
  const digest = digestOf(bytes)
  const claims = { pipeline: '7' }
  const content = { bytes, contentType: MANIFEST }
  await putManifest(registry, NAME, byTag('v1'), content, [], { ...ACTOR, claims })
  registry.clock.now += 1000
  await put(registry, byTag('v2'), bytes)
  expect(registry.events).toBe(2)
  const about = { digest, mediaType: MANIFEST, sizeBytes: 400, cause: 'push', name: NAME, principal: 'alice' }
  const told = (await itemsOf(registry, 'E#')).toSorted((a, b) => (a.sk < b.sk ? -1 : 1))
  expect(told.map((item) => item.attributes)).toEqual([
    expect.objectContaining({ ...about, type: 'manifest.pushed', tags: ['v1'], claims }),
    expect.objectContaining({ ...about, type: 'tag.moved', tags: ['v2'], atMs: registry.clock.now }),
  ])
  expect(told[1]!.attributes).not.toHaveProperty('claims')
  const { record } = await findManifest(registry, NAME, byDigest(digest))
  expect(record.attributes).toMatchObject({ pushedBy: 'alice', claims })
})

test('a manifest with a subject is its referrer and the pusher is told so, one without is nobody’s', async () => {
  const registry = await testRegistry()
  const subject = await pushImage(registry, NAME, 'v1')
  const referrer = await pushImage(registry, NAME, undefined, { layer: 'sbom', subject: subject.digest })
  const page = await listReferrers(registry, NAME, subject.digest, {})
  expect(page.descriptors).toEqual([
    expect.objectContaining({ digest: referrer.digest, size: referrer.bytes.length, mediaType: MANIFEST }),
  ])
  expect((await listReferrers(registry, NAME, referrer.digest, {})).descriptors).toEqual([])
  expect((await put(registry, byDigest(referrer.digest), referrer.bytes)).subject).toBe(subject.digest)
  expect((await put(registry, byDigest(subject.digest), subject.bytes)).subject).toBeUndefined()
})

test('a push of a manifest that is there counts as a use of it, on another day, and is no news', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, undefined)
  const told = (await itemsOf(registry, 'E#')).length
  const key = keys.manifest(await repositoryId(registry, NAME), image.digest)
  const day = async () => (await registry.metadata.get(key))!.attributes.touchedDay as number
  const first = await day()
  registry.clock.now += DAY_MS
  await put(registry, byDigest(image.digest), image.bytes)
  expect(await day()).toBe(first + 1)
  expect(await itemsOf(registry, 'E#')).toHaveLength(told)
})

test('of several tags only those move that lead elsewhere', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'a')
  await pushImage(registry, NAME, 'b', { layer: 'other' })
  await put(registry, byDigest(image.digest), image.bytes, ['a', 'b', 'c'])
  const repo = await repositoryId(registry, NAME)
  const moves = async (tag: string) => (await tagHistory(registry, repo, tag, 9)).length
  expect([await moves('a'), await moves('b'), await moves('c')]).toEqual([1, 2, 1])
  expect((await findManifest(registry, NAME, byTag('b'))).record.digest).toBe(image.digest)
})

test('fifteen tags can be taken from fifteen manifests by one push, of a new manifest or one that is there', async () => {
  const registry = await testRegistry()
  const names = Array.from({ length: 15 }, (_, number) => `v${number}`)
  const subject = await pushImage(registry, NAME, undefined)
  for (const layer of ['first', 'second']) {
    for (const name of names) await pushImage(registry, NAME, name, { layer: `${layer} ${name}` })
    const image = await pushImage(registry, NAME, undefined, { layer, subject: subject.digest })
    if (layer === 'first') await deleteReference(registry, NAME, byDigest(image.digest), ACTOR)
    await put(registry, byDigest(image.digest), image.bytes, names)
    const repo = await repositoryId(registry, NAME)
    expect(await tagsOfManifest(registry, repo, image.digest, 99)).toHaveLength(15)
  }
})

test('an artifact’s type, or else that of its config, is on its record', async () => {
  const registry = await testRegistry()
  const artifactType = 'application/vnd.example.sbom'
  const bytes = await manifestOf(registry, 400)
  const artifact = Buffer.from(JSON.stringify({ ...JSON.parse(bytes.toString()), artifactType }))
  await put(registry, byTag('image'), bytes)
  await put(registry, byTag('artifact'), artifact)
  expect((await findManifest(registry, NAME, byTag('artifact'))).record.artifactType).toBe(artifactType)
  expect((await findManifest(registry, NAME, byTag('image'))).record.artifactType).toBe('application/x')
})
