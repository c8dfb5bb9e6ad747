// What a collector decides about one link, manifest, deletion or object, and what changes its mind half way.
import { expect, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/oci/digest.ts'
import { findBlob } from '../../lib/registry/blobs.ts'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { collectLink } from '../../lib/registry/gc/collect-link.ts'
import { collectDeleted, collectManifest } from '../../lib/registry/gc/collect-manifest.ts'
import { Ledger } from '../../lib/registry/gc/ledger.ts'
import { keys } from '../../lib/registry/keys.ts'
import { linkChange, readLink } from '../../lib/registry/links.ts'
import { readManifest } from '../../lib/registry/manifest-record.ts'
import { findManifest } from '../../lib/registry/manifests.ts'
import type { Registry } from '../../lib/registry/registry.ts'
import { before } from './meddling.ts'
import {
  ACTOR,
  byDigest,
  byTag,
  DAY_MS,
  HOUR_MS,
  itemsOf,
  pushBlob,
  pushImage,
  pushIndex,
  repositoryId,
  type TestRegistry,
  testRegistry,
} from './registry.ts'

const NAME = 'library/app'
const DONE = { kind: 'done' }
const AGAIN = { kind: 'again' }
const later = (dueAtMs: number) => ({ kind: 'later', dueAtMs })
const MANIFEST = digestOf(Buffer.from('a manifest'))

async function link(registry: Registry, digest: Digest) {
  return readLink(registry, await repositoryId(registry, NAME), digest)
}

/** @returns the collector's verdict; what went is on the record, and nothing else */
async function decide(registry: Registry, kind: 'link' | 'manifest', digest: Digest) {
  const ledger = new Ledger(registry, 'test')
  const repo = await repositoryId(registry, NAME)
  const collect = kind === 'link' ? collectLink : collectManifest
  const there = kind === 'link' ? readLink : readManifest
  const had = await there(registry, repo, digest)
  const verdict = await collect(registry, ledger, repo, digest)
  const went = had && !(await there(registry, repo, digest))
  expect(await itemsOf(registry, `SWEEP#${ledger.summary.id}`)).toHaveLength(went ? 1 : 0)
  return verdict
}

async function refer(registry: TestRegistry, blob: Digest, attempt: string): Promise<void> {
  const key = keys.linkReference(await repositoryId(registry, NAME), blob, MANIFEST, attempt)
  const attributes = { v: 1, writtenAtMs: registry.clock.now }
  await registry.metadata.batchWrite([{ kind: 'put', item: { ...key, attributes } }])
}

async function setState(registry: Registry, digest: Digest, state: 'corrupt' | 'condemned'): Promise<void> {
  await registry.metadata.transact([linkChange(registry, (await link(registry, digest))!, { state })])
}

const references = async (registry: TestRegistry) =>
  (await itemsOf(registry, 'L#')).filter(({ sk }) => sk.startsWith('R#')).map(({ sk }) => sk)

test('an unused blob goes a push grace after the end of the day it was last used, whatever hour that was', async () => {
  for (const hour of [0, 23]) {
    const registry = await testRegistry({ pushGraceMs: 2 * DAY_MS })
    const midnight = registry.clock.now
    registry.clock.now += hour * HOUR_MS
    const digest = await pushBlob(registry, NAME, 'blob')
    const dueAtMs = midnight + 3 * DAY_MS
    registry.clock.now = dueAtMs - 1
    expect(await decide(registry, 'link', digest)).toEqual(later(dueAtMs))
    expect(await link(registry, digest)).toMatchObject({ state: 'live' })
    registry.clock.now = dueAtMs
    expect(await decide(registry, 'link', digest)).toEqual(DONE)
    expect(await link(registry, digest)).toBeUndefined()
    expect((await itemsOf(registry, 'O#')).map((item) => item.sk)).toEqual(['O'])
    expect(await decide(registry, 'link', digest)).toEqual(DONE)
  }
})

test('a blob of a manifest that exists, or that undo can bring back, stays and is as usable as before', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  registry.clock.now += 5 * DAY_MS
  for (const deleted of [false, true]) {
    if (deleted) await deleteReference(registry, NAME, byDigest(image.digest), ACTOR)
    expect(await decide(registry, 'link', image.layer)).toEqual(DONE)
    expect(await link(registry, image.layer)).toMatchObject({ state: 'live' })
  }
})

