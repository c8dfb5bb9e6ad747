// Blobs: who finds one, what is said when its bytes are wrong, and who may delete it.
import { expect, test } from 'vitest'
import { digestOf } from '../../lib/oci/digest.ts'
import { deleteBlob, findBlob, openBlob } from '../../lib/registry/blobs.ts'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { sweep } from '../../lib/registry/gc/sweep.ts'
import { keys } from '../../lib/registry/keys.ts'
import { linkChange, readLink } from '../../lib/registry/links.ts'
import { scrub } from '../../lib/registry/scrub.ts'
import { before, busy } from './meddling.ts'
import {
  ACTOR,
  byDigest,
  DAY_MS,
  HOUR_MS,
  itemsOf,
  pushBlob,
  pushImage,
  repositoryId,
  testRegistry,
} from './registry.ts'

const NAME = 'library/app'
const unknown = { code: 'BLOB_UNKNOWN', status: 404 }

test('a blob nobody pushed is unknown by its digest, a repository nobody pushed to by its name', async () => {
  const registry = await testRegistry()
  await pushBlob(registry, NAME, 'there')
  const digest = digestOf(Buffer.from('not there'))
  await expect(findBlob(registry, NAME, digest, false)).rejects.toMatchObject({
    ...unknown,
    message: expect.stringContaining(digest),
    detail: { digest },
  })
  await expect(findBlob(registry, 'library/none', digest, false)).rejects.toMatchObject({
    code: 'NAME_UNKNOWN',
    message: expect.stringContaining('library/none'),
  })
})

test('a blob found corrupt is not served, and pushing it again repairs it', async () => {
  const registry = await testRegistry()
  const digest = await pushBlob(registry, NAME, 'good')
  const [object] = registry.blobs.objects.values()
  object!.bytes = Buffer.from('evil')
  await scrub(registry)
  for (const forPush of [false, true])
    await expect(findBlob(registry, NAME, digest, forPush)).rejects.toMatchObject({
      ...unknown,
      message: expect.stringContaining('corrupt'),
    })
  await pushBlob(registry, NAME, 'good')
  const { link } = await findBlob(registry, NAME, digest, false)
  expect(Buffer.from((await openBlob(registry, link)) as Uint8Array).toString()).toBe('good')
  expect((await scrub(registry)).corrupt).toEqual([])
})

test('the corrupt object that a push replaced goes, the new one stays', async () => {
  const registry = await testRegistry()
  const { layer } = await pushImage(registry, NAME, 'v1', { layer: 'good' })
  const repo = await repositoryId(registry, NAME)
  const bad = (await readLink(registry, repo, layer))!.object
  registry.blobs.objects.get(bad)!.bytes = Buffer.from('evil')
  await scrub(registry)
  await pushImage(registry, NAME, 'v1', { layer: 'good' })
  registry.clock.now += HOUR_MS
  await sweep(registry, 'test')
  expect(registry.blobs.objects.has(bad)).toBe(false)
  const { link } = await findBlob(registry, NAME, layer, false)
  expect(registry.blobs.objects.has(link.object)).toBe(true)
})

test('a blob whose bytes are missing or cut short is unknown and says so', async () => {
  const registry = await testRegistry()
  const digest = await pushBlob(registry, NAME, 'abcdef')
  const { link } = await findBlob(registry, NAME, digest, false)
  const object = registry.blobs.objects.get(link.object)!
  object.bytes = Buffer.from('abc')
  await expect(openBlob(registry, link)).rejects.toMatchObject({
    ...unknown,
    message: expect.stringMatching(new RegExp(`${digest}.*damaged`)),
  })
  registry.blobs.objects.clear()
  await expect(openBlob(registry, link)).rejects.toMatchObject({
    ...unknown,
    message: expect.stringMatching(new RegExp(`${digest}.*missing`)),
  })
})

test('a range is served when all of it is there, and refused when bytes of it are not', async () => {
  const registry = await testRegistry()
  const digest = await pushBlob(registry, NAME, 'abcdef')
  const { link } = await findBlob(registry, NAME, digest, false)
  const range = (start: number, end: number) => openBlob(registry, link, { start, end })
  expect(Buffer.from((await range(1, 3)) as Uint8Array).toString()).toBe('bcd')
  registry.blobs.objects.get(link.object)!.bytes = Buffer.from('abcd')
  expect(Buffer.from((await range(1, 3)) as Uint8Array).toString()).toBe('bcd')
  await expect(range(3, 5)).rejects.toMatchObject(unknown)
})

test('asking for a blob in order to push notes the day, pulling it does not', async () => {
  const registry = await testRegistry()
  const digest = await pushBlob(registry, NAME, 'blob')
  const repo = await repositoryId(registry, NAME)
  const day = async () => (await readLink(registry, repo, digest))!.touchedDay
  const pushed = await day()
  registry.clock.now += DAY_MS
  await findBlob(registry, NAME, digest, false)
  expect(await day()).toBe(pushed)
  await findBlob(registry, NAME, digest, true)
  expect(await day()).toBe(pushed + 1)
})

