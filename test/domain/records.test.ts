// What is recorded besides the content: history, events, usage, image facts, pulls, denials.
import { expect, test } from 'vitest'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { fsck } from '../../lib/registry/fsck.ts'
import { keys } from '../../lib/registry/keys.ts'
import { Recorder } from '../../lib/registry/recorder.ts'
import { eventsOf, relay } from '../../lib/registry/relay.ts'
import { historyIsWhole, tagHistory } from '../../lib/registry/tags.ts'
import { ACTOR, itemsOf, pushImage, repositoryId, testRegistry } from './registry.ts'

const NAME = 'library/app'

test('each move of a tag says when, who, why and from where, and is chained to the one before', async () => {
  const registry = await testRegistry()
  const first = await pushImage(registry, NAME, 'v1', { layer: 'first' })
  const second = await pushImage(registry, NAME, 'v1', { layer: 'second' })
  await deleteReference(registry, NAME, { kind: 'tag', tag: 'v1' }, ACTOR)
  const repo = await repositoryId(registry, NAME)
  const moves = await tagHistory(registry, repo, 'v1', 10)
  expect(moves.map(({ sequence, digest, previous, cause }) => [sequence, digest, previous, cause])).toEqual([
    [3, null, second.digest, 'delete'],
    [2, second.digest, first.digest, 'push'],
    [1, first.digest, null, 'push'],
  ])
  expect(moves[0]).toMatchObject({
    principal: 'alice',
    requestId: 'r-1',
    atMs: registry.clock.now,
    previousHash: moves[1]!.hash,
  })
  expect(historyIsWhole(repo, 'v1', moves)).toBe(true)
  for (const altered of [
    moves.map((move) => (move.sequence === 2 ? { ...move, principal: 'mallory' } : move)),
    moves.filter((move) => move.sequence !== 2),
  ])
    expect(historyIsWhole(repo, 'v1', altered)).toBe(false)
  expect(historyIsWhole(repo, 'v2', moves)).toBe(false)
})

test('fsck notices an altered history', async () => {
  const registry = await testRegistry()
  await pushImage(registry, NAME, 'v1')
  expect((await fsck(registry)).findings).toEqual([])
  const item = (await itemsOf(registry, 'H#'))[0]!
  await registry.metadata.batchWrite([
    { kind: 'put', item: { ...item, attributes: { ...item.attributes, principal: 'mallory' } } },
  ])
  expect((await fsck(registry)).findings).toEqual([
    { severity: 'error', where: expect.stringContaining('tag v1'), what: 'its history was altered' },
  ])
})

test('pushing the same again moves nothing and tells nobody', async () => {
  const registry = await testRegistry()
  await pushImage(registry, NAME, 'v1')
  const events = registry.events
  await pushImage(registry, NAME, 'v1')
  expect(registry.events).toBe(events)
  expect(await tagHistory(registry, await repositoryId(registry, NAME), 'v1', 10)).toHaveLength(1)
})

test('events are relayed once each, in an order, and usage follows what exists', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  await pushImage(registry, NAME, 'v2', { layer: 'other' })
  while ((await relay(registry)) > 0);
  expect(await itemsOf(registry, 'E#')).toEqual([])
  const project = (await registry.metadata.get(keys.project('library')))!.attributes.id as string
  const events = await Array.fromAsync(eventsOf(registry, project))
  expect(events.map(({ attributes }) => [attributes.sequence, attributes.type])).toEqual([
    [1, 'manifest.pushed'],
    [2, 'manifest.pushed'],
  ])
  expect(await itemsOf(registry, `Q#${project}#${image.layer}`)).toHaveLength(1)
  await deleteReference(registry, NAME, { kind: 'digest', digest: image.digest }, ACTOR)
  while ((await relay(registry)) > 0);
  expect(await itemsOf(registry, `Q#${project}#${image.layer}`)).toHaveLength(0)
  expect(await itemsOf(registry, `Q#${project}#`)).toHaveLength(3)
})

test('an event that cannot be relayed stays and does not hold up the others', async () => {
  const registry = await testRegistry()
  await pushImage(registry, NAME, 'v1')
  await pushImage(registry, NAME, 'v2', { layer: 'other' })
  const damaged = (await itemsOf(registry, 'M#')).find((item) => item.sk === 'B')!
  await registry.metadata.batchWrite([{ kind: 'delete', key: damaged }])
  const failures: unknown[] = []
  while ((await relay(registry, (error) => failures.push(error))) > 0);
  expect(failures[0]).toMatchObject({ code: 'MANIFEST_UNKNOWN' })
  expect(await itemsOf(registry, 'E#')).toHaveLength(1)
  expect(await itemsOf(registry, 'EV#')).toHaveLength(1)
})

test('pulls and denials are written in batches, the last pull of a manifest once a minute', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  const repo = await repositoryId(registry, NAME)
  const recorder = new Recorder(registry)
  const pull = {
    repo,
    repository: NAME,
    tag: 'v1',
    digest: image.digest,
    principal: 'bob',
    client: 'test',
    requestId: 'r',
    hit: true,
  }
  for (let number = 0; number < 450; number++) recorder.pull(pull)
  recorder.pull({ ...pull, hit: false })
  recorder.denial({ principal: 'eve', asked: 'PUT /v2/x', rule: 'no', requestId: 'r', client: 'c' })
  recorder.access('bob', 'repository:library/app:pull', true)
  recorder.access('bob', 'repository:library/app:pull', true)
  await recorder.flush()
  await recorder.flush()
  const batches = await itemsOf(registry, 'PULLS#')
  expect(batches.map((item) => (item.attributes.lines as unknown[]).length).sort()).toEqual([200, 200, 51])
  expect(await itemsOf(registry, 'DENIALS#')).toMatchObject([
    { expiresAtEpochSeconds: registry.clock.now / 1000 + 30 * 86_400 },
  ])
  expect(await itemsOf(registry, 'ACCESS#bob')).toMatchObject([
    { sk: 'repository:library/app:pull', attributes: { got: true } },
  ])
  const pulled = async () =>
    (await registry.metadata.get(keys.pulled(repo, image.digest)))?.attributes.lastPulledAtMs
  const first = await pulled()
  expect(first).toBe(registry.clock.now)
  registry.clock.now += 30_000
  recorder.pull(pull)
  await recorder.flush()
  expect(await pulled()).toBe(first)
  registry.clock.now += 30_000
  recorder.pull(pull)
  await recorder.flush()
  expect(await pulled()).toBe(registry.clock.now)
})

test('records that come faster than they can be kept are counted as lost', async () => {
  const recorder = new Recorder(await testRegistry())
  for (let number = 0; number < 20_010; number++)
    recorder.denial({ principal: 'p', asked: 'a', rule: 'r', requestId: 'i', client: 'c' })
  expect(recorder.lost).toBe(10)
})
