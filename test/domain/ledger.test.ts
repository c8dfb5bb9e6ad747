// The record of sweeps: what went and why, and the sweeps themselves.
import { expect, test } from 'vitest'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { listSweeps, readLedger } from '../../lib/registry/gc/ledger.ts'
import { sweep } from '../../lib/registry/gc/sweep.ts'
import { before } from './meddling.ts'
import { ACTOR, byDigest, DAY_MS, HOUR_MS, once, pushImage, repositoryId, testRegistry } from './registry.ts'

const NAME = 'library/app'

test('the ledger says what went, where it was and why: manifest, deletion, link and object', async () => {
  const registry = await testRegistry({ undoWindowMs: DAY_MS })
  const image = await pushImage(registry, NAME, undefined)
  const deleted = await pushImage(registry, NAME, 'v1', { layer: 'other' })
  await deleteReference(registry, NAME, byDigest(deleted.digest), ACTOR)
  const lines = []
  for (let step = 0; step < 50; step++) {
    registry.clock.now += 6 * HOUR_MS
    const { id, startedAtMs } = await sweep(registry, 'test')
    expect(startedAtMs).toBe(registry.clock.now)
    lines.push(...(await Array.fromAsync(readLedger(registry, id))))
  }
  const where = await repositoryId(registry, NAME)
  const expected = [
    { what: 'manifest', where, digest: image.digest, why: 'untagged', freedBytes: 0 },
    { what: 'deletion', where, digest: image.digest, freedBytes: 0 },
    { what: 'deletion', where, digest: deleted.digest, freedBytes: 0 },
    ...[image.layer, deleted.layer].map((digest) => ({ what: 'link', where, digest, freedBytes: 0 })),
    { what: 'object', freedBytes: 5 },
  ]
  for (const line of expected) expect(lines).toContainEqual(expect.objectContaining(line))
  expect(lines.filter((line) => line.what === 'object')).toHaveLength(4)
})

test('a ledger is read in the order in which things went, and its summary is what it adds up to', async () => {
  const registry = await testRegistry({ undoWindowMs: DAY_MS })
  const image = await pushImage(registry, NAME, 'v1')
  await deleteReference(registry, NAME, byDigest(image.digest), ACTOR)
  for (let number = 0; number < 12; number++)
    await registry.blobs.put(`b/some/u/${number}`, once(Buffer.from('orphan')))
  registry.clock.now += DAY_MS
  const summary = await sweep(registry, 'test')
  const lines = await Array.fromAsync(readLedger(registry, summary.id))
  const orphans = Array.from({ length: 12 }, (_, number) => `b/some/u/${number}`)
  expect(lines.map((line) => line.where)).toEqual([await repositoryId(registry, NAME), ...orphans])
  const { id, startedAtMs, endedAtMs, ...counted } = summary
  const none = { manifests: 0, links: 0, sessions: 0 }
  expect(counted).toEqual({
    state: 'done',
    trigger: 'test',
    looked: expect.any(Number),
    objects: 12,
    freedBytes: 72,
    failures: 0,
    ...none,
  })
  expect((await listSweeps(registry, 1))[0]).toMatchObject(summary)
})

test('the latest sweeps come first, as many as asked for, each with its times', async () => {
  const registry = await testRegistry()
  const ids = []
  for (let number = 0; number < 3; number++) {
    registry.clock.now += HOUR_MS
    ids.unshift((await sweep(registry, `test ${number}`)).id)
  }
  expect((await listSweeps(registry, 2)).map((each) => each.id)).toEqual(ids.slice(0, 2))
  expect((await listSweeps(registry, 1))[0]).toMatchObject({
    trigger: 'test 2',
    state: 'done',
    startedAtMs: registry.clock.now,
    endedAtMs: registry.clock.now,
  })
})

test('a sweep that is under way, or was killed, is on the record as running', async () => {
  const registry = await testRegistry()
  let during: unknown
  await sweep(
    before(registry, 'get', async () => {
      during = (await listSweeps(registry, 1))[0]
    }),
    'test',
  )
  expect(during).toMatchObject({ state: 'running', trigger: 'test' })
  expect(during).not.toHaveProperty('endedAtMs')
})
