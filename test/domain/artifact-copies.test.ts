// Copies and deletions of artifacts with all that belongs to them.
import { expect, test } from 'vitest'
import { getArtifact } from '../../lib/artifacts/artifacts.ts'
import { copyArtifact } from '../../lib/artifacts/copy-artifact.ts'
import { deleteArtifact } from '../../lib/artifacts/delete-artifact.ts'
import type { Digest } from '../../lib/oci/digest.ts'
import { findBlob, openBlob } from '../../lib/registry/blobs.ts'
import { fsck } from '../../lib/registry/fsck.ts'
import { keys } from '../../lib/registry/keys.ts'
import { findManifest } from '../../lib/registry/manifests.ts'
import { createProject } from '../../lib/registry/projects.ts'
import { undo } from '../../lib/registry/undo.ts'
import {
  cosignReferrer,
  cosignSignature,
  notationSignature,
  ociImage,
  pushArtifact,
  pushIndexOf,
} from './artifact-content.ts'
import { ACTOR, byDigest, byTag, repositoryId, type TestRegistry, testRegistry } from './registry.ts'

const SOURCE = 'library/app'
const TARGET = 'team/copy/app'
const BOB = { principal: 'bob', requestId: 'r-2' }
const LARGE = 'x'.repeat(64 * 1024)

async function registryWithTeam(): Promise<TestRegistry> {
  const registry = await testRegistry()
  await createProject(registry, 'team', {}, ACTOR)
  return registry
}

/** A multi-platform image, signed as a whole and in part, once on a signature. */
async function signedIndex(registry: TestRegistry) {
  const amd64 = await pushArtifact(registry, SOURCE, undefined, ociImage(LARGE))
  const arm64 = await pushArtifact(registry, SOURCE, 'v1-arm64', ociImage('arm64'))
  const index = await pushIndexOf(registry, SOURCE, 'v1', [amd64, arm64])
  const byTagOnly = await pushArtifact(
    registry,
    SOURCE,
    `sha256-${index.digest.slice(7)}.sig`,
    cosignSignature(),
  )
  const referrer = await pushArtifact(registry, SOURCE, undefined, cosignReferrer(index.digest))
  const onPart = await pushArtifact(registry, SOURCE, undefined, notationSignature(amd64.digest))
  const onSignature = await pushArtifact(registry, SOURCE, undefined, notationSignature(referrer.digest))
  return { index, amd64, arm64, byTagOnly, referrer, onPart, onSignature }
}

async function isIn(registry: TestRegistry, name: string, digest: Digest): Promise<boolean> {
  return (
    (await registry.metadata.get(keys.manifest(await repositoryId(registry, name), digest))) !== undefined
  )
}

test('a copy has the manifests, the content, the tags and what belongs to them, and the objects are shared', async () => {
  const registry = await registryWithTeam()
  const made = await signedIndex(registry)
  const objects = registry.blobs.objects.size
  const copied = await copyArtifact(registry, { repository: SOURCE, reference: byTag('v1') }, TARGET, BOB)
  expect(copied).toMatchObject({ digest: made.index.digest, created: 7, repository: { name: TARGET } })
  for (const { digest } of Object.values(made)) {
    expect(await isIn(registry, TARGET, digest)).toBe(true)
    const [from, to] = [
      await findManifest(registry, SOURCE, byDigest(digest)),
      await findManifest(registry, TARGET, byDigest(digest)),
    ]
    expect(Buffer.from(to.bytes)).toEqual(Buffer.from(from.bytes))
    expect(to.record.mediaType).toBe(from.record.mediaType)
  }
  const copy = await getArtifact(registry, TARGET, byTag('v1'))
  const source = await getArtifact(registry, SOURCE, byTag('v1'))
  expect(copy).toMatchObject({ type: 'IMAGE', sizeBytes: source.sizeBytes, references: source.references })
  expect(copy.accessories.map(({ digest, type }) => ({ digest, type }))).toEqual(
    source.accessories.map(({ digest, type }) => ({ digest, type })),
  )
  expect((await getArtifact(registry, TARGET, byTag('v1-arm64'))).digest).toBe(made.arm64.digest)
  // The large layer is shared; small blobs are stored again, each once.
  const large = [...registry.blobs.objects.values()].filter(({ bytes }) => bytes.length === LARGE.length)
  expect(large).toHaveLength(1)
  expect(registry.blobs.objects.size).toBeLessThanOrEqual(2 * objects)
  expect((await fsck(registry)).findings.filter(({ severity }) => severity === 'error')).toEqual([])
})

test('copying again changes nothing, and a tag that names something else moves', async () => {
  const registry = await registryWithTeam()
  const { digest } = await pushArtifact(registry, SOURCE, 'v1', ociImage('one'))
  const from = { repository: SOURCE, reference: byDigest(digest) }
  expect((await copyArtifact(registry, from, TARGET, BOB)).created).toBe(1)
  const events = registry.events
  expect((await copyArtifact(registry, from, TARGET, BOB)).created).toBe(0)
  expect(registry.events).toBe(events)
  const other = await pushArtifact(registry, SOURCE, 'v1', ociImage('two'))
  await copyArtifact(registry, { repository: SOURCE, reference: byTag('v1') }, TARGET, BOB)
  expect((await getArtifact(registry, TARGET, byTag('v1'))).digest).toBe(other.digest)
})