test('a blob that goes while somebody asks for it in order to push is unknown', async () => {
  const registry = await testRegistry()
  const digest = await pushBlob(registry, NAME, 'blob')
  registry.clock.now += DAY_MS
  const slow = before(registry, 'transact', () => deleteBlob(registry, NAME, digest))
  await expect(findBlob(slow, NAME, digest, true)).rejects.toMatchObject(unknown)
})

test('a deleted blob is unknown at once and its bytes are gone after an hour', async () => {
  const registry = await testRegistry()
  const digest = await pushBlob(registry, NAME, 'blob')
  await deleteBlob(registry, NAME, digest)
  await expect(findBlob(registry, NAME, digest, false)).rejects.toMatchObject(unknown)
  await expect(deleteBlob(registry, NAME, digest)).rejects.toMatchObject(unknown)
  registry.clock.now += HOUR_MS - 1
  await sweep(registry, 'test')
  expect(registry.blobs.objects.size).toBe(1)
  registry.clock.now += 1
  await sweep(registry, 'test')
  expect(registry.blobs.objects.size).toBe(0)
  expect(await itemsOf(registry, 'O#')).toEqual([])
})

test('a blob in use is not deleted: 405 names up to five manifests, and it stays as usable as it was', async () => {
  const registry = await testRegistry()
  const images = []
  for (const tag of ['a', 'b', 'c', 'd', 'e', 'f'])
    images.push((await pushImage(registry, NAME, tag, { layer: tag })).digest)
  const config = digestOf(Buffer.from('{}'))
  const refused = await deleteBlob(registry, NAME, config).catch((error) => error)
  expect(refused).toMatchObject({ code: 'UNSUPPORTED', status: 405, detail: { digest: config } })
  expect(refused.detail.manifests).toHaveLength(5)
  expect(images).toEqual(expect.arrayContaining(refused.detail.manifests))
  for (const named of [config, refused.detail.manifests.join(', ')]) expect(refused.message).toContain(named)
  expect(await readLink(registry, await repositoryId(registry, NAME), config)).toMatchObject({
    state: 'live',
  })
})

test('a blob that a push under way refers to is not deleted, one that only undo could bring back is', async () => {
  const registry = await testRegistry()
  const pushing = await pushBlob(registry, NAME, 'pushing')
  const manifest = digestOf(Buffer.from('manifest'))
  const reference = keys.linkReference(await repositoryId(registry, NAME), pushing, manifest, 'attempt')
  const attributes = { v: 1, writtenAtMs: registry.clock.now }
  await registry.metadata.batchWrite([{ kind: 'put', item: { ...reference, attributes } }])
  await expect(deleteBlob(registry, NAME, pushing)).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    detail: { manifests: [manifest] },
  })
  registry.clock.now += DAY_MS
  await deleteBlob(registry, NAME, pushing)

  const image = await pushImage(registry, NAME, 'v1')
  await deleteReference(registry, NAME, byDigest(image.digest), ACTOR)
  await deleteBlob(registry, NAME, image.layer)
  await expect(findBlob(registry, NAME, image.layer, false)).rejects.toMatchObject(unknown)
})

test('a blob that is used again while it is being deleted is looked at again', async () => {
  for (const turn of [0, 1]) {
    const registry = await testRegistry()
    const digest = await pushBlob(registry, NAME, 'layer')
    const slow = before(registry, 'transact', () => pushImage(registry, NAME, `v${turn}`), turn)
    await expect(deleteBlob(slow, NAME, digest)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    await findBlob(registry, NAME, digest, false)
  }
})

test('of two deletions of one blob at once the later finds it unknown', async () => {
  for (const method of ['transact', 'get'] as const) {
    const registry = await testRegistry()
    const digest = await pushBlob(registry, NAME, 'blob')
    const slow = before(registry, method, () => deleteBlob(registry, NAME, digest))
    await expect(deleteBlob(slow, NAME, digest)).rejects.toMatchObject(unknown)
  }
})

test('a blob uploaded again counts as used that day, also one that was about to be collected', async () => {
  const registry = await testRegistry()
  const digest = await pushBlob(registry, NAME, 'blob')
  const repo = await repositoryId(registry, NAME)
  const first = (await readLink(registry, repo, digest))!
  await registry.metadata.transact([linkChange(registry, first, { state: 'condemned' })])
  registry.clock.now += DAY_MS
  await pushBlob(registry, NAME, 'blob')
  expect(await readLink(registry, repo, digest)).toMatchObject({
    state: 'live',
    touchedDay: first.touchedDay + 1,
    object: first.object,
  })
  registry.clock.now += HOUR_MS
  await sweep(registry, 'test')
  expect([...registry.blobs.objects.keys()]).toEqual([first.object])
})

test('a blob that never comes to rest is left alone, and the client told to try again', async () => {
  const registry = await testRegistry()
  const digest = await pushBlob(registry, NAME, 'blob')
  registry.clock.now += DAY_MS
  for (const refused of [
    findBlob(busy(registry), NAME, digest, true),
    deleteBlob(busy(registry), NAME, digest),
    pushBlob(busy(registry), NAME, 'blob'),
  ])
    await expect(refused).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      status: 503,
      message: expect.stringContaining(digest),
    })
})
