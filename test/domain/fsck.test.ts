// fsck: each kind of damage is found and named, and nothing is found where there is none.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/oci/digest.ts'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { fsck } from '../../lib/registry/fsck.ts'
import { keys } from '../../lib/registry/keys.ts'
import { readLink } from '../../lib/registry/links.ts'
import { putManifest } from '../../lib/registry/manifests.ts'
import { mountFrom } from '../../lib/registry/mounts.ts'
import type { Attributes, Key } from '../../lib/registry/ports.ts'
import { createProject } from '../../lib/registry/projects.ts'
import { openRepository } from '../../lib/registry/repositories.ts'
import {
  ACTOR,
  byDigest,
  byTag,
  DAY_MS,
  INDEX,
  itemsOf,
  MANIFEST,
  once,
  type Pushed,
  pushBlob,
  pushBytes,
  pushImage,
  pushIndex,
  repositoryId,
  type TestRegistry,
  testRegistry,
} from './registry.ts'

const NAME = 'library/app'
const error = (where: string, what: string) => ({
  severity: 'error',
  where: expect.stringContaining(where),
  what: expect.stringContaining(what),
})

interface Damaged {
  registry: TestRegistry
  image: Pushed
  repo: string
  object: string
  lose(...keys: Key[]): Promise<void>
  change(key: Key, attributes: Attributes): Promise<void>
}

async function pushed(): Promise<Damaged> {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  const repo = await repositoryId(registry, NAME)
  return {
    registry,
    image,
    repo,
    object: (await readLink(registry, repo, image.layer))!.object,
    lose: (...lost) => registry.metadata.batchWrite(lost.map((key) => ({ kind: 'delete', key }))),
    change: async (key, attributes) => {
      const item = (await registry.metadata.get(key))!
      const changed = { ...item, attributes: { ...item.attributes, ...attributes } }
      await registry.metadata.batchWrite([{ kind: 'put', item: changed }])
    },
  }
}

test('a registry in order has no findings, and its items, manifests, links, tags and bytes are counted', async () => {
  const registry = await testRegistry()
  const large = 'y'.repeat(70_000)
  const image = await pushImage(registry, NAME, 'v1', { layer: large })
  await pushImage(registry, NAME, undefined, { layer: 'sbom', subject: image.digest })
  await pushIndex(registry, NAME, 'all', [image])
  await pushImage(registry, NAME, 'gone', { layer: large })
  await deleteReference(registry, NAME, byTag('gone'), ACTOR)
  const target = await openRepository(registry, 'library/target', ACTOR)
  await mountFrom(registry, target, image.layer, NAME)
  // The mounted layer is linked twice and stored once; the config and layers pushed twice wait for the collector.
  const report = await fsck(registry)
  expect(report).toMatchObject({ manifests: 3, links: 4, tags: 2, linkedBytes: 70_006, findings: [] })
  expect(report.items).toBe((await registry.metadata.scan(undefined, 100_000)).length)
  const stored = [...registry.blobs.objects.values()].reduce((sum, each) => sum + each.bytes.length, 0)
  expect(report.storedBytes).toBe(stored)
})

test('a registry of many pages of items is read to its end', async () => {
  const registry = await testRegistry()
  const items = Array.from({ length: 1100 }, (_, number) => ({
    kind: 'put' as const,
    item: { pk: 'TL#repo', sk: `v${number}`, attributes: { v: 1 } },
  }))
  await registry.metadata.batchWrite(items)
  const { findings } = await fsck(registry)
  expect(findings).toHaveLength(1100)
  expect(new Set(findings.map((finding) => finding.where)).size).toBe(1100)
})

test('each thing that is lost is found, and named where it is missed', async () => {
  const cases: [what: string, damage: (at: Damaged) => Promise<unknown> | unknown, findings: unknown][] = [
    [
      'an object',
      ({ registry, object }) => registry.blobs.objects.delete(object),
      [error('blob sha256:', 'is missing')],
    ],
    [
      'bytes of an object',
      ({ registry, object }) => registry.blobs.put(object, once(Buffer.from('abc'))),
      [error('blob sha256:', '3 bytes instead of 5')],
    ],
    [
      'an object’s record',
      ({ lose, object }) => lose(keys.object(object)),
      expect.arrayContaining([error('blob', 'has no record')]),
    ],
    [
      'an object’s reference',
      ({ lose, object, repo, image }) => lose(keys.objectReference(object, repo, image.layer)),
      [error('blob', 'does not know the repository')],
    ],
    [
      'a good blob',
      ({ change, repo, image }) => change(keys.link(repo, image.layer), { state: 'corrupt' }),
      [error('blob', 'corrupt')],
    ],
    [
      'a manifest’s bytes',
      ({ lose, repo, image }) => lose(keys.manifestBytes(repo, image.digest)),
      [error(`of ${NAME}`, 'missing')],
    ],
    [
      'a manifest',
      ({ lose, repo, image }) => lose(keys.manifest(repo, image.digest)),
      [error('tag v1', 'which is missing')],
    ],
    [
      'a manifest’s life',
      ({ change, repo }) => change(keys.tag(repo, 'v1'), { birth: 'other' }),
      [error('tag v1', 'which is missing')],
    ],
    ['a tag', ({ lose, repo }) => lose(keys.tag(repo, 'v1')), [error('listed tag v1', 'nothing')]],
    [
      'a tag’s last move',
      ({ lose, repo }) => lose(keys.tagMove(repo, 'v1', 1)),
      [error('tag v1', 'history')],
    ],
    [
      'a repository',
      ({ lose }) => lose(keys.repository(NAME)),
      [error(`listed repository ${NAME}`, 'nothing')],
    ],
    [
      'a reference',
      async ({ registry, lose }) =>
        lose((await itemsOf(registry, 'L#')).find(({ sk }) => sk.startsWith('R#'))!),
      [error(`of ${NAME}`, 'the reference L#')],
    ],
  ]
  for (const [what, damage, findings] of cases) {
    const at = await pushed()
    await damage(at)
    expect((await fsck(at.registry)).findings, what).toEqual(findings)
  }
})

