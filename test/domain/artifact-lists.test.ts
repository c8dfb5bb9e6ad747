// Lists of artifacts: what is in them, in which order, and how they are filtered. The rules are those of goharbor/harbor
// v2.14.0, src/pkg/artifact/dao and src/lib/q.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EVERYTHING } from '../../lib/artifacts/artifact.ts'
import { addLabel } from '../../lib/artifacts/artifact-labels.ts'
import { createLabel } from '../../lib/artifacts/labels.ts'
import { listArtifacts } from '../../lib/artifacts/list-artifacts.ts'
import { parseQuery, parseSort } from '../../lib/http/harbor/query.ts'
import { digestOf } from '../../lib/oci/digest.ts'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { keys } from '../../lib/registry/keys.ts'
import { Recorder } from '../../lib/registry/recorder.ts'
import { readRepository } from '../../lib/registry/repositories.ts'
import {
  cosignReferrer,
  cosignSignature,
  helmChart,
  notationSignature,
  ociImage,
  orasArtifact,
  pushArtifact,
  pushIndexOf,
  tgz,
} from './artifact-content.ts'
import {
  ACTOR,
  byDigest,
  byTag,
  MANIFEST,
  repositoryId,
  type TestRegistry,
  testRegistry,
} from './registry.ts'

const NAME = 'library/app'

async function list(registry: TestRegistry, q = '', sort = '', page = 1, pageSize = 100) {
  const wanted = { page, pageSize, filters: parseQuery(q), sort: parseSort(sort), with: EVERYTHING }
  return listArtifacts(registry, NAME, wanted)
}

const digests = async (...asked: Parameters<typeof list>) =>
  (await list(...asked)).artifacts.map((artifact) => artifact.digest)

/** Pushed one second after the other. */
async function pushed(registry: TestRegistry, tag: string | undefined, layer: string) {
  registry.clock.now += 1000
  return (await pushArtifact(registry, NAME, tag, ociImage(layer))).digest
}

test('a repository that does not exist, or holds nothing, lists nothing', async () => {
  const registry = await testRegistry()
  expect(await list(registry)).toEqual({ artifacts: [], total: 0 })
})

test('artifacts are listed newest first, page by page, with their total, and beyond the end there is nothing', async () => {
  const registry = await testRegistry()
  const [a, b, c] = [
    await pushed(registry, 'a', 'a'),
    await pushed(registry, undefined, 'b'),
    await pushed(registry, 'c', 'c'),
  ]
  expect(await digests(registry)).toEqual([c, b, a])
  expect(await digests(registry, '', '', 1, 2)).toEqual([c, b])
  expect(await digests(registry, '', '', 2, 2)).toEqual([a])
  const beyond = await list(registry, '', '', 1e9, 100)
  expect(beyond).toEqual({ artifacts: [], total: 3 })
})

test('manifests of an index are listed only with a tag of their own, or when everything is asked for', async () => {
  const registry = await testRegistry()
  const plain = await pushArtifact(registry, NAME, undefined, ociImage('plain'))
  const tagged = await pushArtifact(registry, NAME, 'own', ociImage('tagged'))
  registry.clock.now += 1000
  const index = await pushIndexOf(registry, NAME, 'all', [plain, tagged])
  expect(await digests(registry)).toEqual([index.digest, tagged.digest])
  expect((await list(registry, 'base=*')).total).toBe(3)
  expect((await list(registry)).artifacts[0]!.sizeBytes).toBe(index.total)
  await deleteReference(registry, NAME, byDigest(index.digest), ACTOR)
  expect(new Set(await digests(registry))).toEqual(new Set([plain.digest, tagged.digest]))
  await expect(list(registry, 'base=x')).rejects.toMatchObject({ code: 'REQUEST_INVALID', status: 400 })
})

test('an index of more manifests than its row holds hides each of them all the same', async () => {
  const registry = await testRegistry()
  const children = []
  for (let each = 0; each < 13; each++)
    children.push(await pushArtifact(registry, NAME, undefined, ociImage(`layer ${each}`)))
  const index = await pushIndexOf(registry, NAME, 'all', children)
  const { artifacts, total } = await list(registry)
  expect([artifacts[0]!.digest, artifacts[0]!.sizeBytes, total]).toEqual([index.digest, index.total, 1])
  const { artifacts: all } = await list(registry, 'base=*')
  expect(all).toHaveLength(14)
})

