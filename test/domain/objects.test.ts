// Objects of the blob store: who keeps one, and when its bytes go.
import { expect, test } from 'vitest'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { collectObject } from '../../lib/registry/gc/collect-object.ts'
import { Ledger, readLedger } from '../../lib/registry/gc/ledger.ts'
import { sweep } from '../../lib/registry/gc/sweep.ts'
import { keys } from '../../lib/registry/keys.ts'
import { readLink } from '../../lib/registry/links.ts'
import { mountFrom } from '../../lib/registry/mounts.ts'
import type { Key } from '../../lib/registry/ports.ts'
import type { Registry } from '../../lib/registry/registry.ts'
import { openRepository } from '../../lib/registry/repositories.ts'
import { undo } from '../../lib/registry/undo.ts'
import { before } from './meddling.ts'
import {
  ACTOR,
  byDigest,
  DAY_MS,
  itemsOf,
  MANIFEST,
  once,
  pushBlob,
  pushBytes,
  repositoryId,
  type TestRegistry,
  testRegistry,
} from './registry.ts'

const NAME = 'library/app'
const TARGET = 'library/target'
const LARGE = 'y'.repeat(70_000)
const DONE = { kind: 'done' }
const AGAIN = { kind: 'again' }

async function collect(registry: Registry, object: string) {
  const ledger = new Ledger(registry, 'test')
  const verdict = await collectObject(registry, ledger, object)
  return { verdict, lines: await Array.fromAsync(readLedger(registry, ledger.summary.id)) }
}

async function stored() {
  const registry = await testRegistry()
  const digest = await pushBlob(registry, NAME, LARGE)
  const repo = await repositoryId(registry, NAME)
  const { object } = (await readLink(registry, repo, digest))!
  const lose = (...lost: Key[]) => registry.metadata.batchWrite(lost.map((key) => ({ kind: 'delete', key })))
  return { registry, digest, repo, object, lose }
}

async function largeManifest(registry: TestRegistry) {
  const config = { mediaType: 'application/x', digest: await pushBlob(registry, NAME, '{}'), size: 2 }
  const annotations = { long: LARGE }
  const manifest = { schemaVersion: 2, mediaType: MANIFEST, config, layers: [], annotations }
  const bytes = Buffer.from(JSON.stringify(manifest))
  const digest = await pushBytes(registry, NAME, 'v1', bytes, MANIFEST)
  const object = [...registry.blobs.objects.keys()].find((key) => key.includes('/m/'))!
  return { digest, object, bytes }
}

test('an object that one of its repositories links stays, and can still be shared', async () => {
  const { registry, digest, repo, object, lose } = await stored()
  const target = await openRepository(registry, TARGET, ACTOR)
  expect(await mountFrom(registry, target, digest, NAME)).toBe(true)
  registry.clock.now += 3 * DAY_MS
  await lose(keys.link(repo, digest), keys.objectReference(object, repo, digest))
  expect(await collect(registry, object)).toEqual({ verdict: DONE, lines: [] })
  expect(registry.blobs.objects.has(object)).toBe(true)
  const third = await openRepository(registry, 'library/third', ACTOR)
  expect(await mountFrom(registry, third, digest, TARGET)).toBe(true)
})

test('an object no repository links goes with its record and all that led to it, and is on the record', async () => {
  const { registry, digest, repo, object, lose } = await stored()
  await lose(keys.link(repo, digest))
  registry.clock.now += DAY_MS
  const { verdict, lines } = await collect(registry, object)
  expect(verdict).toEqual(DONE)
  expect(lines).toMatchObject([{ what: 'object', where: object, freedBytes: 70_000 }])
  expect(registry.blobs.objects.size).toBe(0)
  expect(await itemsOf(registry, 'O#')).toEqual([])
  expect(await collect(registry, object)).toEqual({ verdict: DONE, lines: [] })
})

