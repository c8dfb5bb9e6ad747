// Blobs that clients put into the store themselves, and what the registry makes of them.
import { expect, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/oci/digest.ts'
import { deleteBlob, findBlob } from '../../lib/registry/blobs.ts'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { registerDirectUpload } from '../../lib/registry/direct-uploads.ts'
import { sweep } from '../../lib/registry/gc/sweep.ts'
import { keys } from '../../lib/registry/keys.ts'
import { findManifest, putManifest } from '../../lib/registry/manifests.ts'
import { mountFrom } from '../../lib/registry/mounts.ts'
import { objectKeys } from '../../lib/registry/object-keys.ts'
import { openRepository } from '../../lib/registry/repositories.ts'
import { deleteRepository } from '../../lib/registry/repository-deletion.ts'
import { startUpload } from '../../lib/registry/uploads.ts'
import { ACTOR, DAY_MS, HOUR_MS, MANIFEST, once, type TestRegistry, testRegistry } from './registry.ts'

const NAME = 'library/app'
const LAYER = Buffer.from('a layer of the client')
const CONFIG = Buffer.from('{}')

/** As the edge does it: nothing but the object. @returns its key */
async function putDirectly(
  registry: TestRegistry,
  bytes: Uint8Array,
  digest = digestOf(bytes),
): Promise<string> {
  const repository = await openRepository(registry, NAME, ACTOR)
  const key = objectKeys.direct(repository.id, digest, startUpload(registry, repository.id).id)
  await registry.blobs.put(key, once(bytes))
  return key
}

async function putImage(registry: TestRegistry): Promise<Digest> {
  const described = (bytes: Uint8Array) => ({
    mediaType: 'application/octet-stream',
    digest: digestOf(bytes),
    size: bytes.length,
  })
  const body = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: described(CONFIG),
    layers: [described(LAYER)],
  }
  const content = { bytes: Buffer.from(JSON.stringify(body)), contentType: MANIFEST }
  return (await putManifest(registry, NAME, { kind: 'tag', tag: 'v1' }, content, [], ACTOR)).digest
}

const cloud = () => testRegistry({ directUploads: true })

test('a manifest is accepted although no event told of its blobs yet', async () => {
  const registry = await cloud()
  await putDirectly(registry, LAYER)
  await putDirectly(registry, CONFIG)
  const digest = await putImage(registry)
  expect((await findManifest(registry, NAME, { kind: 'tag', tag: 'v1' })).record.digest).toBe(digest)
  expect((await findBlob(registry, NAME, digestOf(LAYER), false)).link.sizeBytes).toBe(LAYER.length)
})

test('whoever may push finds a blob that was just uploaded, whoever only pulls does not look', async () => {
  const registry = await cloud()
  await putDirectly(registry, LAYER)
  await expect(findBlob(registry, NAME, digestOf(LAYER), false)).rejects.toMatchObject({
    code: 'BLOB_UNKNOWN',
  })
  await findBlob(registry, NAME, digestOf(LAYER), true)
  await findBlob(registry, NAME, digestOf(LAYER), false)
})

test('what was just uploaded can be read and deleted at once by whoever may push', async () => {
  const registry = await cloud()
  await putDirectly(registry, LAYER)
  expect((await findBlob(registry, NAME, digestOf(LAYER), false, () => true)).link.sizeBytes).toBe(
    LAYER.length,
  )
  await putDirectly(registry, CONFIG)
  await deleteBlob(registry, NAME, digestOf(CONFIG))
  await expect(findBlob(registry, NAME, digestOf(CONFIG), false, () => true)).rejects.toMatchObject({
    code: 'BLOB_UNKNOWN',
  })
})

test('two blobs put into one session are both there, and stay deleted when they are deleted', async () => {
  const registry = await cloud()
  const repository = await openRepository(registry, NAME, ACTOR)
  const { id } = startUpload(registry, repository.id)
  const keysOfBoth = [LAYER, CONFIG].map((bytes) => objectKeys.direct(repository.id, digestOf(bytes), id))
  for (const [at, bytes] of [LAYER, CONFIG].entries()) await registry.blobs.put(keysOfBoth[at]!, once(bytes))
  for (const key of keysOfBoth) expect(await registerDirectUpload(registry, key)).toBe('registered')
  for (const bytes of [LAYER, CONFIG]) await deleteBlob(registry, NAME, digestOf(bytes))
  for (const key of keysOfBoth) expect(await registerDirectUpload(registry, key)).toBe('known')
})

