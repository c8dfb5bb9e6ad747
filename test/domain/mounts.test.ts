// Mounts: what is shared, what is copied, and when the client has to upload after all.
import { expect, test } from 'vitest'
import { findBlob } from '../../lib/registry/blobs.ts'
import { collectObject } from '../../lib/registry/gc/collect-object.ts'
import { Ledger } from '../../lib/registry/gc/ledger.ts'
import { keys } from '../../lib/registry/keys.ts'
import { linkChange, readLink } from '../../lib/registry/links.ts'
import { mountFrom, mountFromAnywhere } from '../../lib/registry/mounts.ts'
import { createProject } from '../../lib/registry/projects.ts'
import { relay } from '../../lib/registry/relay.ts'
import { openRepository } from '../../lib/registry/repositories.ts'
import { before } from './meddling.ts'
import {
  ACTOR,
  DAY_MS,
  itemsOf,
  pushBlob,
  pushImage,
  repositoryId,
  type TestRegistry,
  testRegistry,
} from './registry.ts'

const SOURCE = 'library/source'
const TARGET = 'library/target'
const LARGE = 'y'.repeat(64 * 1024)

async function linkIn(registry: TestRegistry, name: string, digest: Awaited<ReturnType<typeof pushBlob>>) {
  return readLink(registry, await repositoryId(registry, name), digest)
}

test('a mount of a blob below 64 KiB copies it, one of 64 KiB or more shares the object', async () => {
  const registry = await testRegistry()
  const target = await openRepository(registry, TARGET, ACTOR)
  for (const [text, shared] of [
    [LARGE.slice(1), false],
    [LARGE, true],
  ] as const) {
    const digest = await pushBlob(registry, SOURCE, text)
    expect(await mountFrom(registry, target, digest, SOURCE)).toBe(true)
    const [from, to] = [await linkIn(registry, SOURCE, digest), await linkIn(registry, TARGET, digest)]
    expect(from!.object === to!.object).toBe(shared)
    expect(to).toMatchObject({ state: 'live', sizeBytes: text.length })
    expect(Buffer.from(registry.blobs.objects.get(to!.object)!.bytes).toString()).toBe(text)
    const owner = await registry.metadata.get(keys.object(to!.object))
    expect(owner!.attributes).toMatchObject({ state: 'live', digest })
  }
})

test('a mount from a repository that is unknown, or has not the blob, is none', async () => {
  const registry = await testRegistry()
  const target = await openRepository(registry, TARGET, ACTOR)
  const digest = await pushBlob(registry, SOURCE, 'blob')
  await pushBlob(registry, 'library/empty', 'other')
  expect(await mountFrom(registry, target, digest, 'library/none')).toBe(false)
  expect(await mountFrom(registry, target, digest, 'library/empty')).toBe(false)
  expect(await linkIn(registry, TARGET, digest)).toBeUndefined()
})

test('a mount of a blob the target has already keeps it for another day', async () => {
  const registry = await testRegistry()
  const target = await openRepository(registry, TARGET, ACTOR)
  const digest = await pushBlob(registry, TARGET, 'blob')
  const earlier = await linkIn(registry, TARGET, digest)
  registry.clock.now += DAY_MS
  expect(await mountFrom(registry, target, digest, SOURCE)).toBe(false)
  await pushBlob(registry, SOURCE, 'other')
  expect(await mountFrom(registry, target, digest, SOURCE)).toBe(true)
  const { object, touchedDay } = earlier!
  expect(await linkIn(registry, TARGET, digest)).toMatchObject({ object, touchedDay: touchedDay + 1 })
})

test('a blob that is corrupt or about to be collected at the source is not mounted', async () => {
  const registry = await testRegistry()
  const target = await openRepository(registry, TARGET, ACTOR)
  for (const state of ['corrupt', 'condemned'] as const) {
    const digest = await pushBlob(registry, SOURCE, state)
    const link = (await linkIn(registry, SOURCE, digest))!
    await registry.metadata.transact([linkChange(registry, link, { state })])
    expect(await mountFrom(registry, target, digest, SOURCE)).toBe(false)
    expect(await linkIn(registry, TARGET, digest)).toBeUndefined()
  }
})

test('a mount over a corrupt blob of the target repairs it', async () => {
  const registry = await testRegistry()
  const target = await openRepository(registry, TARGET, ACTOR)
  const digest = await pushBlob(registry, SOURCE, LARGE)
  await pushBlob(registry, TARGET, LARGE)
  const bad = (await linkIn(registry, TARGET, digest))!
  await registry.metadata.transact([linkChange(registry, bad, { state: 'corrupt' })])
  expect(await mountFrom(registry, target, digest, SOURCE)).toBe(true)
  const good = (await linkIn(registry, SOURCE, digest))!
  expect(await linkIn(registry, TARGET, digest)).toMatchObject({ state: 'live', object: good.object })
  expect(await registry.metadata.get(keys.objectReference(bad.object, target.id, digest))).toBeUndefined()
})

