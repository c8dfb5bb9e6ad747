// Uploads in parts: what continues one, what does not, and what a refused request leaves.
import { expect, test } from 'vitest'
import { digestOf } from '../../lib/oci/digest.ts'
import { appendToUpload } from '../../lib/registry/append-upload.ts'
import { findBlob, openBlob } from '../../lib/registry/blobs.ts'
import { commitUpload } from '../../lib/registry/commit-upload.ts'
import { openRepository } from '../../lib/registry/repositories.ts'
import { cancelUpload, startUpload, uploadOffset } from '../../lib/registry/uploads.ts'
import { before } from './meddling.ts'
import { ACTOR, DAY_MS, HOUR_MS, itemsOf, once, type TestRegistry, testRegistry } from './registry.ts'

const NAME = 'library/app'
const TEXT = 'abcdef'
const DIGEST = digestOf(Buffer.from(TEXT))
const part = (text: string) => ({ bytes: once(Buffer.from(text)) })

async function started(settings: { blobLimitBytes?: number } = {}) {
  const registry = await testRegistry(settings)
  const { id } = await openRepository(registry, NAME, ACTOR)
  return { registry, session: startUpload(registry, id) }
}

async function stored(registry: TestRegistry, digest = DIGEST): Promise<string> {
  const { link } = await findBlob(registry, NAME, digest, false)
  return Buffer.from((await openBlob(registry, link)) as Uint8Array).toString()
}

test('a session is good for an hour until its first part, and for a day after each', async () => {
  const { registry, session } = await started({ blobLimitBytes: 77 })
  const seconds = registry.clock.now / 1000
  expect(session).toMatchObject({ expiresAtEpochSeconds: seconds + 3600, limitBytes: 77, patched: false })
  const next = (await appendToUpload(registry, session, part('abc'))).session
  expect(next).toEqual({ ...session, expiresAtEpochSeconds: seconds + 86_400, patched: true })
})

test('starting an upload stores nothing', async () => {
  const { registry, session } = await started()
  expect(await itemsOf(registry, 'S#')).toEqual([])
  expect(await uploadOffset(registry, session)).toBe(0)
})

test('parts add up to the blob, with or without a last one in the commit', async () => {
  for (const last of [undefined, 'ef']) {
    const { registry, session } = await started()
    const first = await appendToUpload(registry, session, part('ab'))
    expect(first.offset).toBe(2)
    const second = await appendToUpload(registry, first.session, part(last ? 'cd' : 'cdef'))
    expect(second.offset).toBe(last ? 4 : 6)
    expect(await uploadOffset(registry, second.session)).toBe(second.offset)
    await commitUpload(registry, second.session, DIGEST, last ? part(last) : undefined)
    expect(await stored(registry)).toBe(TEXT)
    expect(registry.blobs.objects.size).toBe(1)
  }
})

test('a part that does not start where the upload stands is 416 with the Range so far, and harms nothing', async () => {
  const { registry, session } = await started()
  const { session: next } = await appendToUpload(registry, session, part('abc'))
  for (const contentRange of [
    { start: 4, end: 5 },
    { start: 2, end: 4 },
    { start: 0, end: 2 },
  ])
    await expect(appendToUpload(registry, next, { ...part('xyz'), contentRange })).rejects.toMatchObject({
      code: 'RANGE_INVALID',
      status: 416,
      headers: { Range: '0-2' },
      detail: { offset: 3 },
    })
  await appendToUpload(registry, next, { ...part('def'), contentRange: { start: 3, end: 5 }, lengthBytes: 3 })
  await commitUpload(registry, next, DIGEST, undefined)
  expect(await stored(registry)).toBe(TEXT)
})

test('a Content-Range and a Content-Length that differ are refused before a byte is read', async () => {
  const { registry, session } = await started()
  const body = { ...part('abc'), contentRange: { start: 0, end: 2 }, lengthBytes: 4 }
  await expect(appendToUpload(registry, session, body)).rejects.toMatchObject({
    code: 'SIZE_INVALID',
    message: expect.stringMatching(/ 3 .* 4$/),
    headers: { Range: '0-0' },
  })
  expect(await itemsOf(registry, 'S#')).toEqual([])
})

