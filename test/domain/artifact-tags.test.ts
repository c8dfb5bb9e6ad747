// Tags of artifacts, and what belongs to artifacts, as people handle them.
import { expect, test } from 'vitest'
import { createTag, deleteArtifactTag, listArtifactTags } from '../../lib/artifacts/artifact-tags.ts'
import { getArtifact } from '../../lib/artifacts/artifacts.ts'
import { listAccessories } from '../../lib/artifacts/list-accessories.ts'
import { parseQuery, parseSort } from '../../lib/http/harbor/query.ts'
import { tagHistory } from '../../lib/registry/tags.ts'
import {
  cosignReferrer,
  cosignSignature,
  harborSbom,
  notationSignature,
  nydusImage,
  ociImage,
  orasArtifact,
  pushArtifact,
} from './artifact-content.ts'
import { before } from './meddling.ts'
import { ACTOR, byDigest, byTag, repositoryId, testRegistry } from './registry.ts'

const NAME = 'library/app'
const page = (q = '', sort = '', pageSize = 100) => ({
  page: 1,
  pageSize,
  filters: parseQuery(q),
  sort: parseSort(sort),
})

test('a tag is created on an artifact, with who did it, and belongs to it alone', async () => {
  const registry = await testRegistry()
  const { digest } = await pushArtifact(registry, NAME, 'v1', ociImage())
  registry.clock.now += 1000
  await createTag(registry, NAME, byTag('v1'), 'stable', ACTOR)
  expect((await getArtifact(registry, NAME, byTag('stable'))).tags).toMatchObject([
    { name: 'stable', pushedAtMs: registry.clock.now },
    { name: 'v1', pushedAtMs: registry.clock.now - 1000 },
  ])
  const [move] = await tagHistory(registry, await repositoryId(registry, NAME), 'stable', 1)
  expect(move).toMatchObject({ digest, principal: 'alice', cause: 'tag' })
})

test('a tag that exists is not created again, on this artifact or another, nor one with an invalid name', async () => {
  const registry = await testRegistry()
  const one = await pushArtifact(registry, NAME, 'v1', ociImage('one'))
  const two = await pushArtifact(registry, NAME, undefined, ociImage('two'))
  for (const { digest } of [one, two])
    await expect(createTag(registry, NAME, byDigest(digest), 'v1', ACTOR)).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      status: 409,
    })
  for (const name of ['', '-x', 'a/b', 'x'.repeat(129)])
    await expect(createTag(registry, NAME, byTag('v1'), name, ACTOR)).rejects.toMatchObject({
      code: 'TAG_INVALID',
      status: 400,
    })
  await expect(createTag(registry, NAME, byTag('v9'), 'x', ACTOR)).rejects.toMatchObject({ status: 404 })
})

test('of two who create one tag on two artifacts one is told that it exists', async () => {
  const registry = await testRegistry()
  const one = await pushArtifact(registry, NAME, undefined, ociImage('one'))
  const two = await pushArtifact(registry, NAME, undefined, ociImage('two'))
  const slow = before(registry, 'transact', () =>
    createTag(registry, NAME, byDigest(two.digest), 'v1', ACTOR),
  )
  await expect(createTag(slow, NAME, byDigest(one.digest), 'v1', ACTOR)).rejects.toMatchObject({
    status: 409,
  })
  expect((await getArtifact(registry, NAME, byTag('v1'))).digest).toBe(two.digest)
})

test('a tag is deleted from its artifact, which stays, and from no other', async () => {
  const registry = await testRegistry()
  const { digest } = await pushArtifact(registry, NAME, 'v1', ociImage('one'))
  await pushArtifact(registry, NAME, 'v2', ociImage('two'))
  await expect(deleteArtifactTag(registry, NAME, byTag('v2'), 'v1', ACTOR)).rejects.toMatchObject({
    status: 404,
    message: expect.stringContaining('tag v1 attached to artifact'),
  })
  await deleteArtifactTag(registry, NAME, byTag('v1'), 'v1', ACTOR)
  expect((await getArtifact(registry, NAME, byDigest(digest))).tags).toEqual([])
})