test('signatures and other accessories are shown with what they belong to, and nowhere else', async () => {
  const registry = await testRegistry()
  const image = await pushArtifact(registry, NAME, 'v1', ociImage())
  registry.clock.now += 1000
  const byItsTag = await pushArtifact(
    registry,
    NAME,
    `sha256-${image.digest.slice(7)}.sig`,
    cosignSignature(),
  )
  registry.clock.now += 1000
  const referrer = await pushArtifact(registry, NAME, 'tagged', cosignReferrer(image.digest))
  registry.clock.now += 1000
  const onSignature = await pushArtifact(registry, NAME, undefined, notationSignature(referrer.digest))
  const { artifacts, total } = await list(registry)
  expect(total).toBe(1)
  expect(artifacts[0]!.accessories).toMatchObject([
    { digest: byItsTag.digest, type: 'signature.cosign', sizeBytes: byItsTag.total },
    { digest: referrer.digest, type: 'signature.cosign', sizeBytes: referrer.total },
  ])
  expect((await list(registry, 'base=*')).total).toBe(1)
  expect(onSignature.digest).not.toBe(referrer.digest)
})

test('what looks like a signature without its tag, or has such a tag without a signature, is an artifact', async () => {
  const registry = await testRegistry()
  await pushArtifact(registry, NAME, 'v1', cosignSignature())
  await pushArtifact(registry, NAME, `sha256-${'a'.repeat(64)}.sig`, ociImage())
  await pushArtifact(registry, NAME, `sha256-${'a'.repeat(63)}.sig`, cosignSignature('other'))
  expect((await list(registry)).total).toBe(3)
})

test('tags are newest first, and a tag that moved is the new artifact’s', async () => {
  const registry = await testRegistry()
  const old = await pushed(registry, 'v1', 'old')
  for (const tag of ['a', 'c', 'b']) await pushed(registry, tag, 'new')
  const now = await pushed(registry, 'v1', 'new')
  const { artifacts } = await list(registry)
  expect(artifacts.map(({ digest, tags }) => [digest, tags.map((tag) => tag.name)])).toEqual([
    [now, ['v1', 'b', 'c', 'a']],
    [old, []],
  ])
  expect(artifacts[0]!.tags[0]).toEqual({
    id: expect.any(Number),
    name: 'v1',
    pushedAtMs: registry.clock.now,
  })
})

test('artifacts are found by the presence, the name and a part of a tag', async () => {
  const registry = await testRegistry()
  const none = await pushed(registry, undefined, 'none')
  const v1 = await pushed(registry, 'v1.0', 'one')
  const v2 = await pushed(registry, 'V2.0', 'two')
  expect(await digests(registry, 'tags=*')).toEqual([v2, v1])
  expect(await digests(registry, 'tags=nil')).toEqual([none])
  expect(await digests(registry, 'tags%3Dnil')).toEqual([none])
  expect(await digests(registry, 'tags=v1.0')).toEqual([v1])
  expect(await digests(registry, 'tags=v1')).toEqual([])
  expect(await digests(registry, 'Tags=~v')).toEqual([v1])
  expect(await digests(registry, 'tags=~.0')).toEqual([v2, v1])
  await expect(list(registry, 'tags={a b}')).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: 'the value of "tags" query can only be fuzzy match value or exact match value',
  })
})

test('artifacts are found by type, media types, digest, size and the time of their push', async () => {
  const registry = await testRegistry()
  registry.clock.now = Date.parse('2026-05-01T10:00:00Z')
  const image = await pushArtifact(registry, NAME, 'v1', ociImage())
  registry.clock.now = Date.parse('2026-05-02T10:00:00Z')
  const chart = await pushArtifact(registry, NAME, 'v2', helmChart(await tgz({ 'a/values.yaml': '' })))
  registry.clock.now = Date.parse('2026-05-03T10:00:00Z')
  const other = await pushArtifact(registry, NAME, 'v3', orasArtifact())
  const found = (q: string) => digests(registry, q)
  expect(await found('type=CHART')).toEqual([chart.digest])
  expect(await found('type={IMAGE CHART}')).toEqual([chart.digest, image.digest])
  expect(await found('type=~cha')).toEqual([chart.digest])
  expect(await found('media_type=application/vnd.cncf.helm.config.v1+json')).toEqual([chart.digest])
  expect(await found('MediaType=~helm')).toEqual([chart.digest])
  expect(await found(`manifest_media_type=${MANIFEST}`)).toHaveLength(3)
  expect(await found('artifact_type=application/vnd.example.report')).toEqual([other.digest])
  expect(await found(`digest=${image.digest}`)).toEqual([image.digest])
  expect(await found(`size=${image.total}`)).toEqual([image.digest])
  expect(await found('size=[1000000~]')).toEqual([])
  expect(await found('push_time=[2026-05-02T10:00:00~2026-05-02T10:00:01]')).toEqual([chart.digest])
  expect(await found('push_time=[~2026-05-02]')).toEqual([image.digest])
  expect(await found('push_time=[2026-05-03T12:00:00+02:00~]')).toEqual([other.digest])
  expect(await found('type=IMAGE,tags=v1')).toEqual([image.digest])
  expect(await found('type=IMAGE,tags=v2')).toEqual([])
  expect(await found('no_such_field=1,constructor=2')).toHaveLength(3)
})

