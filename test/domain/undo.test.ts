// Undo: what a tag goes back to, what a deleted manifest brings back with it, and when it is too late.
import { expect, test } from 'vitest'
import { digestOf } from '../../lib/oci/digest.ts'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { keys } from '../../lib/registry/keys.ts'
import { findManifest } from '../../lib/registry/manifests.ts'
import { tagHistory } from '../../lib/registry/tags.ts'
import { undo } from '../../lib/registry/undo.ts'
import { before } from './meddling.ts'
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
  testRegistry,
} from './registry.ts'

const NAME = 'library/app'
const at = async (registry: Awaited<ReturnType<typeof testRegistry>>, tag: string) =>
  (await findManifest(registry, NAME, byTag(tag)).catch(() => undefined))?.record.digest

test('undoing a push of a tag takes it back to the manifest before, and undoing that returns it', async () => {
  const registry = await testRegistry()
  const first = await pushImage(registry, NAME, 'v1', { layer: 'first' })
  const second = await pushImage(registry, NAME, 'v1', { layer: 'second' })
  const undone = await undo(registry, NAME, byTag('v1'), ACTOR)
  expect(undone).toEqual({ digest: first.digest, tags: ['v1'], restored: false })
  expect(await at(registry, 'v1')).toBe(first.digest)
  await undo(registry, NAME, byTag('v1'), ACTOR)
  expect(await at(registry, 'v1')).toBe(second.digest)
  const moves = await tagHistory(registry, await repositoryId(registry, NAME), 'v1', 2)
  expect(moves.map((move) => move.cause)).toEqual(['undo', 'undo'])
})

test('a tag can go back further than one move', async () => {
  const registry = await testRegistry()
  const first = await pushImage(registry, NAME, 'v1', { layer: 'first' })
  await pushImage(registry, NAME, 'v1', { layer: 'second' })
  await pushImage(registry, NAME, 'v1', { layer: 'third' })
  await undo(registry, NAME, byTag('v1'), ACTOR, first.digest)
  expect(await at(registry, 'v1')).toBe(first.digest)
})

test('a tag pushed once has nothing to go back to, nor has one nobody pushed', async () => {
  const registry = await testRegistry()
  await pushImage(registry, NAME, 'v1')
  for (const tag of ['v1', 'v2'])
    await expect(undo(registry, NAME, byTag(tag), ACTOR)).rejects.toMatchObject({
      code: 'MANIFEST_UNKNOWN',
      message: expect.stringContaining(`${tag} of ${NAME}`),
    })
})

test('a deleted tag comes back to its manifest', async () => {
  const registry = await testRegistry()
  const { digest } = await pushImage(registry, NAME, 'v1')
  await deleteReference(registry, NAME, byTag('v1'), ACTOR)
  await undo(registry, NAME, byTag('v1'), ACTOR)
  expect(await at(registry, 'v1')).toBe(digest)
})

test('a tag brings back the deleted manifest it goes back to', async () => {
  const registry = await testRegistry()
  const first = await pushImage(registry, NAME, 'v1', { layer: 'first' })
  await pushImage(registry, NAME, 'v1', { layer: 'second' })
  await deleteReference(registry, NAME, byDigest(first.digest), ACTOR)
  expect(await undo(registry, NAME, byTag('v1'), ACTOR)).toMatchObject({ restored: true })
  expect(Buffer.from((await findManifest(registry, NAME, byTag('v1'))).bytes)).toEqual(first.bytes)
})

test('a deleted manifest comes back with its tags, but for those that were pushed anew', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'kept')
  await pushImage(registry, NAME, 'reused')
  await deleteReference(registry, NAME, byDigest(image.digest), ACTOR)
  const other = await pushImage(registry, NAME, 'reused', { layer: 'other' })
  expect(await undo(registry, NAME, byDigest(image.digest), ACTOR)).toEqual({
    digest: image.digest,
    tags: ['kept'],
    restored: true,
  })
  expect(await at(registry, 'kept')).toBe(image.digest)
  expect(await at(registry, 'reused')).toBe(other.digest)
})

test('an untagged manifest comes back without tags', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, undefined)
  await deleteReference(registry, NAME, byDigest(image.digest), ACTOR)
  expect(await undo(registry, NAME, byDigest(image.digest), ACTOR)).toMatchObject({
    tags: [],
    restored: true,
  })
  expect((await findManifest(registry, NAME, byDigest(image.digest))).record.mediaType).toBe(MANIFEST)
})

test('a manifest deleted twice comes back as it was the second time', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'old')
  await deleteReference(registry, NAME, byDigest(image.digest), ACTOR)
  registry.clock.now += 1000
  await pushImage(registry, NAME, 'new')
  await deleteReference(registry, NAME, byDigest(image.digest), ACTOR)
  expect(await undo(registry, NAME, byDigest(image.digest), ACTOR)).toMatchObject({ tags: ['new'] })
})