test('a reference of a push that may be under way keeps a blob a day, one that is older is dropped', async () => {
  const registry = await testRegistry()
  const digest = await pushBlob(registry, NAME, 'blob')
  await refer(registry, digest, 'dead')
  registry.clock.now += 3 * DAY_MS
  await refer(registry, digest, 'young')
  registry.clock.now += DAY_MS - 1
  expect(await decide(registry, 'link', digest)).toEqual(later(registry.clock.now + DAY_MS))
  expect(await link(registry, digest)).toMatchObject({ state: 'live' })
  expect(await references(registry)).toEqual([`R#${MANIFEST}#young`])
  registry.clock.now += 1
  expect(await decide(registry, 'link', digest)).toEqual(DONE)
  expect(await link(registry, digest)).toBeUndefined()
  expect(await references(registry)).toEqual([])
})

test('a corrupt blob goes like any other, and while it is used it stays corrupt', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  const unused = await pushBlob(registry, NAME, 'unused')
  for (const digest of [image.layer, unused]) await setState(registry, digest, 'corrupt')
  registry.clock.now += 5 * DAY_MS
  for (const digest of [image.layer, unused]) expect(await decide(registry, 'link', digest)).toEqual(DONE)
  expect(await link(registry, image.layer)).toMatchObject({ state: 'corrupt' })
  expect(await link(registry, unused)).toBeUndefined()
})

test('a blob that is used again at any moment of its collection stays', async () => {
  for (const [method, turn] of [
    ['transact', 0],
    ['transact', 1],
    ['get', 1],
    ['query', 0],
  ] as const) {
    const registry = await testRegistry()
    const digest = await pushBlob(registry, NAME, 'blob')
    registry.clock.now += 5 * DAY_MS
    const slow = before(registry, method, () => findBlob(registry, NAME, digest, true), turn)
    const repo = await repositoryId(registry, NAME)
    expect(await collectLink(slow, new Ledger(registry, 'test'), repo, digest)).toEqual(AGAIN)
    expect(await link(registry, digest)).toMatchObject({ state: 'live' })
  }
})

test('of two collectors at once one takes the blob, the other looks again', async () => {
  for (const [method, turn] of [
    ['transact', 0],
    ['get', 1],
  ] as const) {
    const registry = await testRegistry()
    const digest = await pushBlob(registry, NAME, 'blob')
    registry.clock.now += 5 * DAY_MS
    const slow = before(registry, method, () => decide(registry, 'link', digest), turn)
    const repo = await repositoryId(registry, NAME)
    expect(await collectLink(slow, new Ledger(registry, 'test'), repo, digest)).toEqual(AGAIN)
    expect(await link(registry, digest)).toBeUndefined()
  }
})

test('an untagged manifest goes once both windows have passed since the end of the day it was last used', async () => {
  for (const [undoWindowMs, pushGraceMs] of [
    [DAY_MS, 3 * DAY_MS],
    [3 * DAY_MS, DAY_MS],
  ] as const) {
    const registry = await testRegistry({ undoWindowMs, pushGraceMs })
    const { digest } = await pushImage(registry, NAME, undefined)
    const dueAtMs = registry.clock.now + 4 * DAY_MS
    registry.clock.now = dueAtMs - 1
    expect(await decide(registry, 'manifest', digest)).toEqual(later(dueAtMs))
    registry.clock.now = dueAtMs
    expect(await decide(registry, 'manifest', digest)).toEqual(DONE)
    await expect(findManifest(registry, NAME, byDigest(digest))).rejects.toMatchObject({
      code: 'MANIFEST_UNKNOWN',
    })
    expect(await decide(registry, 'manifest', digest)).toEqual(DONE)
  }
})