test('a mount finds its source although no event told of it yet', async () => {
  const registry = await cloud()
  const large = Buffer.alloc(70_000, 'x')
  await putDirectly(registry, large)
  const target = await openRepository(registry, 'library/other', ACTOR)
  expect(await mountFrom(registry, target, digestOf(large), NAME)).toBe(true)
})

test('an event that comes twice, or after somebody looked, changes nothing', async () => {
  const registry = await cloud()
  const key = await putDirectly(registry, LAYER)
  expect(await registerDirectUpload(registry, key)).toBe('registered')
  expect(await registerDirectUpload(registry, key)).toBe('known')
  const other = await putDirectly(registry, CONFIG)
  await findBlob(registry, NAME, digestOf(CONFIG), true)
  expect(await registerDirectUpload(registry, other)).toBe('known')
})

test('an event does not bring back a blob that was deleted since', async () => {
  const registry = await cloud()
  const key = await putDirectly(registry, LAYER)
  await putDirectly(registry, CONFIG)
  await deleteReference(registry, NAME, { kind: 'digest', digest: await putImage(registry) }, ACTOR)
  for (let day = 0; day < 12; day++) {
    registry.clock.now += DAY_MS
    await sweep(registry, 'test')
    expect(['known', 'gone']).toContain(await registerDirectUpload(registry, key))
  }
  expect(registry.blobs.objects.size).toBe(0)
})

test('of two uploads of one blob one is linked, and the other is freed after an hour', async () => {
  const registry = await cloud()
  const keysOfUploads = [await putDirectly(registry, LAYER), await putDirectly(registry, LAYER)]
  for (const key of keysOfUploads) expect(await registerDirectUpload(registry, key)).toBe('registered')
  registry.clock.now += 2 * HOUR_MS
  await sweep(registry, 'test')
  const { link } = await findBlob(registry, NAME, digestOf(LAYER), false)
  expect([...registry.blobs.objects.keys()]).toEqual([link.object])
})

test('an upload that nobody registered stays for the push grace and is gone after it', async () => {
  const registry = await testRegistry({ directUploads: true, pushGraceMs: 3 * DAY_MS })
  await putDirectly(registry, LAYER)
  registry.clock.now += 2 * DAY_MS
  await sweep(registry, 'test')
  expect(registry.blobs.objects.size).toBe(1)
  registry.clock.now += 2 * DAY_MS
  await sweep(registry, 'test')
  expect(registry.blobs.objects.size).toBe(0)
})

test('an object whose bytes the store found to be others is not linked', async () => {
  const registry = await cloud()
  const key = await putDirectly(registry, LAYER)
  const { stat } = registry.blobs
  registry.blobs.stat = async (asked) => {
    const found = await stat(asked)
    return found && { ...found, sha256: digestOf(CONFIG).slice('sha256:'.length) }
  }
  expect(await registerDirectUpload(registry, key)).toBe('refused')
  await expect(findBlob(registry, NAME, digestOf(LAYER), true)).rejects.toMatchObject({
    code: 'BLOB_UNKNOWN',
  })
})

test('an event names an object and is believed for nothing else', async () => {
  const registry = await cloud()
  await openRepository(registry, NAME, ACTOR)
  const hex = digestOf(LAYER).slice('sha256:'.length)
  for (const key of [
    'b/x',
    'c/r/sha256/00/s',
    `b/../sha256/${hex}/s`,
    `b/r/sha512/${hex}/s`,
    `b/r/sha256/${hex}/s`,
  ])
    expect(await registerDirectUpload(registry, key)).toBe('gone')
})

test('an upload into a repository that was deleted is not linked', async () => {
  const registry = await cloud()
  const key = await putDirectly(registry, LAYER)
  await deleteRepository(registry, NAME, ACTOR)
  expect(await registerDirectUpload(registry, key)).toBe('gone')
  const again = await openRepository(registry, NAME, ACTOR)
  expect(await registry.metadata.get(keys.link(again.id, digestOf(LAYER)))).toBeUndefined()
})