test('an artifact’s tags are listed newest first, found by name, sorted and paged', async () => {
  const registry = await testRegistry()
  for (const tag of ['a1', 'c', 'a2']) {
    registry.clock.now += 1000
    await pushArtifact(registry, NAME, tag, ociImage())
  }
  await pushArtifact(registry, NAME, 'other', ociImage('other'))
  const names = async (...asked: Parameters<typeof page>) => {
    const { tags, total } = await listArtifactTags(registry, NAME, byTag('c'), page(...asked))
    return [total, ...tags.map((tag) => tag.name)]
  }
  expect(await names()).toEqual([3, 'a2', 'c', 'a1'])
  expect(await names('', 'name')).toEqual([3, 'a1', 'a2', 'c'])
  expect(await names('name=~A')).toEqual([2, 'a2', 'a1'])
  expect(await names('name=c')).toEqual([1, 'c'])
  expect(await names('', '', 2)).toEqual([3, 'a2', 'c'])
})

// The strings are goharbor/harbor v2.14.0, src/pkg/accessory/model/accessory.go; the rules src/server/middleware.
test('each kind of accessory is told, with its size and its picture where Harbor has one', async () => {
  const registry = await testRegistry()
  const { digest } = await pushArtifact(registry, NAME, 'v1', ociImage())
  const bundle = 'application/vnd.dev.sigstore.bundle.v0.3+json'
  const contents = [
    [cosignReferrer(digest), 'signature.cosign', '20401d5b'],
    [notationSignature(digest), 'signature.notation', '3ac706e1'],
    [harborSbom(digest), 'sbom.harbor', 'c19f80c3'],
    [nydusImage(digest), 'accelerator.nydus', 'dfcb6617'],
    [orasArtifact('application/spdx+json', digest), 'subject.accessory', ''],
    [orasArtifact(bundle, digest), 'signature.cosign', '20401d5b'],
    [{ ...ociImage('y'), subject: digest }, 'subject.accessory', ''],
  ] as const
  const expected = []
  for (const [content, type, icon] of contents) {
    registry.clock.now += 1000
    const made = await pushArtifact(registry, NAME, undefined, content)
    expected.push({
      id: expect.any(Number),
      artifactId: (await getArtifact(registry, NAME, byDigest(made.digest))).id,
      subjectArtifactId: (await getArtifact(registry, NAME, byTag('v1'))).id,
      subjectDigest: digest,
      digest: made.digest,
      type,
      sizeBytes: made.total,
      icon: expect.stringContaining(icon),
      createdAtMs: registry.clock.now,
    })
  }
  const { accessories, total } = await listAccessories(registry, NAME, byTag('v1'), page())
  expect(accessories).toEqual(expected)
  expect(total).toBe(7)
  expect(accessories.at(-1)!.icon).toBe('')
  expect((await getArtifact(registry, NAME, byTag('v1'))).accessories).toEqual(expected)
  const cosign = await listAccessories(
    registry,
    NAME,
    byTag('v1'),
    page('type=signature.cosign', '-creation_time', 1),
  )
  expect(cosign).toMatchObject({ total: 2, accessories: [{ digest: expected[5]!.digest }] })
})

test('an older cosign’s signature belongs to what its tag names, once it is there, whichever was first', async () => {
  const registry = await testRegistry()
  const { digest } = await pushArtifact(registry, 'library/other', 'v1', ociImage())
  const tag = `sha256-${digest.slice(7)}.sig`
  const signature = await pushArtifact(registry, NAME, tag, cosignSignature())
  await pushArtifact(registry, NAME, 'v1', ociImage())
  const [accessory] = (await getArtifact(registry, NAME, byTag('v1'))).accessories
  expect(accessory).toMatchObject({ digest: signature.digest, type: 'signature.cosign' })
  await deleteArtifactTag(registry, NAME, byTag(tag), tag, ACTOR)
  expect((await getArtifact(registry, NAME, byTag('v1'))).accessories).toEqual([])
})
