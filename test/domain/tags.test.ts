// Tags: where they lead, how they move, and what a deletion leaves of them.
import { expect, test } from 'vitest'
import { digestOf } from '../../lib/oci/digest.ts'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { sweep } from '../../lib/registry/gc/sweep.ts'
import { findManifest, putManifest } from '../../lib/registry/manifests.ts'
import {
  historyIsWhole,
  listTags,
  type TagMove,
  tagHistory,
  tagsOfManifest,
} from '../../lib/registry/tags.ts'
import { before, busy } from './meddling.ts'
import {
  ACTOR,
  byDigest,
  byTag,
  DAY_MS,
  itemsOf,
  MANIFEST,
  pushImage,
  repositoryId,
  testRegistry,
} from './registry.ts'

const NAME = 'library/app'
const unknown = { code: 'MANIFEST_UNKNOWN', status: 404 }

test('tags are listed in byte order, page by page, and a page of none is empty', async () => {
  const registry = await testRegistry()
  for (const tag of ['v10', 'v2', 'V1', '_x', 'v1']) await pushImage(registry, NAME, tag)
  const repo = await repositoryId(registry, NAME)
  expect(await listTags(registry, repo, { limit: 10 })).toEqual(['V1', '_x', 'v1', 'v10', 'v2'])
  expect(await listTags(registry, repo, { limit: 2, after: '_x' })).toEqual(['v1', 'v10'])
  expect(await listTags(registry, repo, { limit: 0 })).toEqual([])
})

test('a moved tag leads to the new manifest, and the old one is found by digest only', async () => {
  const registry = await testRegistry()
  const old = await pushImage(registry, NAME, 'v1', { layer: 'old' })
  const now = await pushImage(registry, NAME, 'v1', { layer: 'new' })
  const found = await findManifest(registry, NAME, byTag('v1'))
  expect(found.record.digest).toBe(now.digest)
  expect(Buffer.from(found.bytes)).toEqual(now.bytes)
  expect((await findManifest(registry, NAME, byDigest(old.digest))).record.digest).toBe(old.digest)
  const repo = await repositoryId(registry, NAME)
  expect(await tagsOfManifest(registry, repo, old.digest, 10)).toEqual([])
  expect(await tagsOfManifest(registry, repo, now.digest, 10)).toMatchObject([
    { tag: 'v1', digest: now.digest, version: 2 },
  ])
})

test('a manifest knows all of its tags, as many as are asked for', async () => {
  const registry = await testRegistry()
  for (const tag of ['c', 'a', 'b']) await pushImage(registry, NAME, tag)
  const { digest } = await pushImage(registry, NAME, 'd')
  const repo = await repositoryId(registry, NAME)
  const tags = async (limit: number) =>
    (await tagsOfManifest(registry, repo, digest, limit)).map((each) => each.tag)
  expect(await tags(10)).toEqual(['a', 'b', 'c', 'd'])
  expect(await tags(2)).toEqual(['a', 'b'])
})

test('a deleted tag is unknown and unlisted, its manifest is not, and its history goes on when it is pushed again', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  await deleteReference(registry, NAME, byTag('v1'), ACTOR)
  const gone = { ...unknown, detail: { name: NAME, reference: 'v1' } }
  await expect(findManifest(registry, NAME, byTag('v1'))).rejects.toMatchObject(gone)
  await expect(deleteReference(registry, NAME, byTag('v1'), ACTOR)).rejects.toMatchObject(gone)
  const repo = await repositoryId(registry, NAME)
  expect(await listTags(registry, repo, { limit: 10 })).toEqual([])
  await findManifest(registry, NAME, byDigest(image.digest))
  await pushImage(registry, NAME, 'v1')
  expect((await findManifest(registry, NAME, byTag('v1'))).record.digest).toBe(image.digest)
  const moves = await tagHistory(registry, repo, 'v1', 10)
  expect(moves.map((move) => [move.sequence, move.previous, move.digest])).toEqual([
    [3, null, image.digest],
    [2, image.digest, null],
    [1, null, image.digest],
  ])
  expect(historyIsWhole(repo, 'v1', moves)).toBe(true)
})

test('a tag nobody pushed is unknown, by whatever name it is asked for', async () => {
  const registry = await testRegistry()
  await pushImage(registry, NAME, 'v1')
  for (const asked of [
    findManifest(registry, NAME, byTag('v2')),
    deleteReference(registry, NAME, byTag('v2'), ACTOR),
  ])
    await expect(asked).rejects.toMatchObject({ ...unknown, message: expect.stringContaining('v2') })
})

test('deleting a tag tells which manifest it was taken from', async () => {
  const registry = await testRegistry()
  const { digest } = await pushImage(registry, NAME, 'v1')
  const events = registry.events
  await deleteReference(registry, NAME, byTag('v1'), ACTOR)
  expect(registry.events).toBe(events + 1)
  expect((await itemsOf(registry, 'E#')).map((item) => item.attributes)).toContainEqual(
    expect.objectContaining({ type: 'tag.deleted', digest, tags: ['v1'], cause: 'delete', name: NAME }),
  )
})

