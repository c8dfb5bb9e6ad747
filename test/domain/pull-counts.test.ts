// Pull counts: batched, added up over processes, and lost only by a crash.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { keys } from '../../lib/registry/keys.ts'
import { PullCounts, pullsIn } from '../../lib/registry/pull-counts.ts'
import { Recorder } from '../../lib/registry/recorder.ts'
import { relay } from '../../lib/registry/relay.ts'
import { before, busy } from './meddling.ts'
import { ACTOR, byDigest, pushImage, repositoryId, type TestRegistry, testRegistry } from './registry.ts'

const MINUTE_MS = 60_000
const DIGEST = 'sha256:abc'
const PULL = {
  repo: 'repo1',
  repository: 'library/app',
  digest: DIGEST,
  principal: 'bob',
  client: 'test',
  requestId: 'r',
  hit: true,
}

async function pullsOf(registry: TestRegistry, repo = 'repo1', digest = DIGEST) {
  const [manifest, repository] = await registry.metadata.batchGet([
    keys.pulled(repo, digest),
    keys.repositoryPulls(repo),
  ])
  return { manifest: pullsIn(manifest), repository: pullsIn(repository) }
}

test('a pull counts for the manifest, for the tag asked for and for the repository', async () => {
  const registry = await testRegistry()
  const recorder = new Recorder(registry)
  recorder.pull({ ...PULL, tag: 'v1' })
  recorder.pull(PULL)
  recorder.pull({ ...PULL, digest: 'sha256:def' })
  recorder.pull({ ...PULL, digest: 'sha256:none', hit: false })
  await recorder.flush()
  const { now } = registry.clock
  expect(await pullsOf(registry)).toEqual({
    manifest: { count: 2, lastAtMs: now, tags: { v1: now } },
    repository: { count: 3, lastAtMs: now, tags: {} },
  })
  expect((await pullsOf(registry, 'repo1', 'sha256:none')).manifest).toEqual({ count: 0, tags: {} })
})

test('counts are written at once when they begin, then once a minute, and whatever is left when the process ends', async () => {
  const registry = await testRegistry()
  const recorder = new Recorder(registry, () => {})
  const count = async (last = false) => {
    recorder.pull(PULL)
    const { pending } = recorder
    await recorder.flush({ last })
    return [pending, (await pullsOf(registry)).manifest.count]
  }
  expect(await count()).toEqual([true, 1])
  expect(await count()).toEqual([false, 1])
  registry.clock.now += MINUTE_MS
  expect(await count()).toEqual([true, 3])
  expect(await count(true)).toEqual([false, 4])
  expect(recorder.pending).toBe(false)
})

test('the last hundred tags a manifest was pulled by are remembered', async () => {
  const registry = await testRegistry()
  const counts = new PullCounts(registry)
  for (let number = 0; number < 120; number++) {
    registry.clock.now += 1
    counts.pull('repo1', DIGEST, `v${number}`)
  }
  await counts.flush(true)
  const { tags } = (await pullsOf(registry)).manifest
  expect(Object.keys(tags)).toHaveLength(100)
  expect(tags).toMatchObject({ v119: registry.clock.now, v20: registry.clock.now - 99 })
})

test('a count that another process overtakes is added by the next flush', async () => {
  const registry = await testRegistry()
  const other = new PullCounts(registry)
  other.pull('repo1', DIGEST, 'v2')
  const slow = new PullCounts(before(registry, 'transact', () => other.flush(true)))
  slow.pull('repo1', DIGEST, 'v1')
  await slow.flush(false)
  expect((await pullsOf(registry)).manifest.count).toBe(1)
  await slow.flush(false)
  const { now } = registry.clock
  expect((await pullsOf(registry)).manifest).toEqual({ count: 2, lastAtMs: now, tags: { v1: now, v2: now } })
})

test('a store that is too busy, or fails, costs no count', async () => {
  const registry = await testRegistry()
  let broken = true
  const metadata = {
    ...registry.metadata,
    batchGet: (wanted: Parameters<typeof registry.metadata.batchGet>[0]) =>
      broken ? Promise.reject(new Error('down')) : registry.metadata.batchGet(wanted),
  }
  const counts = new PullCounts({ ...registry, metadata })
  counts.pull('repo1', DIGEST, undefined)
  await expect(counts.flush(false)).rejects.toThrow('down')
  broken = false
  await counts.flush(false)
  expect((await pullsOf(registry)).repository.count).toBe(1)
  const waiting = new PullCounts(busy(registry))
  waiting.pull('repo1', DIGEST, undefined)
  await waiting.flush(false)
  expect(waiting.due).toBe(true)
})

test('a last pull that an older version noted is kept, and counted on from none', async () => {
  const registry = await testRegistry()
  const key = keys.pulled('repo1', DIGEST)
  const attributes = { v: 1, lastPulledAtMs: registry.clock.now + 5 }
  await registry.metadata.batchWrite([{ kind: 'put', item: { ...key, attributes } }])
  const counts = new PullCounts(registry)
  counts.pull('repo1', DIGEST, undefined)
  await counts.flush(false)
  expect((await pullsOf(registry)).manifest).toEqual({ count: 1, lastAtMs: registry.clock.now + 5, tags: {} })
})

test('however pulls and flushes of several processes mix, no pull is lost and none counts twice', async () => {
  const step = fc.record({ process: fc.nat(2), act: fc.constantFrom('pull', 'flush', 'minute') })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const registry = await testRegistry()
      const processes = [0, 1, 2].map(() => new PullCounts(registry))
      let pulls = 0
      const flushing: Promise<void>[] = []
      for (const { process, act } of steps) {
        if (act === 'minute') registry.clock.now += MINUTE_MS
        else if (act === 'flush') flushing.push(processes[process]!.flush(false))
        else {
          processes[process]!.pull('repo1', DIGEST, undefined)
          pulls += 1
        }
      }
      await Promise.all(flushing)
      for (const each of processes) while (await left(each));
      expect((await pullsOf(registry)).manifest.count).toBe(pulls)
    }),
    { numRuns: 60 },
  )
  async function left(counts: PullCounts): Promise<boolean> {
    await counts.flush(true)
    return counts.due
  }
})

test('a manifest that is deleted loses its count, its repository does not', async () => {
  const registry = await testRegistry()
  const { digest } = await pushImage(registry, 'library/app', 'v1')
  const repo = await repositoryId(registry, 'library/app')
  while ((await relay(registry)) > 0);
  const counts = new PullCounts(registry)
  counts.pull(repo, digest, 'v1')
  await counts.flush(true)
  await deleteReference(registry, 'library/app', byDigest(digest), ACTOR)
  while ((await relay(registry)) > 0);
  const { manifest, repository } = await pullsOf(registry, repo, digest)
  expect([manifest.count, repository.count]).toEqual([0, 1])
})