test('a mount that may be under way keeps an object for a day', async () => {
  const { registry, digest, repo, object, lose } = await stored()
  await lose(keys.link(repo, digest))
  registry.clock.now += DAY_MS - 1
  expect(await collect(registry, object)).toMatchObject({
    verdict: { kind: 'later', dueAtMs: registry.clock.now + DAY_MS },
  })
  expect((await registry.metadata.get(keys.object(object)))!.attributes.state).toBe('live')
  registry.clock.now += 1
  expect(await collect(registry, object)).toMatchObject({ verdict: DONE })
  expect(registry.blobs.objects.size).toBe(0)
})

test('a repository that links the digest in another object does not keep this one', async () => {
  const { registry, digest, repo, object } = await stored()
  const link = (await registry.metadata.get(keys.link(repo, digest)))!
  const moved = { ...link, attributes: { ...link.attributes, object: 'b/another' } }
  await registry.metadata.batchWrite([{ kind: 'put', item: moved }])
  registry.clock.now += DAY_MS
  expect(await collect(registry, object)).toMatchObject({ verdict: DONE })
  expect(registry.blobs.objects.size).toBe(0)
})

test('of hundreds of mounts that never came to be none keeps an object, and one that did does', async () => {
  for (const linked of [false, true]) {
    const { registry, digest, object, repo, lose } = await stored()
    if (!linked) await lose(keys.link(repo, digest))
    const attributes = { v: 1, writtenAtMs: registry.clock.now }
    await registry.metadata.batchWrite(
      Array.from({ length: 900 }, (_, number) => ({
        kind: 'put',
        item: { ...keys.objectReference(object, `repo${number}`, digest), attributes },
      })),
    )
    registry.clock.now += DAY_MS
    expect(await collect(registry, object)).toMatchObject({ verdict: DONE })
    expect(registry.blobs.objects.size).toBe(linked ? 1 : 0)
    if (!linked) expect(await itemsOf(registry, 'O#')).toEqual([])
  }
})

test('an object that is changed at any moment of its collection is left for the next time', async () => {
  for (const [method, turn] of [
    ['transact', 0],
    ['transact', 1],
    ['get', 1],
  ] as const) {
    const { registry, digest, repo, object, lose } = await stored()
    await lose(keys.link(repo, digest))
    registry.clock.now += DAY_MS
    const change = async () => {
      const item = (await registry.metadata.get(keys.object(object)))!
      const changed = { ...item, attributes: { ...item.attributes, state: 'live', gen: 'changed' } }
      await registry.metadata.batchWrite([{ kind: 'put', item: changed }])
    }
    expect(await collect(before(registry, method, change, turn), object)).toEqual({
      verdict: AGAIN,
      lines: [],
    })
    expect(registry.blobs.objects.has(object)).toBe(true)
  }
})

test('of two collectors at once one takes the object, the other looks again', async () => {
  const { registry, digest, repo, object, lose } = await stored()
  await lose(keys.link(repo, digest))
  registry.clock.now += DAY_MS
  let other: unknown
  const take = async () => {
    other = await collect(registry, object)
  }
  expect(await collect(before(registry, 'get', take, 1), object)).toEqual({ verdict: AGAIN, lines: [] })
  expect(other).toMatchObject({ verdict: DONE, lines: [{ where: object }] })
})

test('bytes nobody ever linked leave a tombstone for a week, so that no late upload links them', async () => {
  const registry = await testRegistry()
  await registry.blobs.put('b/orphan', once(Buffer.from('orphan')))
  const { verdict, lines } = await collect(registry, 'b/orphan')
  expect({ verdict, lines }).toMatchObject({ verdict: DONE, lines: [{ where: 'b/orphan', freedBytes: 6 }] })
  expect(registry.blobs.objects.size).toBe(0)
  expect(await itemsOf(registry, 'O#')).toMatchObject([
    { attributes: { state: 'deleted' }, expiresAtEpochSeconds: registry.clock.now / 1000 + 7 * 86_400 },
  ])
  expect(await collect(registry, 'b/orphan')).toEqual({ verdict: DONE, lines: [] })
})

