// Deletion of manifests: what stands against it, what goes with it, and what meets it half way.
import { expect, test } from 'vitest'
import { digestOf } from '../../lib/oci/digest.ts'
import { deleteManifest, deleteReference } from '../../lib/registry/deletion.ts'
import { keys } from '../../lib/registry/keys.ts'
import { manifestChange, readManifest } from '../../lib/registry/manifest-record.ts'
import { findManifest } from '../../lib/registry/manifests.ts'
import { listReferrers } from '../../lib/registry/referrers.ts'
import { relay } from '../../lib/registry/relay.ts'
import { listTags, tagsOfManifest } from '../../lib/registry/tags.ts'
import { before, busy } from './meddling.ts'
import {
  ACTOR,
  byDigest,
  byTag,
  DAY_MS,
  HOUR_MS,
  itemsOf,
  MANIFEST,
  type Pushed,
  pushBlob,
  pushImage,
  pushIndex,
  repositoryId,
  type TestRegistry,
  testRegistry,
} from './registry.ts'

const NAME = 'library/app'
const unknown = { code: 'MANIFEST_UNKNOWN', status: 404 }
const remove = (registry: TestRegistry, { digest }: Pick<Pushed, 'digest'>) =>
  deleteReference(registry, NAME, byDigest(digest), ACTOR)
const record = async (registry: TestRegistry, { digest }: Pick<Pushed, 'digest'>) =>
  readManifest(registry, await repositoryId(registry, NAME), digest)

test('a manifest nobody pushed cannot be deleted, nor one of a repository nobody pushed to', async () => {
  const registry = await testRegistry()
  await pushBlob(registry, NAME, 'blob')
  const digest = digestOf(Buffer.from('nobody'))
  await expect(remove(registry, { digest })).rejects.toMatchObject({
    ...unknown,
    detail: { name: NAME, reference: digest },
  })
  await expect(deleteReference(registry, 'library/none', byDigest(digest), ACTOR)).rejects.toMatchObject({
    code: 'NAME_UNKNOWN',
  })
})

test('a deleted manifest is unknown by digest and by each of its tags, and a second deletion says so', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  await pushImage(registry, NAME, 'v2')
  await remove(registry, image)
  for (const reference of [byDigest(image.digest), byTag('v1'), byTag('v2')])
    await expect(findManifest(registry, NAME, reference)).rejects.toMatchObject(unknown)
  expect(await listTags(registry, await repositoryId(registry, NAME), { limit: 9 })).toEqual([])
  await expect(remove(registry, image)).rejects.toMatchObject(unknown)
})

test('a deleted manifest pushed again does not get its tags back by itself', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  await remove(registry, image)
  await pushImage(registry, NAME, undefined)
  await findManifest(registry, NAME, byDigest(image.digest))
  await expect(findManifest(registry, NAME, byTag('v1'))).rejects.toMatchObject(unknown)
})

test('a tag that leads to an earlier life of a manifest is unknown', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  const key = keys.tag(await repositoryId(registry, NAME), 'v1')
  const item = (await registry.metadata.get(key))!
  const earlier = { ...item, attributes: { ...item.attributes, birth: 'earlier' } }
  await registry.metadata.batchWrite([{ kind: 'put', item: earlier }])
  await expect(findManifest(registry, NAME, byTag('v1'))).rejects.toMatchObject(unknown)
  await pushImage(registry, NAME, 'v1')
  expect((await findManifest(registry, NAME, byTag('v1'))).record.digest).toBe(image.digest)
  expect(await tagsOfManifest(registry, key.pk.split('#')[1]!, image.digest, 9)).toHaveLength(1)
})

test('a child of an index is not deleted: 412 names up to five of its indexes, and it stays as it was', async () => {
  const registry = await testRegistry()
  const child = await pushImage(registry, NAME, undefined)
  const others = []
  for (const layer of ['a', 'b', 'c', 'd', 'e', 'f'])
    others.push(await pushImage(registry, NAME, undefined, { layer }))
  const [other] = others
  const index = await pushIndex(registry, NAME, 'all', [child, other!])
  await expect(remove(registry, child)).rejects.toMatchObject({
    code: 'DENIED',
    status: 412,
    message: expect.stringContaining(index),
    detail: { digest: child.digest, manifests: [index] },
  })
  for (const each of others) await pushIndex(registry, NAME, undefined, [child, each])
  const refused = await remove(registry, child).catch((error) => error)
  expect(refused.detail.manifests).toHaveLength(5)
  expect(refused.message).toContain(refused.detail.manifests.join(', '))
  expect(await record(registry, child)).toMatchObject({ state: 'live' })
})

test('an index that is being pushed holds its children, one that was deleted lets them go', async () => {
  const registry = await testRegistry()
  const child = await pushImage(registry, NAME, undefined)
  const pushing = digestOf(Buffer.from('index'))
  const key = keys.manifestReference(await repositoryId(registry, NAME), child.digest, pushing, 'attempt')
  const attributes = { v: 1, writtenAtMs: registry.clock.now }
  await registry.metadata.batchWrite([{ kind: 'put', item: { ...key, attributes } }])
  await expect(remove(registry, child)).rejects.toMatchObject({
    status: 412,
    detail: { manifests: [pushing] },
  })
  await registry.metadata.batchWrite([{ kind: 'delete', key }])
  const index = await pushIndex(registry, NAME, 'all', [child])
  await remove(registry, { digest: index })
  await remove(registry, child)
})

test('a refused deletion is no use of the manifest', async () => {
  const registry = await testRegistry()
  const child = await pushImage(registry, NAME, undefined)
  await pushIndex(registry, NAME, 'all', [child])
  const { touchedDay } = (await record(registry, child))!
  registry.clock.now += 3 * DAY_MS
  await expect(remove(registry, child)).rejects.toMatchObject({ status: 412 })
  expect(await record(registry, child)).toMatchObject({ state: 'live', touchedDay })
})

