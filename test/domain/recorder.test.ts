// Records of use: what a line says, what is written how often, and what is lost under load.
import { expect, test } from 'vitest'
import { keys, partitions } from '../../lib/registry/keys.ts'
import { type PullRecord, Recorder } from '../../lib/registry/recorder.ts'
import { DAY_MS, itemsOf, testRegistry } from './registry.ts'

const MINUTE_MS = 60_000

const DIGEST = 'sha256:abc'
const PULL: PullRecord = {
  repo: 'repo1',
  repository: 'library/app',
  tag: 'v1',
  digest: DIGEST,
  principal: 'bob',
  client: 'test',
  requestId: 'r',
  hit: true,
}
const DENIAL = { principal: 'eve', asked: 'PUT /v2/x', rule: 'no', requestId: 'r', client: 'c' }

async function recording() {
  const registry = await testRegistry()
  const recorder = new Recorder(registry)
  const day = () => Math.floor(registry.clock.now / DAY_MS)
  const lines = async (pk: string) =>
    (await registry.metadata.query({ pk, limit: 1000 })).flatMap((item) => item.attributes.lines as unknown[])
  return {
    registry,
    recorder,
    day,
    pulls: () => lines(partitions.pulls(day())),
    denials: () => lines(partitions.denials(day())),
    lastPull: async () =>
      (await registry.metadata.get(keys.pulled('repo1', DIGEST)))?.attributes.lastPulledAtMs,
  }
}

test('a pull and a denial are on the record of their day as they were, with their time', async () => {
  const { registry, recorder, pulls, denials } = await recording()
  const atMs = registry.clock.now
  recorder.pull(PULL)
  recorder.denial(DENIAL)
  registry.clock.now += 1000
  await recorder.flush()
  expect(await pulls()).toEqual([{ ...PULL, atMs }])
  expect(await denials()).toEqual([{ ...DENIAL, atMs }])
})

test('writing with nothing new writes nothing', async () => {
  const { registry, recorder } = await recording()
  const before = (await itemsOf(registry, '')).length
  await recorder.flush()
  recorder.pull({ ...PULL, hit: false })
  await recorder.flush()
  await recorder.flush()
  expect((await itemsOf(registry, '')).length).toBe(before + 1)
  recorder.pull(PULL)
  await recorder.flush()
  const key = keys.pulled('repo1', DIGEST)
  await registry.metadata.batchWrite([{ kind: 'delete', key }])
  await recorder.flush()
  expect(await registry.metadata.get(key)).toBeUndefined()
})

test('two hundred lines are one item, one more begins a second', async () => {
  for (const [count, items] of [
    [200, 1],
    [201, 2],
  ] as const) {
    const { registry, recorder, denials } = await recording()
    for (let number = 0; number < count; number++) recorder.denial(DENIAL)
    await recorder.flush()
    expect(await itemsOf(registry, 'DENIALS#')).toHaveLength(items)
    expect(await denials()).toHaveLength(count)
  }
})

test('a pull that found nothing is no use of a manifest', async () => {
  const { recorder, pulls, lastPull } = await recording()
  recorder.pull({ ...PULL, hit: false })
  await recorder.flush()
  expect(await pulls()).toHaveLength(1)
  expect(await lastPull()).toBeUndefined()
})

test('the last pull of a manifest is written again after a minute, not before', async () => {
  const { registry, recorder, lastPull } = await recording()
  const pull = async () => {
    recorder.pull(PULL)
    await recorder.flush()
    return lastPull()
  }
  const first = registry.clock.now
  expect(await pull()).toBe(first)
  registry.clock.now += MINUTE_MS - 1
  expect(await pull()).toBe(first)
  registry.clock.now += 1
  expect(await pull()).toBe(first + MINUTE_MS)
})

test('pulls of other manifests, or of the same in other repositories, are noted each on its own', async () => {
  const { registry, recorder } = await recording()
  recorder.pull(PULL)
  recorder.pull({ ...PULL, digest: 'sha256:def' })
  recorder.pull({ ...PULL, repo: 'repo2' })
  await recorder.flush()
  expect((await itemsOf(registry, 'M#')).map((item) => item.pk).sort()).toEqual([
    'M#repo1#sha256:abc',
    'M#repo1#sha256:def',
    'M#repo2#sha256:abc',
  ])
})

test('what a principal asked and got is written once a day, and what changed at once', async () => {
  const { registry, recorder, day } = await recording()
  const what = 'repository:library/app:push'
  const access = async (got: boolean) => {
    recorder.access('bob', what, got)
    await recorder.flush()
    const key = keys.access('bob', what)
    const item = await registry.metadata.get(key)
    await registry.metadata.batchWrite([{ kind: 'delete', key }])
    return item?.attributes
  }
  expect(await access(false)).toEqual({ v: 1, askedDay: day(), got: false })
  expect(await access(false)).toBeUndefined()
  expect(await access(true)).toEqual({ v: 1, askedDay: day(), got: true })
  registry.clock.now += DAY_MS
  expect(await access(true)).toEqual({ v: 1, askedDay: day(), got: true })
  recorder.access('eve', what, true)
  recorder.access('bob', 'catalog:*:read', true)
  await recorder.flush()
  expect(await itemsOf(registry, 'ACCESS#')).toHaveLength(2)
})

test('what comes faster than it can be kept is counted as lost, and the next is kept once there is room', async () => {
  const { recorder, pulls, lastPull } = await recording()
  for (let number = 0; number < 20_000; number++) recorder.pull({ ...PULL, hit: false })
  expect(recorder.lost).toBe(0)
  recorder.pull(PULL)
  expect(recorder.lost).toBe(1)
  recorder.denial(DENIAL)
  expect(recorder.lost).toBe(1)
  await recorder.flush()
  expect(await pulls()).toHaveLength(20_000)
  expect(await lastPull()).toBeUndefined()
  recorder.pull(PULL)
  expect(recorder.lost).toBe(1)
  await recorder.flush()
  expect(await lastPull()).toBeDefined()
})