test('an object there is nothing of leaves nothing', async () => {
  const registry = await testRegistry()
  expect(await collect(registry, 'b/none')).toEqual({ verdict: DONE, lines: [] })
  expect(await itemsOf(registry, 'O#')).toEqual([])
})

test('a tombstone stays while its bytes are deleted a second time', async () => {
  const registry = await testRegistry()
  await registry.blobs.put('b/orphan', once(Buffer.from('orphan')))
  const dying = before(registry, 'delete', () => {
    throw new Error('the power went')
  })
  await expect(collect(dying, 'b/orphan')).rejects.toThrow('the power went')
  expect(await collect(registry, 'b/orphan')).toMatchObject({ verdict: DONE, lines: [{ freedBytes: 6 }] })
  expect(await itemsOf(registry, 'O#')).toMatchObject([{ attributes: { state: 'deleted' } }])
})

test('bytes that are linked just before their tombstone is set stay', async () => {
  const registry = await testRegistry()
  await registry.blobs.put('b/late', once(Buffer.from('late')))
  const attributes = { v: 1, state: 'live', gen: 'g', kind: 'blob' }
  const item = { ...keys.object('b/late'), attributes }
  const slow = before(registry, 'transact', () => registry.metadata.batchWrite([{ kind: 'put', item }]))
  expect(await collect(slow, 'b/late')).toEqual({ verdict: AGAIN, lines: [] })
  expect(registry.blobs.objects.size).toBe(1)
})

test('a large manifest’s bytes stay while it exists or can be brought back, and no longer', async () => {
  const registry = await testRegistry()
  const { digest, object, bytes } = await largeManifest(registry)
  expect(await collect(registry, object)).toEqual({ verdict: DONE, lines: [] })
  await deleteReference(registry, NAME, byDigest(digest), ACTOR)
  expect(await collect(registry, object)).toEqual({ verdict: DONE, lines: [] })
  expect(registry.blobs.objects.has(object)).toBe(true)
  await undo(registry, NAME, byDigest(digest), ACTOR)
  const repo = await repositoryId(registry, NAME)
  const deleted = (await itemsOf(registry, `M#${repo}`)).find(({ sk }) => sk.startsWith('X#'))!
  await registry.metadata.batchWrite([{ kind: 'delete', key: { pk: deleted.pk, sk: deleted.sk } }])
  const { verdict, lines } = await collect(registry, object)
  expect(verdict).toEqual(DONE)
  expect(lines).toMatchObject([{ what: 'object', where: object, freedBytes: bytes.length }])
  expect(registry.blobs.objects.has(object)).toBe(false)
  expect(await registry.metadata.get(keys.object(object))).toBeUndefined()
})

test('a large manifest’s bytes go within a day of the end of its window', async () => {
  const registry = await testRegistry({ undoWindowMs: DAY_MS })
  const { digest, object } = await largeManifest(registry)
  await deleteReference(registry, NAME, byDigest(digest), ACTOR)
  registry.clock.now += DAY_MS - 1
  await sweep(registry, 'test')
  expect(registry.blobs.objects.has(object)).toBe(true)
  for (let step = 0; step < 2; step++) {
    registry.clock.now += DAY_MS / 2
    await sweep(registry, 'test')
  }
  expect(registry.blobs.objects.has(object)).toBe(false)
})

test('a large manifest whose record is changed while its bytes are looked at is left for the next time', async () => {
  const registry = await testRegistry()
  const { digest, object } = await largeManifest(registry)
  const repo = await repositoryId(registry, NAME)
  await registry.metadata.batchWrite([{ kind: 'delete', key: keys.manifest(repo, digest) }])
  const change = async () => {
    const item = (await registry.metadata.get(keys.object(object)))!
    const changed = { ...item, attributes: { ...item.attributes, gen: 'changed' } }
    await registry.metadata.batchWrite([{ kind: 'put', item: changed }])
  }
  expect((await collect(before(registry, 'transact', change), object)).verdict).toEqual(AGAIN)
  expect(registry.blobs.objects.has(object)).toBe(true)
})
