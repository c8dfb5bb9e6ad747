// The end of an upload: the digest it must have, repeated commits, and commits that crash or meet.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/oci/digest.ts'
import { appendToUpload } from '../../lib/registry/append-upload.ts'
import { findBlob, openBlob } from '../../lib/registry/blobs.ts'
import { commitUpload } from '../../lib/registry/commit-upload.ts'
import { openRepository } from '../../lib/registry/repositories.ts'
import type { Session } from '../../lib/registry/session-token.ts'
import { cancelUpload, expireSession, startUpload, uploadOffset } from '../../lib/registry/uploads.ts'
import { before } from './meddling.ts'
import { ACTOR, HOUR_MS, itemsOf, once, type TestRegistry, testRegistry } from './registry.ts'

const NAME = 'library/app'
const TEXT = 'abcdef'
const DIGEST = digestOf(Buffer.from(TEXT))
const OTHER = digestOf(Buffer.from('other'))
const SHA512 = `sha512:${createHash('sha512').update(TEXT).digest('hex')}` as Digest
const part = (text: string) => ({ bytes: once(Buffer.from(text)) })
const fail = () => {
  throw new Error('the power went')
}

async function started(): Promise<{ registry: TestRegistry; session: Session }> {
  const registry = await testRegistry()
  const { id } = await openRepository(registry, NAME, ACTOR)
  return { registry, session: startUpload(registry, id) }
}

async function patched(text = TEXT): Promise<{ registry: TestRegistry; session: Session }> {
  const { registry, session } = await started()
  return { registry, session: (await appendToUpload(registry, session, part(text))).session }
}

async function expectStored(registry: TestRegistry, digest = DIGEST): Promise<void> {
  const { link } = await findBlob(registry, NAME, digest, false)
  expect(Buffer.from((await openBlob(registry, link)) as Uint8Array).toString()).toBe(TEXT)
  expect(registry.blobs.objects.size).toBe(1)
}

test('a whole body with another digest is refused and leaves nothing', async () => {
  const { registry, session } = await started()
  await expect(commitUpload(registry, session, OTHER, part(TEXT))).rejects.toMatchObject({
    code: 'DIGEST_INVALID',
    detail: { expected: OTHER, actual: DIGEST, sizeBytes: 6 },
  })
  expect(registry.blobs.objects.size).toBe(0)
  await commitUpload(registry, session, DIGEST, part(TEXT))
  await expectStored(registry)
})

test('a whole body larger than the limit is refused with 413', async () => {
  const { registry, session } = await started()
  const limited = { ...session, limitBytes: 5 }
  await expect(commitUpload(registry, limited, DIGEST, part(TEXT))).rejects.toMatchObject({ status: 413 })
  expect(registry.blobs.objects.size).toBe(0)
})

test('a commit without a body is the empty blob', async () => {
  const { registry, session } = await started()
  const empty = digestOf(new Uint8Array())
  await commitUpload(registry, session, empty, undefined)
  expect((await findBlob(registry, NAME, empty, false)).link.sizeBytes).toBe(0)
})

test('a whole body that is not what its Content-Range says leaves nothing', async () => {
  for (const [contentRange, code] of [
    [{ start: 0, end: 9 }, 'SIZE_INVALID'],
    [{ start: 0, end: 4 }, 'SIZE_INVALID'],
    [{ start: 1, end: 6 }, 'RANGE_INVALID'],
  ] as const) {
    const { registry, session } = await started()
    const commit = commitUpload(registry, session, DIGEST, { ...part(TEXT), contentRange })
    await expect(commit).rejects.toMatchObject({ code })
    expect(registry.blobs.objects.size).toBe(0)
  }
  const { registry, session } = await started()
  await commitUpload(registry, session, DIGEST, { ...part(TEXT), contentRange: { start: 0, end: 5 } })
  await expectStored(registry)
})

test('parts that add up to another digest can still be committed as what they are', async () => {
  const { registry, session } = await patched()
  await expect(commitUpload(registry, session, OTHER, undefined)).rejects.toMatchObject({
    code: 'DIGEST_INVALID',
    detail: { expected: OTHER, actual: DIGEST },
  })
  expect(await uploadOffset(registry, session)).toBe(6)
  await commitUpload(registry, session, DIGEST, undefined)
  await expectStored(registry)
})

test('parts are hashed as what they are asked to be: sha512 too', async () => {
  const { registry, session } = await patched()
  await commitUpload(registry, session, SHA512, undefined)
  await expectStored(registry, SHA512)
})

