// When things go, and when they do not: the windows of docs/gc.md, one at a time.
import { expect, test } from 'vitest'
import { digestOf } from '../../lib/oci/digest.ts'
import { appendToUpload } from '../../lib/registry/append-upload.ts'
import { findBlob } from '../../lib/registry/blobs.ts'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { listSweeps, readLedger } from '../../lib/registry/gc/ledger.ts'
import { sweep } from '../../lib/registry/gc/sweep.ts'
import { keys } from '../../lib/registry/keys.ts'
import { findManifest } from '../../lib/registry/manifests.ts'
import { mountFrom } from '../../lib/registry/mounts.ts'
import { listReferrers } from '../../lib/registry/referrers.ts'
import { relay } from '../../lib/registry/relay.ts'
import { openRepository } from '../../lib/registry/repositories.ts'
import { undo } from '../../lib/registry/undo.ts'
import { startUpload } from '../../lib/registry/uploads.ts'
import {
  ACTOR,
  byDigest,
  byTag,
  DAY_MS,
  HOUR_MS,
  itemsOf,
  once,
  pushBlob,
  pushImage,
  pushIndex,
  repositoryId,
  type TestRegistry,
  testRegistry,
} from './registry.ts'

const NAME = 'library/app'

/** Turns the clock in steps of six hours, with a sweep after each. @returns bytes freed */
async function pass(registry: TestRegistry, days: number): Promise<number> {
  let freed = 0
  for (let step = 0; step < days * 4; step++) {
    registry.clock.now += 6 * HOUR_MS
    await relay(registry)
    freed += (await sweep(registry, 'test')).freedBytes
  }
  return freed
}

