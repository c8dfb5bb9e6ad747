// Sweeps: which candidates one looks at, what it remembers for the next.
import { expect, test } from 'vitest'
import { digestOf } from '../../lib/oci/digest.ts'
import { appendToUpload } from '../../lib/registry/append-upload.ts'
import { deleteBlob } from '../../lib/registry/blobs.ts'
import { type Candidate, candidateWrite } from '../../lib/registry/candidates.ts'
import { commitUpload } from '../../lib/registry/commit-upload.ts'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { fsck } from '../../lib/registry/fsck.ts'
import { readLedger } from '../../lib/registry/gc/ledger.ts'
import { sweep } from '../../lib/registry/gc/sweep.ts'
import { keys } from '../../lib/registry/keys.ts'
import { openRepository } from '../../lib/registry/repositories.ts'
import { startUpload } from '../../lib/registry/uploads.ts'
import { before } from './meddling.ts'
import {
  ACTOR,
  byDigest,
  DAY_MS,
  HOUR_MS,
  itemsOf,
  MANIFEST,
  once,
  pushBlob,
  pushBytes,
  pushImage,
  repositoryId,
  type TestRegistry,
  testRegistry,
} from './registry.ts'

const NAME = 'library/app'
const NOTHING: Candidate = { kind: 'object', object: 'b/none' }

const candidate = (registry: TestRegistry, dueInMs: number) =>
  registry.metadata.batchWrite([candidateWrite(registry.clock.now + dueInMs, NOTHING)])
const waiting = async (registry: TestRegistry) => (await itemsOf(registry, 'GC#')).length
const orphan = (registry: TestRegistry, name: string) =>
  registry.blobs.put(`b/some/u/${name}`, once(Buffer.from('orphan')))
const die = () => {
  throw new Error('the power went')
}

test('a candidate is looked at once it is due, and is done with then', async () => {
  const registry = await testRegistry()
  await candidate(registry, HOUR_MS)
  registry.clock.now += HOUR_MS - 1
  expect((await sweep(registry, 'test')).looked).toBe(0)
  expect(await waiting(registry)).toBe(1)
  registry.clock.now += 1
  expect((await sweep(registry, 'test')).looked).toBe(1)
  expect(await waiting(registry)).toBe(0)
  expect((await sweep(registry, 'test')).looked).toBe(0)
})

test('however long no sweep ran, the next one looks at all that became due', async () => {
  for (const swept of [false, true]) {
    const registry = await testRegistry()
    if (swept) await sweep(registry, 'test')
    for (let day = 0; day < 9; day++) {
      await candidate(registry, HOUR_MS)
      registry.clock.now += DAY_MS
    }
    expect((await sweep(registry, 'test')).looked).toBe(9)
    expect(await waiting(registry)).toBe(0)
  }
})

test('hundreds of candidates of one day are all looked at', async () => {
  const registry = await testRegistry()
  const writes = Array.from({ length: 450 }, (_, number) =>
    candidateWrite(registry.clock.now, { kind: 'object', object: `b/none/${number}` }),
  )
  await registry.metadata.batchWrite(writes)
  expect((await sweep(registry, 'test')).looked).toBe(450)
  expect(await waiting(registry)).toBe(0)
})

test('a candidate put by a process whose clock is a day behind is found', async () => {
  const registry = await testRegistry()
  for (let day = 0; day < 5; day++) {
    registry.clock.now += DAY_MS
    await sweep(registry, 'test')
  }
  await candidate(registry, -DAY_MS)
  expect((await sweep(registry, 'test')).looked).toBe(1)
})

test('a candidate that was put again while it was looked at is looked at again', async () => {
  const registry = await testRegistry()
  await candidate(registry, 0)
  const slow = before(registry, 'stat', () => candidate(registry, 0))
  expect((await sweep(slow, 'test')).looked).toBe(1)
  expect(await waiting(registry)).toBe(1)
  expect((await sweep(registry, 'test')).looked).toBe(1)
  expect(await waiting(registry)).toBe(0)
})

test('a candidate of an earlier day that stays keeps later sweeps from passing it over', async () => {
  const registry = await testRegistry()
  const digest = await pushBlob(registry, NAME, 'blob')
  await deleteBlob(registry, NAME, digest)
  registry.clock.now += 4 * DAY_MS
  // The object is changed under the sweep, which gives up on it for now.
  const [object] = registry.blobs.objects.keys()
  const item = (await registry.metadata.get(keys.object(object!)))!
  const changed = { ...item, attributes: { ...item.attributes, gen: 'other' } }
  const slow = before(registry, 'transact', () =>
    registry.metadata.batchWrite([{ kind: 'put', item: changed }]),
  )
  await sweep(slow, 'test')
  expect(registry.blobs.objects.size).toBe(1)
  for (let day = 0; day < 2; day++) {
    registry.clock.now += DAY_MS
    await sweep(registry, 'test')
  }
  expect(registry.blobs.objects.size).toBe(0)
  expect(await waiting(registry)).toBe(0)
})

test('days whose candidates are done are not read again', async () => {
  const registry = await testRegistry()
  registry.clock.now += 100 * DAY_MS
  let queries = 0
  const counted = before(registry, 'query', () => (queries += 1), 'every')
  await sweep(counted, 'test')
  const first = queries
  await sweep(counted, 'test')
  expect(first).toBeGreaterThan(400)
  expect(queries - first).toBeLessThan(20)
})