test('parts that are not the sha512 asked for end the upload, and their bytes go', async () => {
  const { registry, session } = await patched('altered')
  await expect(commitUpload(registry, session, SHA512, undefined)).rejects.toMatchObject({
    code: 'DIGEST_INVALID',
    detail: { expected: SHA512, sizeBytes: 7 },
  })
  await expect(uploadOffset(registry, session)).rejects.toMatchObject({
    code: 'BLOB_UPLOAD_UNKNOWN',
    message: expect.stringContaining('cancelled'),
  })
  expect(registry.blobs.objects.size).toBe(0)
  await expect(findBlob(registry, NAME, SHA512, false)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' })
})

test('an upload another process continues is read back at its commit', async () => {
  for (const [last, code] of [
    ['def', undefined],
    ['xyz', 'DIGEST_INVALID'],
  ] as const) {
    const { registry, session } = await patched('abc')
    const other = { ...registry }
    await appendToUpload(other, session, part(last))
    const commit = commitUpload(other, session, DIGEST, undefined)
    if (code) await expect(commit).rejects.toMatchObject({ code })
    else await commit.then(() => expectStored(registry))
  }
})

test('a part continued elsewhere makes a hash kept here worthless', async () => {
  const { registry, session } = await patched('ab')
  await appendToUpload({ ...registry }, session, part('cd'))
  await appendToUpload(registry, session, part('ef'))
  await commitUpload(registry, session, DIGEST, undefined)
  await expectStored(registry)
})

test('a repeated commit says again that it is done, one for another digest that the session is over', async () => {
  for (const { registry, session } of [await started(), await patched()]) {
    await commitUpload(registry, session, DIGEST, session.patched ? undefined : part(TEXT))
    registry.clock.now += 23 * HOUR_MS
    await commitUpload(registry, session, DIGEST, part(TEXT))
    await expect(commitUpload(registry, session, OTHER, part('other'))).rejects.toMatchObject({
      code: 'BLOB_UPLOAD_UNKNOWN',
      message: expect.stringContaining(DIGEST),
    })
    await expect(cancelUpload(registry, session)).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' })
    await expectStored(registry)
  }
})

test('a session in parts that was forgotten is unknown, whatever the commit brings', async () => {
  const { registry, session } = await patched()
  registry.clock.now += 25 * HOUR_MS
  expect(await expireSession(registry, session.id, registry.clock.now)).toBe('expired')
  await expect(commitUpload(registry, session, DIGEST, part(TEXT))).rejects.toMatchObject({
    code: 'BLOB_UPLOAD_UNKNOWN',
  })
})

test('a commit that crashed at any step is finished by its repeat', async () => {
  for (const method of ['complete', 'transact'] as const)
    for (const turn of [0, 1]) {
      const { registry, session } = await patched()
      await commitUpload(before(registry, method, fail, turn), session, DIGEST, undefined).catch(() => {})
      await commitUpload(registry, session, DIGEST, undefined)
      await expectStored(registry)
    }
})

test('a commit that is under way is not another one, and takes no more parts', async () => {
  const { registry, session } = await patched()
  await expect(commitUpload(before(registry, 'complete', fail), session, DIGEST, undefined)).rejects.toThrow(
    'the power went',
  )
  await expect(commitUpload(registry, session, OTHER, undefined)).rejects.toMatchObject({
    code: 'BLOB_UPLOAD_INVALID',
    message: expect.stringContaining(DIGEST),
  })
  await expect(appendToUpload(registry, session, part('x'))).rejects.toMatchObject({
    code: 'BLOB_UPLOAD_UNKNOWN',
  })
})

test('two commits of one session at once both succeed, and one object is left', async () => {
  for (const [{ registry, session }, turn] of [
    [await started(), 0],
    [await patched(), 0],
    [await patched(), 1],
  ] as const) {
    const body = () => (session.patched ? undefined : part(TEXT))
    const slow = before(registry, 'transact', () => commitUpload(registry, session, DIGEST, body()), turn)
    await commitUpload(slow, session, DIGEST, body())
    await expectStored(registry)
  }
})

test('a commit that ends after its session was cancelled fails', async () => {
  const { registry, session } = await patched()
  const end = { state: 'cancelled', epoch: 9, offset: 0, v: 1, repositoryId: session.repositoryId }
  const slow = before(
    registry,
    'transact',
    async () => {
      const item = (await itemsOf(registry, 'S#'))[0]!
      const attributes = { ...end, changedAtMs: registry.clock.now }
      await registry.metadata.batchWrite([{ kind: 'put', item: { ...item, attributes } }])
    },
    1,
  )
  await expect(commitUpload(slow, session, DIGEST, undefined)).rejects.toMatchObject({
    code: 'BLOB_UPLOAD_UNKNOWN',
  })
  await expect(findBlob(registry, NAME, DIGEST, false)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' })
})

test('a commit that a further part overtakes gets 416', async () => {
  const { registry, session } = await patched()
  const slow = before(registry, 'transact', () => appendToUpload(registry, session, part('more')))
  await expect(commitUpload(slow, session, DIGEST, undefined)).rejects.toMatchObject({
    code: 'RANGE_INVALID',
    headers: { Range: '0-5' },
  })
  expect(await uploadOffset(registry, session)).toBe(10)
})

test('an upload whose bytes are missing at its commit is invalid', async () => {
  const { registry, session } = await patched()
  const slow = before(registry, 'open', () => registry.blobs.objects.clear())
  await expect(commitUpload(slow, session, SHA512, undefined)).rejects.toMatchObject({
    code: 'BLOB_UPLOAD_INVALID',
  })
})