test('what expires untagged manifests leaves tagged ones alone', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  const repo = await repositoryId(registry, NAME)
  const expire = () => deleteManifest(registry, repo, image.digest, ACTOR, { cause: 'x', onlyUntagged: true })
  expect(await expire()).toBe('tagged')
  expect(await record(registry, image)).toMatchObject({ state: 'live' })
  await deleteReference(registry, NAME, byTag('v1'), ACTOR)
  expect(await expire()).toBe('deleted')
  expect(await expire()).toBe('absent')
})

test('all tags of a manifest go with it, however many: one fewer, as many and more than a transaction takes', async () => {
  for (const count of [11, 12, 13, 14, 30]) {
    const registry = await testRegistry()
    const names = Array.from({ length: count }, (_, number) => `v${String(number).padStart(3, '0')}`)
    const image = await pushImage(registry, NAME, names[0])
    for (const name of names.slice(1)) await pushImage(registry, NAME, name)
    await remove(registry, image)
    expect(await listTags(registry, await repositoryId(registry, NAME), { limit: 99 })).toEqual([])
    const deleted = (await itemsOf(registry, 'M#')).find((item) => item.sk.startsWith('X#'))!
    expect((deleted.attributes.tags as string[]).toSorted()).toEqual(names)
    const event = (await itemsOf(registry, 'E#')).find((item) => item.attributes.type === 'manifest.deleted')!
    expect((event.attributes.tags as string[]).toSorted()).toEqual(names)
  }
})

test('a tag that moves away while a manifest with many tags is deleted stays where it went', async () => {
  for (const turn of [1, 2]) {
    const registry = await testRegistry()
    const names = Array.from({ length: 20 }, (_, number) => `v${String(number).padStart(3, '0')}`)
    for (const name of names) await pushImage(registry, NAME, name)
    const image = await pushImage(registry, NAME, undefined)
    const moved = names[turn === 1 ? 0 : 19]!
    const move = () => pushImage(registry, NAME, moved, { layer: 'other' })
    await deleteReference(before(registry, 'transact', move, turn), NAME, byDigest(image.digest), ACTOR)
    expect(await listTags(registry, await repositoryId(registry, NAME), { limit: 99 })).toEqual([moved])
    await findManifest(registry, NAME, byTag(moved))
    await expect(findManifest(registry, NAME, byDigest(image.digest))).rejects.toMatchObject(unknown)
  }
})

test('of a deleted manifest only the record of its deletion is left in its partition', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  await remove(registry, image)
  expect((await itemsOf(registry, 'M#')).map((item) => item.sk.slice(0, 2))).toEqual(['X#'])
  expect(await itemsOf(registry, 'TD#')).toEqual([])
})

test('a deletion is told once, with what was deleted and why', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  while ((await relay(registry)) > 0);
  const events = registry.events
  await remove(registry, image)
  expect(registry.events).toBe(events + 1)
  const about = { digest: image.digest, mediaType: MANIFEST, tags: ['v1'], cause: 'delete', name: NAME }
  expect((await itemsOf(registry, 'E#')).map((item) => item.attributes)).toEqual([
    expect.objectContaining({ type: 'manifest.deleted', principal: 'alice', requestId: 'r-1', ...about }),
  ])
})

test('a deleted referrer is no longer listed with its subject', async () => {
  const registry = await testRegistry()
  const subject = await pushImage(registry, NAME, 'v1')
  const referrer = await pushImage(registry, NAME, undefined, { layer: 'sbom', subject: subject.digest })
  await remove(registry, referrer)
  expect((await listReferrers(registry, NAME, subject.digest, {})).descriptors).toEqual([])
})

test('a tag pushed while its manifest is deleted either goes with it or gives it a new life', async () => {
  for (const turn of [0, 1]) {
    const registry = await testRegistry()
    const image = await pushImage(registry, NAME, 'v1')
    registry.clock.now += HOUR_MS
    const slow = before(registry, 'transact', () => pushImage(registry, NAME, 'v2'), turn)
    await deleteReference(slow, NAME, byDigest(image.digest), ACTOR)
    const repo = await repositoryId(registry, NAME)
    expect(await listTags(registry, repo, { limit: 9 })).toEqual([])
    await expect(findManifest(registry, NAME, byTag('v2'))).rejects.toMatchObject(unknown)
  }
})

test('an index pushed while its child is deleted keeps the child', async () => {
  for (const turn of [0, 1]) {
    const registry = await testRegistry()
    const child = await pushImage(registry, NAME, undefined)
    const slow = before(registry, 'transact', () => pushIndex(registry, NAME, 'all', [child]), turn)
    await expect(deleteReference(slow, NAME, byDigest(child.digest), ACTOR)).rejects.toMatchObject({
      status: 412,
    })
    await findManifest(registry, NAME, byDigest(child.digest))
  }
})

test('who deletes what another is deleting goes on from there instead of beginning again', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  const repo = await repositoryId(registry, NAME)
  const record = (await readManifest(registry, repo, image.digest))!
  await registry.metadata.transact([manifestChange(registry, record, { state: 'condemned' })])
  let writes = 0
  const watched = before(registry, 'transact', () => writes++, 'every')
  await deleteReference(watched, NAME, byDigest(image.digest), ACTOR)
  expect(writes).toBe(1)
})

test('a manifest that never comes to rest is not deleted, and the client told to try again', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  await expect(deleteReference(busy(registry), NAME, byDigest(image.digest), ACTOR)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining(image.digest),
  })
})