test('a part with other bytes than announced is refused, and can be sent again', async () => {
  const { registry, session } = await started()
  const { session: next } = await appendToUpload(registry, session, part('abc'))
  for (const announced of [
    { lengthBytes: 3 },
    { contentRange: { start: 3, end: 5 } },
    { contentRange: { start: 3, end: 3 } },
  ]) {
    const cut = appendToUpload(registry, next, { ...part('xx'), ...announced })
    await expect(cut).rejects.toMatchObject({
      code: 'SIZE_INVALID',
      message: expect.stringContaining('2 bytes'),
    })
    expect(await uploadOffset(registry, next)).toBe(3)
  }
  await appendToUpload(registry, next, { ...part('def'), lengthBytes: 3 })
  await commitUpload(registry, next, DIGEST, undefined)
  expect(await stored(registry)).toBe(TEXT)
})

test('parts may add up to the limit and not to more', async () => {
  const { registry, session } = await started({ blobLimitBytes: 6 })
  const { session: next } = await appendToUpload(registry, session, part('abc'))
  await expect(appendToUpload(registry, next, part('defg'))).rejects.toMatchObject({
    code: 'SIZE_INVALID',
    status: 413,
  })
  await appendToUpload(registry, next, part('def'))
  await commitUpload(registry, next, DIGEST, undefined)
  expect(await stored(registry)).toBe(TEXT)
})

test('of two requests that continue one upload the older ends with 416, whichever step it had reached', async () => {
  for (const turn of [0, 1]) {
    const { registry, session } = await started()
    const { session: next } = await appendToUpload(registry, session, part('abc'))
    const slow = before(registry, 'transact', () => appendToUpload(registry, next, part('def')), turn)
    await expect(appendToUpload(slow, next, part('xx'))).rejects.toMatchObject({
      code: 'RANGE_INVALID',
      status: 416,
      headers: { Range: '0-2' },
    })
    expect(await uploadOffset(registry, next)).toBe(6)
    await commitUpload(registry, next, DIGEST, undefined)
    expect(await stored(registry)).toBe(TEXT)
  }
})

test('two first parts at once: one is accepted, the other gets 416', async () => {
  const { registry, session } = await started()
  const slow = before(registry, 'transact', () => appendToUpload(registry, session, part('abc')))
  await expect(appendToUpload(slow, session, part('xx'))).rejects.toMatchObject({ code: 'RANGE_INVALID' })
  expect(await uploadOffset(registry, session)).toBe(3)
})

test('a cancelled upload is unknown to whoever goes on with it, and its bytes are gone', async () => {
  const { registry, session } = await started()
  const { session: next } = await appendToUpload(registry, session, part('abc'))
  await cancelUpload(registry, next)
  const gone = { code: 'BLOB_UPLOAD_UNKNOWN', status: 404, message: expect.stringContaining('cancelled') }
  await expect(uploadOffset(registry, next)).rejects.toMatchObject(gone)
  await expect(appendToUpload(registry, next, part('def'))).rejects.toMatchObject(gone)
  await expect(commitUpload(registry, next, DIGEST, part('def'))).rejects.toMatchObject(gone)
  await expect(cancelUpload(registry, next)).rejects.toMatchObject(gone)
  await expect(registry.blobs.append(next.id, {}, 3, once(Buffer.from('def')))).rejects.toThrow('no bytes')
})

test('an upload cancelled before its first part cannot be finished either', async () => {
  const { registry, session } = await started()
  await cancelUpload(registry, session)
  await expect(commitUpload(registry, session, DIGEST, part(TEXT))).rejects.toMatchObject({
    code: 'BLOB_UPLOAD_UNKNOWN',
  })
  expect(registry.blobs.objects.size).toBe(0)
})

test('cancelling an upload that just went on is 416', async () => {
  const { registry, session } = await started()
  const slow = before(registry, 'transact', () => appendToUpload(registry, session, part('abc')))
  await expect(cancelUpload(slow, session)).rejects.toMatchObject({ code: 'RANGE_INVALID', status: 416 })
  expect(await uploadOffset(registry, session)).toBe(3)
})

test('what a session leaves says when it may vanish: a day after its end, and not before it', async () => {
  const { registry, session } = await started()
  const { session: next } = await appendToUpload(registry, session, part(TEXT))
  expect((await itemsOf(registry, 'S#'))[0]!.expiresAtEpochSeconds).toBeUndefined()
  registry.clock.now += HOUR_MS
  await commitUpload(registry, next, DIGEST, undefined)
  expect(await itemsOf(registry, 'S#')).toMatchObject([
    { expiresAtEpochSeconds: (registry.clock.now + DAY_MS) / 1000, attributes: { state: 'done' } },
  ])
})