test('an object that is being collected is not shared, whoever is first', async () => {
  const registry = await testRegistry()
  const target = await openRepository(registry, TARGET, ACTOR)
  const digest = await pushBlob(registry, SOURCE, LARGE)
  const link = (await linkIn(registry, SOURCE, digest))!
  const object = (await registry.metadata.get(keys.object(link.object)))!
  for (const writes of [
    [{ kind: 'put' as const, item: { ...object, attributes: { ...object.attributes, state: 'condemned' } } }],
    [{ kind: 'delete' as const, key: keys.object(link.object) }],
  ]) {
    const slow = before(registry, 'batchWrite', () => registry.metadata.batchWrite(writes))
    expect(await mountFrom(slow, target, digest, SOURCE)).toBe(false)
    expect(await linkIn(registry, TARGET, digest)).toBeUndefined()
  }
})

test('a mount under way keeps the object, though its source lets go', async () => {
  const registry = await testRegistry()
  const target = await openRepository(registry, TARGET, ACTOR)
  const digest = await pushBlob(registry, SOURCE, LARGE)
  const link = (await linkIn(registry, SOURCE, digest))!
  registry.clock.now += DAY_MS
  const slow = before(registry, 'transact', async () => {
    await registry.metadata.batchWrite([{ kind: 'delete', key: keys.link(link.repo, digest) }])
    await collectObject(registry, new Ledger(registry, 'test'), link.object)
  })
  expect(await mountFrom(slow, target, digest, SOURCE)).toBe(true)
  const found = await findBlob(registry, TARGET, digest, false)
  expect(registry.blobs.objects.has(found.link.object)).toBe(true)
})

test('two mounts of one blob at once keep one claim on the object, also while a collector looks at the blob', async () => {
  const registry = await testRegistry()
  const target = await openRepository(registry, TARGET, ACTOR)
  const digest = await pushBlob(registry, SOURCE, LARGE)
  const { object } = (await linkIn(registry, SOURCE, digest))!
  const slow = before(registry, 'transact', async () => {
    await mountFrom(registry, target, digest, SOURCE)
    const link = (await linkIn(registry, TARGET, digest))!
    await registry.metadata.transact([linkChange(registry, link, { state: 'condemned' })])
  })
  expect(await mountFrom(slow, target, digest, SOURCE)).toBe(true)
  expect(await linkIn(registry, TARGET, digest)).toMatchObject({ state: 'live', object })
  expect(await registry.metadata.get(keys.objectReference(object, target.id, digest))).toBeDefined()
})

test('a mount that a push of the same blob overtakes leaves no claim on the shared object', async () => {
  const registry = await testRegistry()
  const target = await openRepository(registry, TARGET, ACTOR)
  const digest = await pushBlob(registry, SOURCE, LARGE)
  const source = (await linkIn(registry, SOURCE, digest))!
  const slow = before(registry, 'transact', () => pushBlob(registry, TARGET, LARGE))
  expect(await mountFrom(slow, target, digest, SOURCE)).toBe(true)
  expect((await linkIn(registry, TARGET, digest))!.object).not.toBe(source.object)
  const claim = keys.objectReference(source.object, target.id, digest)
  expect(await registry.metadata.get(claim)).toBeUndefined()
  expect(await registry.metadata.get(keys.object(source.object))).toBeDefined()
})

test('without a source, a blob is found in the target, its project and public projects, and in no private one', async () => {
  for (const [project, isPublic, found] of [
    ['library', false, true],
    ['open', true, true],
    ['closed', false, false],
  ] as const) {
    const registry = await testRegistry()
    if (project !== 'library') await createProject(registry, project, { public: isPublic }, ACTOR)
    const target = await openRepository(registry, TARGET, ACTOR)
    const { layer } = await pushImage(registry, `${project}/source`, 'v1')
    while ((await relay(registry)) > 0);
    expect(await mountFromAnywhere(registry, target, layer)).toBe(found)
    expect((await linkIn(registry, TARGET, layer)) !== undefined).toBe(found)
    if (found) expect(await mountFromAnywhere(registry, target, layer)).toBe(true)
  }
})

test('without a source, a blob the target has needs no usage to be found', async () => {
  const registry = await testRegistry()
  const target = await openRepository(registry, TARGET, ACTOR)
  const digest = await pushBlob(registry, TARGET, 'blob')
  expect(await mountFromAnywhere(registry, target, digest)).toBe(true)
  expect(await itemsOf(registry, 'Q#')).toEqual([])
})

test('without a source, a repository that has lost the blob does not keep the next from giving it', async () => {
  const registry = await testRegistry()
  const target = await openRepository(registry, TARGET, ACTOR)
  const { layer } = await pushImage(registry, 'library/a', 'v1')
  await pushImage(registry, 'library/b', 'v1')
  while ((await relay(registry)) > 0);
  const lost = keys.link(await repositoryId(registry, 'library/a'), layer)
  await registry.metadata.batchWrite([{ kind: 'delete', key: lost }])
  expect(await mountFromAnywhere(registry, target, layer)).toBe(true)
})
