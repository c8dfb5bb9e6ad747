// Uploads nobody finishes: when one is given up, what of it goes, and what is left to the collector.
import { expect, test } from 'vitest'
import { digestOf } from '../../lib/oci/digest.ts'
import { appendToUpload } from '../../lib/registry/append-upload.ts'
import { commitUpload } from '../../lib/registry/commit-upload.ts'
import { sweep } from '../../lib/registry/gc/sweep.ts'
import { openRepository } from '../../lib/registry/repositories.ts'
import { cancelUpload, expireSession, startUpload, uploadOffset } from '../../lib/registry/uploads.ts'
import { before } from './meddling.ts'
import { ACTOR, DAY_MS, HOUR_MS, itemsOf, once, testRegistry } from './registry.ts'

const NAME = 'library/app'
const DIGEST = digestOf(Buffer.from('abc'))
const part = (text: string) => ({ bytes: once(Buffer.from(text)) })
const die = () => {
  throw new Error('the power went')
}

async function patched() {
  const registry = await testRegistry()
  const { id } = await openRepository(registry, NAME, ACTOR)
  const { session } = await appendToUpload(registry, startUpload(registry, id), part('abc'))
  return { registry, session, lastPartAtMs: registry.clock.now }
}

test('an upload is given up once its last part is as old as told, not a millisecond earlier', async () => {
  const { registry, session, lastPartAtMs } = await patched()
  expect(await expireSession(registry, session.id, lastPartAtMs - 1)).toBe('busy')
  expect(await uploadOffset(registry, session)).toBe(3)
  expect(await expireSession(registry, session.id, lastPartAtMs)).toBe('expired')
  expect(await itemsOf(registry, 'S#')).toEqual([])
  await expect(commitUpload(registry, session, DIGEST, undefined)).rejects.toMatchObject({
    code: 'BLOB_UPLOAD_UNKNOWN',
  })
})

test('an upload that is over, or that nobody knows, is not given up', async () => {
  const { registry, session, lastPartAtMs } = await patched()
  await commitUpload(registry, session, DIGEST, undefined)
  expect(await expireSession(registry, session.id, lastPartAtMs)).toBe('over')
  expect(await expireSession(registry, 'nobody', lastPartAtMs)).toBe('over')
  await commitUpload(registry, session, DIGEST, undefined)
})

test('an upload that goes on while it is given up goes on', async () => {
  const { registry, session, lastPartAtMs } = await patched()
  const slow = before(registry, 'transact', () => appendToUpload(registry, session, part('def')))
  expect(await expireSession(slow, session.id, lastPartAtMs)).toBe('busy')
  expect(await uploadOffset(registry, session)).toBe(6)
  await commitUpload(registry, session, digestOf(Buffer.from('abcdef')), undefined)
})

test('an upload that is given up while it is committed cannot be committed', async () => {
  for (const [turn, code] of [
    [0, 'RANGE_INVALID'],
    [1, 'BLOB_UPLOAD_UNKNOWN'],
  ] as const) {
    const { registry, session, lastPartAtMs } = await patched()
    const giveUp = () => expireSession(registry, session.id, lastPartAtMs)
    const slow = before(registry, 'transact', giveUp, turn)
    await expect(commitUpload(slow, session, DIGEST, undefined)).rejects.toMatchObject({ code })
    expect(await itemsOf(registry, 'L#')).toEqual([])
  }
})

test('bytes of a commit that died before it linked them go soon after the upload is given up', async () => {
  const { registry, session } = await patched()
  await expect(
    commitUpload(before(registry, 'transact', die, 1), session, DIGEST, undefined),
  ).rejects.toThrow()
  const [object] = registry.blobs.objects.keys()
  const left = async () =>
    (await itemsOf(registry, 'GC#')).filter((item) => item.attributes.object === object)
  expect(await left()).toEqual([])
  expect(await expireSession(registry, session.id, registry.clock.now)).toBe('expired')
  expect(await left()).toHaveLength(1)
  registry.clock.now += HOUR_MS
  await sweep(registry, 'test')
  expect(registry.blobs.objects.size).toBe(0)
})

test('an upload given up before its commit leaves no object to look for', async () => {
  const { registry, session, lastPartAtMs } = await patched()
  await expireSession(registry, session.id, lastPartAtMs)
  const candidates = (await itemsOf(registry, 'GC#')).map((item) => item.attributes.kind)
  expect(candidates).toEqual(['session'])
})

test('what a cancelled upload leaves may vanish a day later', async () => {
  const { registry, session } = await patched()
  await cancelUpload(registry, session)
  expect(await itemsOf(registry, 'S#')).toMatchObject([
    { attributes: { state: 'cancelled' }, expiresAtEpochSeconds: (registry.clock.now + DAY_MS) / 1000 },
  ])
})

test('bytes that were hashed on their way are not read back, those of another process are', async () => {
  for (const elsewhere of [false, true]) {
    const { registry, session } = await patched()
    let reads = 0
    const counted = before(registry, 'open', () => (reads += 1), 'every')
    const fresh = startUpload(registry, session.repositoryId)
    const upload = (await appendToUpload(counted, fresh, part('ab'))).session
    await appendToUpload(elsewhere ? registry : counted, upload, part('c'))
    await commitUpload(counted, upload, DIGEST, undefined)
    expect(reads).toBe(elsewhere ? 1 : 0)
  }
})