test('a manifest that lost its last tag expires, whether the tag moved or was deleted', async () => {
  for (const moved of [true, false]) {
    const registry = await testRegistry({ undoWindowMs: DAY_MS })
    const old = await pushImage(registry, NAME, 'v1', { layer: 'old' })
    for (let day = 0; day < 10; day++) {
      registry.clock.now += DAY_MS
      await sweep(registry, 'test')
    }
    if (moved) await pushImage(registry, NAME, 'v1', { layer: 'new' })
    else await deleteReference(registry, NAME, byTag('v1'), ACTOR)
    await findManifest(registry, NAME, byDigest(old.digest))
    for (let day = 0; day < 4; day++) {
      registry.clock.now += DAY_MS
      await sweep(registry, 'test')
    }
    await expect(findManifest(registry, NAME, byDigest(old.digest))).rejects.toMatchObject(unknown)
  }
})

test('two pushes of one tag at once both count, one after the other', async () => {
  const registry = await testRegistry()
  await pushImage(registry, NAME, 'v1', { layer: 'first' })
  const late = await pushImage(registry, NAME, undefined, { layer: 'late' })
  const slow = before(registry, 'transact', () => pushImage(registry, NAME, 'v1', { layer: 'between' }))
  const content = { bytes: late.bytes, contentType: MANIFEST }
  await putManifest(slow, NAME, byTag('v1'), content, [], ACTOR)
  expect((await findManifest(registry, NAME, byTag('v1'))).record.digest).toBe(late.digest)
  const repo = await repositoryId(registry, NAME)
  const moves = await tagHistory(registry, repo, 'v1', 10)
  expect(moves.map((move) => move.sequence)).toEqual([3, 2, 1])
  expect(historyIsWhole(repo, 'v1', moves)).toBe(true)
})

test('a manifest deleted while it is pulled by its tag is unknown', async () => {
  const registry = await testRegistry()
  const { digest } = await pushImage(registry, NAME, 'v1')
  const remove = () => deleteReference(registry, NAME, byDigest(digest), ACTOR)
  const slow = before(registry, 'batchGet', remove, 2)
  await expect(findManifest(slow, NAME, byTag('v1'))).rejects.toMatchObject(unknown)
})

test('a tag that moves while it is deleted is deleted from where it went', async () => {
  const registry = await testRegistry()
  await pushImage(registry, NAME, 'v1', { layer: 'old' })
  let moved: string | undefined
  const slow = before(registry, 'transact', async () => {
    moved = (await pushImage(registry, NAME, 'v1', { layer: 'new' })).digest
  })
  await deleteReference(slow, NAME, byTag('v1'), ACTOR)
  const moves = await tagHistory(registry, await repositoryId(registry, NAME), 'v1', 10)
  expect(moves[0]).toMatchObject({ sequence: 3, previous: moved, digest: null })
})

test('a tag that never comes to rest is neither deleted nor moved, and the client told to try again', async () => {
  const registry = await testRegistry()
  await pushImage(registry, NAME, 'v1')
  const image = await pushImage(registry, NAME, undefined, { layer: 'other' })
  const content = { bytes: image.bytes, contentType: MANIFEST }
  await expect(deleteReference(busy(registry), NAME, byTag('v1'), ACTOR)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    status: 503,
  })
  await expect(putManifest(busy(registry), NAME, byTag('v1'), content, [], ACTOR)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    status: 503,
    headers: { 'Retry-After': '1' },
  })
})

test('each field of a move, and its place, is covered by its hash', async () => {
  const registry = await testRegistry()
  await pushImage(registry, NAME, 'v1', { layer: 'first' })
  await pushImage(registry, NAME, 'v1', { layer: 'second' })
  const repo = await repositoryId(registry, NAME)
  const moves = await tagHistory(registry, repo, 'v1', 10)
  const other = digestOf(Buffer.from('other'))
  const changes: Partial<TagMove>[] = [
    { sequence: 9 },
    { digest: other },
    { digest: null },
    { previous: other },
    { principal: 'mallory' },
    { cause: 'undo' },
    { requestId: 'r-9' },
    { atMs: 1 },
    { previousHash: 'no' },
    { hash: 'no' },
  ]
  for (const change of changes)
    for (const altered of [0, 1])
      expect(
        historyIsWhole(
          repo,
          'v1',
          moves.map((move, index) => (index === altered ? { ...move, ...change } : move)),
        ),
      ).toBe(false)
  expect(historyIsWhole(repo, 'v1', moves.toReversed())).toBe(false)
  expect(historyIsWhole('other', 'v1', moves)).toBe(false)
  expect(await tagHistory(registry, repo, 'v1', 1)).toEqual(moves.slice(0, 1))
})