test('a link that is lost is missed by the manifest that needs it, and its object is left over', async () => {
  const { registry, image, repo, lose } = await pushed()
  await lose(keys.link(repo, image.layer))
  expect((await fsck(registry)).findings).toEqual([error(image.digest, `blob ${image.layer}`)])
})

test('a child that is lost is missed by its index, unless the project accepts that', async () => {
  for (const allowMissingChildren of [false, true]) {
    const registry = await testRegistry()
    await createProject(registry, 'sparse', { allowMissingChildren })
    const child = await pushImage(registry, 'sparse/app', undefined)
    await pushIndex(registry, 'sparse/app', 'all', [child])
    const repo = await repositoryId(registry, 'sparse/app')
    await registry.metadata.batchWrite([{ kind: 'delete', key: keys.manifest(repo, child.digest) }])
    const { findings } = await fsck(registry)
    expect(findings).toEqual(allowMissingChildren ? [] : [error('sparse/app', `manifest ${child.digest}`)])
  }
})

test('a referrer’s listing that leads nowhere is found', async () => {
  const { registry, image, repo } = await pushed()
  const nobody = digestOf(Buffer.from('nobody'))
  const item = { ...keys.referrer(repo, image.digest, nobody), attributes: { v: 1 } }
  await registry.metadata.batchWrite([{ kind: 'put', item }])
  expect((await fsck(registry)).findings).toEqual([error(nobody, 'nothing')])
})

test('a manifest with other bytes is found, in either algorithm', async () => {
  const { registry, image, repo } = await pushed()
  const digest = `sha512:${createHash('sha512').update(image.bytes).digest('hex')}` as Digest
  const content = { bytes: image.bytes, contentType: MANIFEST }
  await putManifest(registry, NAME, byDigest(digest), content, [], ACTOR)
  expect((await fsck(registry)).findings).toEqual([])
  const bytes = Buffer.from(image.bytes.toString().replace('layers', 'Layers'))
  for (const each of [image.digest, digest])
    await registry.metadata.batchWrite([
      { kind: 'put', item: { ...keys.manifestBytes(repo, each), attributes: { v: 1 }, bytes } },
    ])
  const { findings } = await fsck(registry)
  expect(findings).toHaveLength(2)
  expect(findings).toEqual(
    expect.arrayContaining([error(image.digest, digestOf(bytes)), error(digest, 'sha512:')]),
  )
})

test('an object nothing links is noted once it is a day old, with its bytes', async () => {
  const registry = await testRegistry()
  await registry.blobs.put('b/some/u/orphan', once(Buffer.from('orphan')))
  registry.clock.now += DAY_MS - 1
  expect((await fsck(registry)).findings).toEqual([])
  registry.clock.now += 1
  expect(await fsck(registry)).toMatchObject({
    storedBytes: 6,
    linkedBytes: 0,
    findings: [{ severity: 'note', where: 'b/some/u/orphan', what: expect.stringContaining('6 bytes') }],
  })
})

test('a large index with one child lost names that child and no other', async () => {
  const registry = await testRegistry()
  await pushBlob(registry, NAME, '{}')
  const config = { mediaType: 'application/x', digest: digestOf(Buffer.from('{}')), size: 2 }
  const children = []
  for (let number = 0; number < 120; number++) {
    const image = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config,
      layers: [],
      annotations: { n: `${number}` },
    }
    const bytes = Buffer.from(JSON.stringify(image))
    const digest = await pushBytes(registry, NAME, undefined, bytes, MANIFEST)
    children.push({ mediaType: MANIFEST, digest, size: bytes.length })
  }
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: children }))
  await pushBytes(registry, NAME, 'all', index, INDEX)
  expect((await fsck(registry)).findings).toEqual([])
  const lost = children[110]!.digest
  const key = keys.manifest(await repositoryId(registry, NAME), lost)
  await registry.metadata.batchWrite([{ kind: 'delete', key }])
  expect((await fsck(registry)).findings).toEqual([error(digestOf(index), `manifest ${lost}`)])
})