test('a query that cannot be understood is refused with what is wrong in it', async () => {
  const registry = await testRegistry()
  await pushed(registry, 'v1', 'x')
  for (const [q, why] of [
    ['type', 'is not key=value'],
    ['=x', 'is not key=value'],
    ['type=', 'is not key=value'],
    ['type=~', 'nothing follows'],
    ['size=[1~2', 'does not end with ]'],
    ['size=[1]', 'is not [from~to]'],
    ['size=[~]', 'is not [from~to]'],
    ['size=[1~2~3]', 'is not [from~to]'],
    ['type={IMAGE', 'does not end with }'],
    ['labels=(1', 'does not end with )'],
    ['size=large', 'size is a number'],
    ['push_time=[yesterday~]', 'push_time is a time'],
    ['labels=1', 'integer list'],
    ['labels=(a)', 'integer list'],
  ] as const)
    await expect(list(registry, q), q).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      status: 400,
      message: expect.stringContaining(why),
    })
})

test('artifacts are found by the labels they all have', async () => {
  const registry = await testRegistry()
  const [a, b] = [await pushed(registry, 'a', 'a'), await pushed(registry, 'b', 'b')]
  const { repository } = (await readRepository(registry, NAME))!
  const text = { description: '', color: '' }
  const one = await createLabel(registry, 'g', { name: 'one', ...text })
  const two = await createLabel(
    registry,
    { id: repository.projectId, name: 'library', number: 1 },
    { name: 'two', ...text },
  )
  await addLabel(registry, repository, a, one.id)
  await addLabel(registry, repository, a, two.id)
  await addLabel(registry, repository, b, two.id)
  expect(await digests(registry, `labels=(${one.id} ${two.id})`)).toEqual([a])
  expect(await digests(registry, `labels=(${two.id})`)).toEqual([b, a])
  expect(await digests(registry, 'labels=(999)')).toEqual([])
  expect((await list(registry)).artifacts.map(({ labels }) => labels.map((label) => label.name))).toEqual([
    ['two'],
    ['one', 'two'],
  ])
})

test('artifacts are sorted by what is asked for, and by their push where that says nothing', async () => {
  const registry = await testRegistry()
  const large = await pushed(registry, 'a', 'xxxxxxxxx')
  const small = await pushed(registry, 'b', 'x')
  const middle = await pushed(registry, 'c', 'xxxx')
  expect(await digests(registry, '', 'size')).toEqual([small, middle, large])
  expect(await digests(registry, '', '-size')).toEqual([large, middle, small])
  expect(await digests(registry, '', 'push_time')).toEqual([large, small, middle])
  expect(await digests(registry, '', 'type,size')).toEqual([small, middle, large])
  expect(await digests(registry, '', 'nonsense')).toEqual([middle, small, large])
  const recorder = new Recorder(registry)
  const repo = await repositoryId(registry, NAME)
  const pull = { repo, repository: NAME, principal: 'p', client: 'c', requestId: 'r', hit: true }
  recorder.pull({ ...pull, digest: small, tag: 'b' })
  await recorder.flush()
  expect(await digests(registry, '', '-pull_time')).toEqual([small, middle, large])
  const [pulled] = (await list(registry, `digest=${small}`)).artifacts
  expect(pulled).toMatchObject({
    pullCount: 1,
    pulledAtMs: registry.clock.now,
    tags: [{ name: 'b', pulledAtMs: registry.clock.now }],
  })
})

test('what is not wanted of an artifact is empty', async () => {
  const registry = await testRegistry()
  const image = await pushArtifact(registry, NAME, 'v1', ociImage())
  await pushArtifact(registry, NAME, undefined, notationSignature(image.digest))
  const nothing = { tags: false, labels: false, accessories: false }
  const wanted = { page: 1, pageSize: 10, filters: parseQuery(''), sort: [], with: nothing }
  const { artifacts } = await listArtifacts(registry, NAME, wanted)
  expect(artifacts).toMatchObject([{ digest: image.digest, tags: [], labels: [], accessories: [] }])
})