test('the whole store is looked through once a day at most, and at least', async () => {
  const registry = await testRegistry()
  await orphan(registry, 'first')
  registry.clock.now += DAY_MS
  await sweep(registry, 'test')
  expect(registry.blobs.objects.size).toBe(0)
  await orphan(registry, 'second')
  registry.blobs.objects.get('b/some/u/second')!.modifiedAtMs = 0
  registry.clock.now += DAY_MS - 1
  await sweep(registry, 'test')
  expect(registry.blobs.objects.size).toBe(1)
  registry.clock.now += 1
  expect(await sweep(registry, 'test')).toMatchObject({ objects: 1, freedBytes: 6 })
  expect(registry.blobs.objects.size).toBe(0)
})

test('hundreds of orphans are all found, and nothing that is linked is taken for one', async () => {
  const registry = await testRegistry()
  await pushImage(registry, NAME, 'v1')
  const kept = [...registry.blobs.objects.keys()]
  for (let number = 0; number < 205; number++) await orphan(registry, String(number))
  registry.clock.now += DAY_MS
  await orphan(registry, 'young')
  expect((await sweep(registry, 'test')).objects).toBe(205)
  expect([...registry.blobs.objects.keys()]).toEqual([...kept, 'b/some/u/young'])
})

test('bytes whose deletion a crash interrupted are deleted by the next inventory', async () => {
  const registry = await testRegistry()
  await orphan(registry, 'half')
  registry.clock.now += DAY_MS
  expect(await sweep(before(registry, 'delete', die), 'test')).toMatchObject({
    failures: 1,
    error: 'the power went',
  })
  expect(registry.blobs.objects.size).toBe(1)
  registry.clock.now += HOUR_MS
  expect(await sweep(registry, 'test')).toMatchObject({ objects: 1, freedBytes: 6 })
  expect(registry.blobs.objects.size).toBe(0)
})

test('an upload that stored its bytes and was slower than the inventory cannot link them any more', async () => {
  const registry = await testRegistry()
  const { id } = await openRepository(registry, NAME, ACTOR)
  const digest = digestOf(Buffer.from('late'))
  const late = before(registry, 'transact', async () => {
    registry.clock.now += DAY_MS
    await sweep(registry, 'test')
  })
  const body = { bytes: once(Buffer.from('late')) }
  await expect(commitUpload(late, startUpload(registry, id), digest, body)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  })
  expect(await itemsOf(registry, 'L#')).toEqual([])
  const [tombstone] = await itemsOf(registry, 'O#')
  expect(tombstone!.expiresAtEpochSeconds).toBe(registry.clock.now / 1000 + 7 * 86_400)
})

test('an upload in parts is forgotten a day after its last part, with its bytes, and is on the record', async () => {
  const registry = await testRegistry()
  const { id } = await openRepository(registry, NAME, ACTOR)
  const { session } = await appendToUpload(registry, startUpload(registry, id), {
    bytes: once(Buffer.from('a')),
  })
  registry.clock.now += DAY_MS - 1
  await appendToUpload(registry, session, { bytes: once(Buffer.from('b')) })
  registry.clock.now += 1
  expect((await sweep(registry, 'test')).sessions).toBe(0)
  registry.clock.now += DAY_MS
  const { id: execution, sessions } = await sweep(registry, 'test')
  expect(sessions).toBe(1)
  expect(await Array.fromAsync(readLedger(registry, execution))).toMatchObject([
    { what: 'session', where: session.id, freedBytes: 0 },
  ])
  await expect(registry.blobs.append(session.id, {}, 1, once(Buffer.from('c')))).rejects.toThrow('no bytes')
})

test('a finished upload is no abandoned one', async () => {
  const registry = await testRegistry()
  const { id } = await openRepository(registry, NAME, ACTOR)
  const { session } = await appendToUpload(registry, startUpload(registry, id), {
    bytes: once(Buffer.from('a')),
  })
  await commitUpload(registry, session, digestOf(Buffer.from('a')), undefined)
  registry.clock.now += 2 * DAY_MS
  expect((await sweep(registry, 'test')).sessions).toBe(0)
  expect(await itemsOf(registry, 'S#')).toHaveLength(1)
})

test('one deletion whose bytes are lost keeps the collector from nothing else, and fsck names it', async () => {
  const registry = await testRegistry({ undoWindowMs: DAY_MS })
  const config = { mediaType: 'application/x', digest: await pushBlob(registry, NAME, '{}'), size: 2 }
  const annotations = { long: 'x'.repeat(70_000) }
  const body = { schemaVersion: 2, mediaType: MANIFEST, config, layers: [], annotations }
  const large = await pushBytes(registry, NAME, 'large', Buffer.from(JSON.stringify(body)), MANIFEST)
  const other = await pushImage(registry, 'library/other', 'v1', { layer: 'other' })
  await deleteReference(registry, NAME, byDigest(large), ACTOR)
  await deleteReference(registry, 'library/other', byDigest(other.digest), ACTOR)
  for (const key of registry.blobs.objects.keys()) if (key.includes('/m/')) registry.blobs.objects.delete(key)
  expect((await fsck(registry)).findings).toEqual([
    expect.objectContaining({ severity: 'error', what: expect.stringContaining('cannot be brought back') }),
  ])
  let failures = 0
  for (let day = 0; day < 8; day++) {
    registry.clock.now += DAY_MS
    const summary = await sweep(registry, 'test')
    expect(summary.state).toBe('done')
    failures += summary.failures
  }
  expect(failures).toBeGreaterThan(0)
  const left = await registry.metadata.get(
    keys.link(await repositoryId(registry, 'library/other'), other.layer),
  )
  expect(left).toBeUndefined()
})