test('a copy lives on when its source is deleted', async () => {
  const registry = await registryWithTeam()
  const { index, amd64 } = await signedIndex(registry)
  await copyArtifact(registry, { repository: SOURCE, reference: byTag('v1') }, TARGET, BOB)
  await deleteArtifact(registry, SOURCE, byDigest(index.digest), ACTOR)
  const { bytes } = await findManifest(registry, TARGET, byDigest(amd64.digest))
  const { layers } = JSON.parse(Buffer.from(bytes).toString())
  const { link } = await findBlob(registry, TARGET, layers[0].digest, false)
  expect((await openBlob(registry, link)) as Uint8Array).toHaveLength(LARGE.length)
})

test('an accessory by itself is not copied, by whatever name', async () => {
  const registry = await registryWithTeam()
  const { byTagOnly, referrer } = await signedIndex(registry)
  for (const { digest } of [byTagOnly, referrer])
    await expect(
      copyArtifact(registry, { repository: SOURCE, reference: byDigest(digest) }, TARGET, BOB),
    ).rejects.toMatchObject({
      code: 'DENIED',
      status: 403,
      message: expect.stringContaining("the operation isn't supported for an artifact accessory"),
    })
})

test('a copy of nothing, into no project, or of damaged content fails and says why', async () => {
  const registry = await registryWithTeam()
  const { digest } = await pushArtifact(registry, SOURCE, 'v1', ociImage())
  const from = { repository: SOURCE, reference: byTag('v1') }
  await expect(
    copyArtifact(registry, { ...from, reference: byTag('v2') }, TARGET, BOB),
  ).rejects.toMatchObject({
    code: 'MANIFEST_UNKNOWN',
  })
  await expect(
    copyArtifact(registry, { ...from, repository: 'library/no' }, TARGET, BOB),
  ).rejects.toMatchObject({
    code: 'NAME_UNKNOWN',
  })
  await expect(copyArtifact(registry, from, 'nowhere/app', BOB)).rejects.toMatchObject({
    code: 'NAME_UNKNOWN',
  })
  const { bytes } = await findManifest(registry, SOURCE, byDigest(digest))
  const { layers } = JSON.parse(Buffer.from(bytes).toString())
  const lost = keys.link(await repositoryId(registry, SOURCE), layers[0].digest)
  await registry.metadata.batchWrite([{ kind: 'delete', key: lost }])
  await expect(copyArtifact(registry, from, TARGET, BOB)).rejects.toMatchObject({
    code: 'MANIFEST_BLOB_UNKNOWN',
    message: expect.stringContaining(layers[0].digest),
  })
})

test('an index too large for one copy is refused before anything is copied', async () => {
  const registry = await registryWithTeam()
  const children = []
  for (let each = 0; each < 500; each++)
    children.push(
      await pushArtifact(registry, SOURCE, undefined, { config: { mediaType: 'x', content: `${each}` } }),
    )
  await pushIndexOf(registry, SOURCE, 'v1', children)
  const from = { repository: SOURCE, reference: byTag('v1') }
  await expect(copyArtifact(registry, from, TARGET, BOB)).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: expect.stringContaining('more than 500 manifests'),
  })
  expect(await repositoryId(registry, TARGET)).toBeUndefined()
}, 30_000)

// goharbor/harbor v2.14.0, src/controller/artifact/controller.go, deleteDeeply.
test('a deleted artifact takes its tags, accessories and untagged manifests along, whatever they have in turn', async () => {
  const registry = await registryWithTeam()
  const made = await signedIndex(registry)
  const deleted = await deleteArtifact(registry, SOURCE, byTag('v1'), BOB)
  expect(deleted.digest).toBe(made.index.digest)
  const { index: _, arm64, ...gone } = made
  expect(new Set(deleted.alongside)).toEqual(new Set(Object.values(gone).map(({ digest }) => digest)))
  for (const { digest } of Object.values(gone)) expect(await isIn(registry, SOURCE, digest)).toBe(false)
  // It has a tag of its own.
  expect(await isIn(registry, SOURCE, arm64.digest)).toBe(true)
})

test('a manifest another index needs stays, and one that is part of an index is not deleted at all', async () => {
  const registry = await registryWithTeam()
  const shared = await pushArtifact(registry, SOURCE, undefined, ociImage('shared'))
  const own = await pushArtifact(registry, SOURCE, undefined, ociImage('own'))
  await pushIndexOf(registry, SOURCE, 'a', [shared])
  const both = await pushIndexOf(registry, SOURCE, 'b', [shared, own])
  await expect(deleteArtifact(registry, SOURCE, byDigest(own.digest), BOB)).rejects.toMatchObject({
    status: 412,
    message: expect.stringContaining(both.digest),
  })
  expect((await deleteArtifact(registry, SOURCE, byTag('b'), BOB)).alongside).toEqual([own.digest])
  expect(await isIn(registry, SOURCE, shared.digest)).toBe(true)
})

test('a deleted index comes back with the manifests that went with it', async () => {
  const registry = await registryWithTeam()
  const child = await pushArtifact(registry, SOURCE, undefined, ociImage())
  const inner = await pushIndexOf(registry, SOURCE, undefined, [child])
  const outer = await pushIndexOf(registry, SOURCE, 'v1', [inner])
  expect((await deleteArtifact(registry, SOURCE, byTag('v1'), BOB)).alongside).toHaveLength(2)
  const undone = await undo(registry, SOURCE, byDigest(outer.digest), ACTOR)
  expect(undone).toMatchObject({ tags: ['v1'], restored: true })
  for (const { digest } of [child, inner, outer]) expect(await isIn(registry, SOURCE, digest)).toBe(true)
})