test('all tags come back, also more than fit one transaction', async () => {
  const registry = await testRegistry()
  const names = Array.from({ length: 40 }, (_, number) => `v${String(number).padStart(2, '0')}`)
  const image = await pushImage(registry, NAME, names[0])
  for (const name of names.slice(1)) await pushImage(registry, NAME, name)
  await deleteReference(registry, NAME, byDigest(image.digest), ACTOR)
  for (const name of names) expect(await at(registry, name)).toBeUndefined()
  const undone = await undo(registry, NAME, byDigest(image.digest), ACTOR)
  expect(undone).toMatchObject({ restored: true })
  expect(undone.tags.toSorted()).toEqual(names)
  for (const name of names) expect(await at(registry, name)).toBe(image.digest)
})

test('a manifest that is not deleted, or that nobody knows, has nothing to undo', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  for (const digest of [image.digest, digestOf(Buffer.from('nobody'))])
    await expect(undo(registry, NAME, byDigest(digest), ACTOR)).rejects.toMatchObject({
      code: 'MANIFEST_UNKNOWN',
      message: expect.stringContaining(digest),
    })
})

test('a deletion can be undone up to the millisecond its window ends', async () => {
  const registry = await testRegistry({ undoWindowMs: DAY_MS })
  const image = await pushImage(registry, NAME, 'v1')
  for (const [ageMs, gone] of [
    [DAY_MS - 1, false],
    [DAY_MS, true],
  ] as const) {
    await deleteReference(registry, NAME, byDigest(image.digest), ACTOR)
    registry.clock.now += ageMs
    const undone = undo(registry, NAME, byDigest(image.digest), ACTOR)
    if (gone) await expect(undone).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' })
    else expect(await undone).toMatchObject({ restored: true, tags: ['v1'] })
  }
})

test('a manifest whose content went meanwhile does not come back, and says what is missing', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  await deleteReference(registry, NAME, byDigest(image.digest), ACTOR)
  const link = keys.link(await repositoryId(registry, NAME), image.layer)
  await registry.metadata.batchWrite([{ kind: 'delete', key: link }])
  await expect(undo(registry, NAME, byDigest(image.digest), ACTOR)).rejects.toMatchObject({
    code: 'MANIFEST_BLOB_UNKNOWN',
    message: expect.stringContaining(image.layer),
  })
})

test('a manifest above 64 KiB comes back with its bytes, and they go when its window ends', async () => {
  const registry = await testRegistry({ undoWindowMs: DAY_MS })
  const config = { mediaType: 'application/x', digest: await pushBlob(registry, NAME, '{}'), size: 2 }
  const annotations = { long: 'x'.repeat(65_536) }
  const manifest = { schemaVersion: 2, mediaType: MANIFEST, config, layers: [], annotations }
  const bytes = Buffer.from(JSON.stringify(manifest))
  const digest = await pushBytes(registry, NAME, 'v1', bytes, MANIFEST)
  await deleteReference(registry, NAME, byDigest(digest), ACTOR)
  await undo(registry, NAME, byDigest(digest), ACTOR)
  expect(Buffer.from((await findManifest(registry, NAME, byTag('v1'))).bytes)).toEqual(bytes)
  await deleteReference(registry, NAME, byDigest(digest), ACTOR)
  registry.blobs.objects.clear()
  await expect(undo(registry, NAME, byDigest(digest), ACTOR)).rejects.toMatchObject({
    code: 'MANIFEST_UNKNOWN',
    message: expect.stringContaining(digest),
  })
})

test('the record of a deletion says who deleted what, when, why and until when it can be undone', async () => {
  const registry = await testRegistry({ undoWindowMs: DAY_MS })
  const image = await pushImage(registry, NAME, 'v1')
  const now = registry.clock.now
  await deleteReference(registry, NAME, byDigest(image.digest), { principal: 'bob', requestId: 'r-2' })
  const [item] = (await itemsOf(registry, 'M#')).filter(({ sk }) => sk.startsWith('X#'))
  expect(item!.attributes).toMatchObject({
    tags: ['v1'],
    cause: 'delete',
    deletedBy: 'bob',
    requestId: 'r-2',
    deletedAtMs: now,
    untilMs: now + DAY_MS,
    pushedBy: 'alice',
  })
})

test('a tag that is pushed while its deleted manifest is brought back stays where the push put it', async () => {
  const registry = await testRegistry()
  const old = await pushImage(registry, NAME, 'v1', { layer: 'old' })
  await deleteReference(registry, NAME, byDigest(old.digest), ACTOR)
  let pushed: Awaited<ReturnType<typeof pushImage>> | undefined
  const meanwhile = before(registry, 'batchWrite', async () => {
    pushed ??= await pushImage(registry, NAME, 'v1', { layer: 'new' })
  })
  await undo(meanwhile, NAME, byDigest(old.digest), ACTOR)
  expect(await at(registry, 'v1')).toBe(pushed?.digest)
  await findManifest(registry, NAME, byDigest(old.digest))
})
