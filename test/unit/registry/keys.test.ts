// Keys: what is listed together lies in the partitions that are read, in the order it is read in.
import { expect, test } from 'vitest'
import { dayOf, keys, objectKeys, parseReferenceKey, partitions } from '../../../lib/registry/keys.ts'
import { newId, number, text } from '../../../lib/registry/registry.ts'

const [REPO, BLOB, MANIFEST] = ['repo1', 'sha256:b', 'sha256:m']
const many = Array.from({ length: 200 }, (_, at) => newId(1_700_000_000_000 + at))

test('what is listed lies in the partition that is read for it', () => {
  const listed: [string, string][] = [
    [partitions.projects, keys.projectListing('library').pk],
    [partitions.catalog, keys.catalog('library/app').pk],
    [partitions.sweeps, keys.sweep('x').pk],
    [partitions.link(REPO, BLOB), keys.link(REPO, BLOB).pk],
    [partitions.link(REPO, BLOB), keys.linkReference(REPO, BLOB, MANIFEST, 'a').pk],
    [partitions.manifest(REPO, MANIFEST), keys.manifest(REPO, MANIFEST).pk],
    [partitions.manifest(REPO, MANIFEST), keys.manifestReference(REPO, MANIFEST, 'sha256:i', 'a').pk],
    [partitions.manifest(REPO, MANIFEST), keys.deletedManifest(REPO, MANIFEST, 'birth').pk],
    [partitions.tags(REPO), keys.tagListing(REPO, 'v1').pk],
    [partitions.tagMoves(REPO, 'v1'), keys.tagMove(REPO, 'v1', 1).pk],
    [partitions.tagsOfManifest(REPO, MANIFEST), keys.tagOfManifest(REPO, MANIFEST, 'v1').pk],
    [partitions.referrers(REPO, MANIFEST), keys.referrer(REPO, MANIFEST, 'sha256:r').pk],
    [partitions.relayedEvents('p'), keys.relayedEvent('p', 1).pk],
    [partitions.usage('p', BLOB), keys.usage('p', BLOB, REPO, MANIFEST).pk],
    [partitions.ledger('x'), keys.ledgerLine('x', '1').pk],
    [partitions.pulls(7), keys.pulls(7, 'b').pk],
    [partitions.denials(7), keys.denials(7, 'b').pk],
  ]
  for (const [partition, pk] of listed) expect(pk).toBe(partition)
})

test('things that many write at once are spread over several partitions, all of which are read', () => {
  const spread: [string[], string[]][] = [
    [partitions.events, many.map((id) => keys.event(id).pk)],
    [partitions.candidates(7), many.map((id) => keys.candidate(7, `object#${id}`).pk)],
    [partitions.objectReferences('o'), many.map((id) => keys.objectReference('o', id, BLOB).pk)],
  ]
  for (const [read, written] of spread) {
    expect(read.length).toBeGreaterThan(1)
    expect(new Set(written)).toEqual(new Set(read))
  }
})

test('no two kinds of item, and no two items of a kind, share a key', () => {
  const all = ['a', 'b'].flatMap((x) => [
    ...['c', 'd'].flatMap((y) => [
      ...['e', 'f'].flatMap((z) => [
        keys.linkReference(x, y, z, 'n'),
        keys.manifestReference(x, y, z, 'n'),
        keys.referrer(x, y, z),
        keys.usage(x, y, z, 'n'),
      ]),
      keys.link(x, y),
      keys.manifest(x, y),
      keys.manifestBytes(x, y),
      keys.imageFacts(x, y),
      keys.pulled(x, y),
      keys.deletedManifest(x, y, 'n'),
      keys.tag(x, y),
      keys.tagMove(x, y, 1),
      keys.tagListing(x, y),
      keys.tagOfManifest(x, y, 'n'),
      keys.objectReference(x, y, 'n'),
      keys.ledgerLine(x, y),
      keys.access(x, y),
    ]),
    keys.project(x),
    keys.projectListing(x),
    keys.repository(x),
    keys.catalog(x),
    keys.object(x),
    keys.session(x),
    keys.candidate(1, x),
    keys.sweep(x),
    keys.event(x),
    keys.relayedEvent(x, 1),
    keys.projectSequence(x),
    keys.pulls(1, x),
    keys.denials(1, x),
    keys.user(x),
  ])
  const single = [keys.collectorCursor, keys.schema, ...all]
  expect(new Set(single.map(({ pk, sk }) => `${pk}|${sk}`)).size).toBe(single.length)
})

test('moves of a tag and events of a project sort by their number', () => {
  for (const key of [
    (at: number) => keys.tagMove(REPO, 'v1', at),
    (at: number) => keys.relayedEvent('p', at),
  ])
    expect(key(9).sk < key(10).sk && key(99_999_999_999).sk < key(100_000_000_000).sk).toBe(true)
})

test('a reference’s key says which manifest made it, and in which attempt', () => {
  for (const key of [keys.linkReference, keys.manifestReference])
    expect(parseReferenceKey(key(REPO, BLOB, MANIFEST, 'a1').sk)).toEqual({
      manifest: MANIFEST,
      attempt: 'a1',
    })
})

test('objects of blobs and of manifests differ, and are both found by the inventory', () => {
  const [blob, manifest] = [objectKeys.blob(REPO, 'x'), objectKeys.manifest(REPO, 'x')]
  expect(blob).not.toBe(manifest)
  for (const key of [blob, manifest]) expect(key.startsWith(objectKeys.all)).toBe(true)
})

test('a day begins at midnight UTC', () => {
  const midnight = Date.UTC(2026, 0, 2)
  expect(dayOf(midnight) - dayOf(midnight - 1)).toBe(1)
  expect(dayOf(midnight)).toBe(dayOf(midnight + 86_399_999))
})

test('ids are never the same, of one length and few characters, and sort by the millisecond they were made in', () => {
  for (const id of many) expect(id).toMatch(/^[0-9a-z]{29}$/)
  expect(many.toSorted()).toEqual(many)
  expect(newId(1) < newId(Date.now())).toBe(true)
  expect(newId(1)).toHaveLength(29)
  expect(new Set(Array.from({ length: 100 }, () => newId(1))).size).toBe(100)
})

test('an item without an attribute it must have is a fault of ours that names the item', () => {
  const item = { pk: 'L#x', sk: 'L', attributes: { word: 'w', count: 7 } }
  expect(text(item, 'word')).toBe('w')
  expect(number(item, 'count')).toBe(7)
  for (const wrong of [() => text(item, 'count'), () => number(item, 'word'), () => text(item, 'none')])
    expect(wrong).toThrow(/L#x L: (count|word|none) /)
})