test('a manifest that is tagged, a referrer, or held by an index stays', async () => {
  const registry = await testRegistry({ undoWindowMs: DAY_MS })
  const child = await pushImage(registry, NAME, undefined)
  const index = await pushIndex(registry, NAME, 'all', [child])
  const referrer = await pushImage(registry, NAME, undefined, { layer: 'sbom', subject: child.digest })
  registry.clock.now += 9 * DAY_MS
  for (const digest of [index, referrer.digest, child.digest]) {
    expect(await decide(registry, 'manifest', digest)).toEqual(DONE)
    await findManifest(registry, NAME, byDigest(digest))
  }
  await deleteReference(registry, NAME, byDigest(index), ACTOR)
  expect(await decide(registry, 'manifest', child.digest)).toEqual(DONE)
  await findManifest(registry, NAME, byDigest(child.digest))
})

test('a manifest an index under way refers to is looked at again a day later', async () => {
  const registry = await testRegistry({ undoWindowMs: DAY_MS })
  const { digest } = await pushImage(registry, NAME, undefined)
  registry.clock.now += 9 * DAY_MS
  const key = keys.manifestReference(await repositoryId(registry, NAME), digest, MANIFEST, 'attempt')
  const attributes = { v: 1, writtenAtMs: registry.clock.now }
  await registry.metadata.batchWrite([{ kind: 'put', item: { ...key, attributes } }])
  expect(await decide(registry, 'manifest', digest)).toEqual(later(registry.clock.now + DAY_MS))
})

test('a manifest held by an index that exists is not looked at again for one that may never', async () => {
  const registry = await testRegistry({ undoWindowMs: DAY_MS })
  const child = await pushImage(registry, NAME, undefined)
  await pushIndex(registry, NAME, 'all', [child])
  registry.clock.now += 9 * DAY_MS
  const key = keys.manifestReference(await repositoryId(registry, NAME), child.digest, MANIFEST, 'attempt')
  const attributes = { v: 1, writtenAtMs: registry.clock.now }
  await registry.metadata.batchWrite([{ kind: 'put', item: { ...key, attributes } }])
  expect(await decide(registry, 'manifest', child.digest)).toEqual(DONE)
})

test('in a project that keeps untagged manifests they are looked at once a week', async () => {
  const registry = await testRegistry({ undoWindowMs: DAY_MS }, { keepUntagged: true })
  const { digest } = await pushImage(registry, NAME, undefined)
  registry.clock.now += 9 * DAY_MS
  expect(await decide(registry, 'manifest', digest)).toEqual(later(registry.clock.now + 7 * DAY_MS))
})

test('a manifest that gets a tag at any moment of its expiry keeps the tag', async () => {
  for (const turn of [0, 1]) {
    const registry = await testRegistry({ undoWindowMs: DAY_MS })
    const { digest } = await pushImage(registry, NAME, undefined)
    registry.clock.now += 9 * DAY_MS
    const slow = before(registry, 'transact', () => pushImage(registry, NAME, 'v1'), turn)
    const repo = await repositoryId(registry, NAME)
    expect(await collectManifest(slow, new Ledger(registry, 'test'), repo, digest)).toEqual(DONE)
    expect((await findManifest(registry, NAME, byTag('v1'))).record).toMatchObject({ digest, state: 'live' })
  }
})

test('when a window ends, untagged referrers follow the subject, and tagged ones stay', async () => {
  for (const returned of [false, true]) {
    const registry = await testRegistry({ undoWindowMs: DAY_MS })
    const subject = await pushImage(registry, NAME, 'v1')
    const repo = await repositoryId(registry, NAME)
    const { birth } = (await readManifest(registry, repo, subject.digest))!
    const about = { subject: subject.digest }
    const untagged = await pushImage(registry, NAME, undefined, { layer: 'untagged', ...about })
    const tagged = await pushImage(registry, NAME, 'sbom', { layer: 'tagged', ...about })
    await deleteReference(registry, NAME, byDigest(subject.digest), ACTOR)
    const end = () => collectDeleted(registry, new Ledger(registry, 'test'), repo, subject.digest, birth)
    const dueAtMs = registry.clock.now + DAY_MS
    registry.clock.now = dueAtMs - 1
    expect(await end()).toEqual(later(dueAtMs))
    if (returned) await pushImage(registry, NAME, 'v1')
    registry.clock.now = dueAtMs
    expect(await end()).toEqual(DONE)
    expect(await end()).toEqual(DONE)
    await findManifest(registry, NAME, byDigest(tagged.digest))
    expect((await readManifest(registry, repo, untagged.digest)) === undefined).toBe(!returned)
  }
})
