// Scrub: every blob is read, what is wrong is marked, and nothing else is.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/oci/digest.ts'
import { commitUpload } from '../../lib/registry/commit-upload.ts'
import { fsck } from '../../lib/registry/fsck.ts'
import { readLink } from '../../lib/registry/links.ts'
import { openRepository } from '../../lib/registry/repositories.ts'
import { scrub } from '../../lib/registry/scrub.ts'
import { startUpload } from '../../lib/registry/uploads.ts'
import { before } from './meddling.ts'
import { ACTOR, once, pushBlob, pushImage, repositoryId, testRegistry } from './registry.ts'

const NAME = 'library/app'

/** A repository with a config of 2 bytes and a layer of 5. */
async function pushed() {
  const registry = await testRegistry()
  const { layer } = await pushImage(registry, NAME, 'v1')
  const repo = await repositoryId(registry, NAME)
  const link = async () => (await readLink(registry, repo, layer))!
  return { registry, layer, repo, link, stored: registry.blobs.objects.get((await link()).object)! }
}

test('a scrub reads every blob, in either algorithm, and tells how far it is', async () => {
  const { registry } = await pushed()
  const { id } = await openRepository(registry, NAME, ACTOR)
  const bytes = Buffer.from('other')
  const digest = `sha512:${createHash('sha512').update(bytes).digest('hex')}` as Digest
  await commitUpload(registry, startUpload(registry, id), digest, { bytes: once(bytes) })
  const progress: number[] = []
  const whole = await scrub(registry, (report) => progress.push(report.blobs))
  expect(whole).toEqual({ blobs: 3, bytes: 12, corrupt: [] })
  expect(progress).toEqual([1, 2, 3])
})

test('a blob with other bytes is marked, told each time, and told as missing once they are gone', async () => {
  const { registry, layer, repo, link, stored } = await pushed()
  stored.bytes = Buffer.from('LAYER')
  const found = digestOf(stored.bytes)
  const { gen } = await link()
  expect((await scrub(registry)).corrupt).toEqual([{ repo, digest: layer, found }])
  const marked = await link()
  expect(marked.state).toBe('corrupt')
  expect(marked.gen).not.toBe(gen)
  expect((await scrub(registry)).corrupt).toEqual([{ repo, digest: layer, found }])
  expect(await link()).toEqual(marked)
  registry.blobs.objects.delete(marked.object)
  expect((await scrub(registry)).corrupt).toMatchObject([{ found: 'missing' }])
})

test('a blob that cannot be read is told with the reason, and the others are read all the same', async () => {
  const { registry } = await pushed()
  const failing = before(registry, 'open', () => {
    throw new Error('bad sector')
  })
  expect(await scrub(failing)).toMatchObject({
    blobs: 2,
    corrupt: [{ found: expect.stringContaining('bad sector') }],
  })
})

test('a blob whose link changed while it was read waits for the next scrub', async () => {
  const { registry, link, stored } = await pushed()
  stored.bytes = Buffer.from('LAYER')
  registry.clock.now += 86_400_000
  await scrub(before(registry, 'transact', () => pushBlob(registry, NAME, 'layer')))
  expect((await link()).state).toBe('live')
  await scrub(registry)
  expect((await link()).state).toBe('corrupt')
})

test('tags named like kinds of items are no blobs and no manifests', async () => {
  const { registry } = await pushed()
  for (const tag of ['L', 'M', 'T', 'B']) await pushImage(registry, NAME, tag)
  expect(await scrub(registry)).toMatchObject({ blobs: 2, corrupt: [] })
  expect(await fsck(registry)).toMatchObject({ links: 2, manifests: 1, tags: 5, findings: [] })
})