test('an unreferenced upload stays a day and is gone within four', async () => {
  const registry = await testRegistry()
  const blob = await pushBlob(registry, NAME, 'x'.repeat(100))
  expect(await pass(registry, 1)).toBe(0)
  await findBlob(registry, NAME, blob, false)
  expect(await pass(registry, 3)).toBe(100)
  await expect(findBlob(registry, NAME, blob, false)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' })
  expect(registry.blobs.objects.size).toBe(0)
})

test('an upload somebody who may push asked for stays longer, one that was only pulled does not', async () => {
  const registry = await testRegistry()
  const [used, pulled] = [await pushBlob(registry, NAME, 'used'), await pushBlob(registry, NAME, 'pulled')]
  for (let day = 0; day < 6; day++) {
    await pass(registry, 1)
    await findBlob(registry, NAME, used, true)
    await findBlob(registry, NAME, pulled, false).catch(() => {})
  }
  await findBlob(registry, NAME, used, false)
  await expect(findBlob(registry, NAME, pulled, false)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' })
})

test('a tagged image stays for good', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  expect(await pass(registry, 60)).toBe(0)
  expect((await findManifest(registry, NAME, byTag('v1'))).bytes).toEqual(new Uint8Array(image.bytes))
  await findBlob(registry, NAME, image.layer, false)
})

test('a deleted image can be undone while the window lasts, and is gone with its bytes after it', async () => {
  const registry = await testRegistry({ undoWindowMs: 3 * DAY_MS })
  const image = await pushImage(registry, NAME, 'v1')
  await deleteReference(registry, NAME, byDigest(image.digest), ACTOR)
  await pass(registry, 2)
  await undo(registry, NAME, byDigest(image.digest), ACTOR)
  expect((await findManifest(registry, NAME, byTag('v1'))).record.digest).toBe(image.digest)
  await deleteReference(registry, NAME, byDigest(image.digest), ACTOR)
  await pass(registry, 4)
  await expect(undo(registry, NAME, byDigest(image.digest), ACTOR)).rejects.toMatchObject({
    code: 'MANIFEST_UNKNOWN',
  })
  await pass(registry, 4)
  expect(registry.blobs.objects.size).toBe(0)
})

test('with no undo window a deletion is final at once', async () => {
  const registry = await testRegistry({ undoWindowMs: 0 })
  const image = await pushImage(registry, NAME, 'v1')
  await deleteReference(registry, NAME, byDigest(image.digest), ACTOR)
  await expect(undo(registry, NAME, byDigest(image.digest), ACTOR)).rejects.toMatchObject({
    code: 'MANIFEST_UNKNOWN',
  })
  expect(await pass(registry, 4)).toBe(7)
})

test('an untagged manifest expires after the window, unless its project keeps such', async () => {
  for (const keepUntagged of [false, true]) {
    const registry = await testRegistry({ undoWindowMs: 2 * DAY_MS }, { keepUntagged })
    const image = await pushImage(registry, NAME, undefined)
    await pass(registry, 2)
    await findManifest(registry, NAME, byDigest(image.digest))
    await pass(registry, 12)
    const found = await findManifest(registry, NAME, byDigest(image.digest)).catch(() => undefined)
    expect(found === undefined).toBe(!keepUntagged)
  }
})

test('children stay while their index does, and follow it', async () => {
  const registry = await testRegistry({ undoWindowMs: DAY_MS })
  const child = await pushImage(registry, NAME, undefined)
  const index = await pushIndex(registry, NAME, 'all', [child])
  await pass(registry, 20)
  await findManifest(registry, NAME, byDigest(child.digest))
  await deleteReference(registry, NAME, byDigest(index), ACTOR)
  await pass(registry, 20)
  await expect(findManifest(registry, NAME, byDigest(child.digest))).rejects.toMatchObject({
    code: 'MANIFEST_UNKNOWN',
  })
  expect(registry.blobs.objects.size).toBe(0)
})

test('referrers stay while their subject does, and follow it once its window has ended', async () => {
  const registry = await testRegistry({ undoWindowMs: DAY_MS })
  const subject = await pushImage(registry, NAME, 'v1')
  const referrer = await pushImage(registry, NAME, undefined, { layer: 'sbom', subject: subject.digest })
  await pass(registry, 20)
  expect((await listReferrers(registry, NAME, subject.digest, {})).descriptors).toHaveLength(1)
  await deleteReference(registry, NAME, byDigest(subject.digest), ACTOR)
  await pass(registry, 12)
  await expect(findManifest(registry, NAME, byDigest(referrer.digest))).rejects.toMatchObject({
    code: 'MANIFEST_UNKNOWN',
  })
  expect((await listReferrers(registry, NAME, subject.digest, {})).descriptors).toEqual([])
})

test('referrers come in pages that together hold each of them once', async () => {
  const registry = await testRegistry()
  const subject = (await pushImage(registry, NAME, 'v1')).digest
  const repo = await repositoryId(registry, NAME)
  const descriptors = Array.from({ length: 1203 }, (_, number) => ({
    mediaType: 'application/x',
    digest: digestOf(Buffer.from(String(number))),
    size: 1,
    artifactType: number % 3 === 0 ? 'rare' : 'common',
  }))
  await registry.metadata.batchWrite(
    descriptors.map((descriptor) => ({
      kind: 'put',
      item: { ...keys.referrer(repo, subject, descriptor.digest), attributes: { v: 1, descriptor } },
    })),
  )
  for (const artifactType of [undefined, 'rare']) {
    const seen: string[] = []
    let after: string | undefined
    do {
      const filter = { ...(artifactType ? { artifactType } : {}), ...(after ? { after } : {}) }
      const page = await listReferrers(registry, NAME, subject, filter)
      expect(page.descriptors.length).toBeLessThanOrEqual(500)
      seen.push(...page.descriptors.map((each) => each.digest))
      after = page.next
    } while (after)
    const wanted = descriptors.filter((each) => !artifactType || each.artifactType === artifactType)
    expect(seen).toEqual(wanted.map((each) => each.digest).sort())
  }
})

test('a mounted object stays until the last repository that links it lets go', async () => {
  const registry = await testRegistry({ undoWindowMs: 0 })
  const large = 'y'.repeat(70_000)
  const source = await pushImage(registry, 'library/source', 'v1', { layer: large })
  const target = await openRepository(registry, 'library/target', ACTOR)
  expect(await mountFrom(registry, target, source.layer, 'library/source')).toBe(true)
  const before = registry.blobs.objects.size
  await pushImage(registry, 'library/target', 'v1', { layer: large })
  await pass(registry, 3)
  await deleteReference(registry, 'library/source', byDigest(source.digest), ACTOR)
  await pass(registry, 6)
  await findBlob(registry, 'library/target', source.layer, false)
  expect(before).toBeGreaterThan(0)
  expect([...registry.blobs.objects.values()].filter((each) => each.bytes.length === 70_000)).toHaveLength(1)
  await deleteReference(registry, 'library/target', byDigest(source.digest), ACTOR)
  await pass(registry, 6)
  expect(registry.blobs.objects.size).toBe(0)
})

test('an upload in parts that nobody continues is forgotten', async () => {
  const registry = await testRegistry()
  const { id } = await openRepository(registry, NAME, ACTOR)
  await appendToUpload(registry, startUpload(registry, id), { bytes: once(Buffer.from('part')) })
  expect(await itemsOf(registry, 'S#')).toHaveLength(1)
  await pass(registry, 3)
  expect(await itemsOf(registry, 'S#')).toHaveLength(0)
})

test('bytes that a crash left without a record are found by the inventory after a day', async () => {
  const registry = await testRegistry()
  await registry.blobs.put('b/some/u/orphan', once(Buffer.from('orphan')))
  await pass(registry, 1)
  expect(registry.blobs.objects.size).toBe(1)
  await pass(registry, 2)
  expect(registry.blobs.objects.size).toBe(0)
})

test('each sweep is recorded, and its ledger adds up to what it freed', async () => {
  const registry = await testRegistry()
  await pushBlob(registry, NAME, 'x'.repeat(300))
  await pass(registry, 5)
  const sweeps = await listSweeps(registry, 100)
  expect(sweeps).toHaveLength(20)
  let freed = 0
  for (const each of sweeps) {
    const lines = await Array.fromAsync(readLedger(registry, each.id))
    const sum = lines.reduce((total, line) => total + line.freedBytes, 0)
    expect(sum).toBe(each.freedBytes)
    expect(lines.filter((line) => line.what === 'object')).toHaveLength(each.objects)
    expect(each).toMatchObject({ state: 'done', trigger: 'test' })
    freed += sum
  }
  expect(freed).toBe(300)
})

test('a sweep that fails is recorded as failed, with the reason', async () => {
  const registry = await testRegistry()
  await pushBlob(registry, NAME, 'x')
  registry.clock.now += 4 * DAY_MS
  const broken = {
    ...registry,
    metadata: { ...registry.metadata, get: () => Promise.reject(new Error('the store is down')) },
  }
  await expect(sweep(broken, 'test')).rejects.toThrow('the store is down')
  expect((await listSweeps(registry, 1))[0]).toMatchObject({ state: 'failed', error: 'the store is down' })
})