test('a list of thousands reads its rows at once and opens only the page’s artifacts', async () => {
  const registry = await testRegistry()
  await pushArtifact(registry, NAME, 'v1', ociImage())
  const repo = await repositoryId(registry, NAME)
  await crowd(registry, repo, 5000)
  const calls = { get: 0, batchGet: 0, query: 0 }
  const counting = {
    ...registry,
    metadata: new Proxy(registry.metadata, {
      get(target, name: keyof typeof calls) {
        const original = target[name] as (...args: unknown[]) => unknown
        if (!(name in calls)) return original
        return (...args: unknown[]) => {
          calls[name] += 1
          return original.apply(target, args)
        }
      },
    }),
  }
  const { artifacts, total } = await list(counting, '', '', 501, 10)
  expect([artifacts.length, total]).toEqual([1, 5001])
  expect(calls.query).toBeLessThanOrEqual(2 * 6)
  expect(calls.batchGet + calls.get).toBeLessThanOrEqual(4)
})

test('more than ten thousand artifacts are listed by their push, and neither filtered nor sorted otherwise', async () => {
  const registry = await testRegistry()
  await pushArtifact(registry, NAME, 'v1', ociImage())
  await crowd(registry, await repositoryId(registry, NAME), 10_000)
  expect((await list(registry, '', '', 1, 1)).total).toBe(10_001)
  expect((await list(registry, '', 'push_time', 1, 1)).artifacts).toHaveLength(1)
  for (const asked of [list(registry, 'type=IMAGE'), list(registry, '', 'size')])
    await expect(asked).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      status: 400,
      message: expect.stringContaining('more than 10000 artifacts'),
    })
})

/** Rows of lists as pushes write them, without the manifests. */
async function crowd(registry: TestRegistry, repo: string, count: number): Promise<void> {
  const artifact = { type: 'IMAGE', mediaType: 'm', artifactType: 'm', ownBytes: 7 }
  await registry.metadata.batchWrite(
    Array.from({ length: count }, (_, each) => ({
      kind: 'put' as const,
      item: {
        ...keys.manifestListing(repo, registry.clock.now + 1 + each, digestOf(Buffer.from(`${each}`))),
        attributes: { v: 1, mediaType: MANIFEST, sizeBytes: 7, artifact },
      },
    })),
  )
}

test('every artifact is on exactly one page, whatever the size of the pages and the order', async () => {
  const registry = await testRegistry()
  const all = new Set<string>()
  // Several at one moment.
  for (let each = 0; each < 12; each++) {
    if (each % 3 === 0) registry.clock.now += 1
    all.add((await pushArtifact(registry, NAME, `v${each}`, ociImage(`layer ${each % 5} ${each}`))).digest)
  }
  const sorts = ['', 'push_time', '-size', 'size', 'type', '-pull_time', 'digest']
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 14 }), fc.constantFrom(...sorts), async (pageSize, sort) => {
      const seen: string[] = []
      for (let page = 1; ; page++) {
        const found = await digests(registry, '', sort, page, pageSize)
        if (found.length === 0) break
        seen.push(...found)
      }
      expect(seen).toHaveLength(all.size)
      expect(new Set(seen)).toEqual(all)
    }),
    { numRuns: 30 },
  )
})

test('no query, however odd, is anything but an answer or a refusal', async () => {
  const registry = await testRegistry()
  await pushed(registry, 'v1', 'x')
  const piece = fc.constantFrom(
    'type',
    'tags',
    'size',
    '=',
    '~',
    '[',
    ']',
    '{',
    '(',
    ')',
    ',',
    '%',
    '*',
    '\\',
    '1',
    '__proto__',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
      try {
        await list(registry, pieces.join(''))
      } catch (error) {
        expect(error).toMatchObject({ code: 'REQUEST_INVALID', status: 400 })
      }
    }),
    { numRuns: 300 },
  )
})

test('a tag asked for by name is that artifact’s, not the previous one’s', async () => {
  const registry = await testRegistry()
  await pushed(registry, 'v1', 'old')
  const now = await pushed(registry, 'v1', 'new')
  await deleteReference(registry, NAME, byTag('v1'), ACTOR)
  expect(await digests(registry, 'tags=v1')).toEqual([])
  await pushed(registry, 'v1', 'new')
  expect(await digests(registry, 'tags=v1')).toEqual([now])
})
