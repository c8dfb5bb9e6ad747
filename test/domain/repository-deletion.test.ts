// Deleting a repository: its name goes at once, what it holds when the window has ended.
import { expect, test } from 'vitest'
import { sweep } from '../../lib/registry/gc/sweep.ts'
import { partitions } from '../../lib/registry/keys.ts'
import { findManifest } from '../../lib/registry/manifests.ts'
import { findProject } from '../../lib/registry/projects.ts'
import { relay } from '../../lib/registry/relay.ts'
import { listCatalog } from '../../lib/registry/repositories.ts'
import { deleteRepository, restoreRepository } from '../../lib/registry/repository-deletion.ts'
import { ACTOR, DAY_MS, itemsOf, pushImage, pushIndex, repositoryId, testRegistry } from './registry.ts'

const NAME = 'library/app'
const v1 = { kind: 'tag' as const, tag: 'v1' }
const WINDOW = { undoWindowMs: 2 * DAY_MS }

test('a deleted repository is unknown at once, and out of the catalog', async () => {
  const registry = await testRegistry(WINDOW)
  await pushImage(registry, NAME, 'v1')
  await deleteRepository(registry, NAME, ACTOR)
  await expect(findManifest(registry, NAME, v1)).rejects.toMatchObject({ code: 'NAME_UNKNOWN' })
  expect(await listCatalog(registry, { limit: 10 })).toEqual([])
  await expect(deleteRepository(registry, NAME, ACTOR)).rejects.toMatchObject({ code: 'NAME_UNKNOWN' })
})

test('it comes back whole with one undo while the window lasts', async () => {
  const registry = await testRegistry(WINDOW)
  const image = await pushImage(registry, NAME, 'v1')
  await deleteRepository(registry, NAME, ACTOR)
  registry.clock.now += DAY_MS
  await sweep(registry, 'test')
  await restoreRepository(registry, NAME, ACTOR)
  expect((await findManifest(registry, NAME, v1)).record.digest).toBe(image.digest)
  expect(await listCatalog(registry, { limit: 10 })).toEqual([NAME])
  registry.clock.now += 30 * DAY_MS
  await sweep(registry, 'test')
  await findManifest(registry, NAME, v1)
})

test('after the window everything it held is gone, indexes and their manifests alike; only the history of tags stays', async () => {
  const registry = await testRegistry(WINDOW)
  const images = [
    await pushImage(registry, NAME, 'a'),
    await pushImage(registry, NAME, 'b', { layer: 'other' }),
  ]
  await pushIndex(registry, NAME, 'v1', images)
  await relay(registry)
  await deleteRepository(registry, NAME, ACTOR)
  for (let day = 0; day < 10; day++) {
    registry.clock.now += DAY_MS
    await relay(registry)
    await sweep(registry, 'test')
  }
  expect(registry.blobs.objects.size).toBe(0)
  for (const family of ['M#', 'TL#', 'A#', 'L#', 'I#', 'DR#', 'Q#'])
    expect(await itemsOf(registry, family)).toEqual([])
  await expect(restoreRepository(registry, NAME, ACTOR)).rejects.toMatchObject({ code: 'NAME_UNKNOWN' })
})

test('what it used counts no longer as soon as the event is relayed, and again after an undo', async () => {
  const registry = await testRegistry(WINDOW)
  const image = await pushImage(registry, NAME, 'v1')
  await relay(registry)
  const project = await findProject(registry, 'library')
  const uses = () => registry.metadata.query({ pk: partitions.usage(project!.id, image.layer), limit: 10 })
  expect(await uses()).toHaveLength(1)
  await deleteRepository(registry, NAME, ACTOR)
  await relay(registry)
  expect(await uses()).toHaveLength(0)
  await restoreRepository(registry, NAME, ACTOR)
  await relay(registry)
  expect(await uses()).toHaveLength(1)
})

test('a new repository of that name is another one, and keeps the old one from coming back', async () => {
  const registry = await testRegistry(WINDOW)
  await pushImage(registry, NAME, 'v1')
  const old = await repositoryId(registry, NAME)
  await deleteRepository(registry, NAME, ACTOR)
  const image = await pushImage(registry, NAME, 'v2', { layer: 'new' })
  expect(await repositoryId(registry, NAME)).not.toBe(old)
  await expect(findManifest(registry, NAME, v1)).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' })
  await expect(restoreRepository(registry, NAME, ACTOR)).rejects.toMatchObject({ status: 409 })
  for (let day = 0; day < 10; day++) {
    registry.clock.now += DAY_MS
    await sweep(registry, 'test')
  }
  expect((await findManifest(registry, NAME, { kind: 'tag', tag: 'v2' })).record.digest).toBe(image.digest)
})
