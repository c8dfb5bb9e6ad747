// Keys: what is listed together lies in the partitions that are read, in the order it is read in.
import { expect, test } from 'vitest'
import { dayOf, keys, partitions } from '../../../lib/registry/keys.ts'
import { objectKeys } from '../../../lib/registry/object-keys.ts'
import { parseReferenceKey } from '../../../lib/registry/parsed-keys.ts'
import { newId, number, text } from '../../../lib/registry/registry.ts'

const [REPO, BLOB, MANIFEST] = ['repo1', 'sha256:b', 'sha256:m']
const many = Array.from({ length: 200 }, (_, at) => newId(1_700_000_000_000 + at))

test('what is listed lies in the partition that is read for it', () => {
  const listed: [string, string][] = [
    [partitions.projects, keys.projectListing('library').pk],
    [partitions.users, keys.userListing(1).pk],
    [partitions.groups, keys.group(1).pk],
    [partitions.robots, keys.robotListing(1).pk],
    [partitions.members('library'), keys.member('library', 'user', 1).pk],
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
      keys.labelsOfManifest(x, y),
      keys.labelListing(x, y),
      keys.labelled(1, x, y),
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
    keys.repositoryById(x),
    keys.repositoryDescription(x),
    keys.repositoryPulls(x),
    keys.repositoryEvent(x),
    keys.artifactCount(x),
    keys.lastNumber(x),
  ])
  const single = [keys.collectorCursor, keys.schema, keys.label(1), keys.labelListing('g', 'c'), ...all]
  expect(new Set(single.map(({ pk, sk }) => `${pk}|${sk}`)).size).toBe(single.length)
})

test('keys are what they were when a store was written: an update finds what is there', () => {
  const written: [{ pk: string; sk: string }, pk: string, sk: string][] = [
    [keys.project('library'), 'P#library', 'P'],
    [keys.projectListing('library'), 'PROJECTS', 'library'],
    [keys.repository('library/app'), 'N#library/app', 'N'],
    [keys.catalog('library/app'), 'CATALOG', 'library/app'],
    [keys.link('r', 'd'), 'L#r#d', 'L'],
    [keys.linkReference('r', 'd', 'm', 'a'), 'L#r#d', 'R#m#a'],
    [keys.manifest('r', 'm'), 'M#r#m', 'M'],
    [keys.manifestBytes('r', 'm'), 'M#r#m', 'B'],
    [keys.imageFacts('r', 'm'), 'M#r#m', 'I'],
    [keys.pulled('r', 'm'), 'M#r#m', 'P'],
    [keys.labelsOfManifest('r', 'm'), 'M#r#m', 'G'],
    [keys.repositoryDescription('r'), 'I#r', 'D'],
    [keys.repositoryPulls('r'), 'I#r', 'P'],
    [keys.repositoryEvent('r'), 'I#r', 'E'],
    [keys.artifactCount('r'), 'I#r', 'C'],
    [keys.label(7), 'LB#7', 'L'],
    [keys.labelListing('g', 'prod'), 'LS#g', 'prod'],
    [keys.labelListing('p', 'prod'), 'LS#p#p', 'prod'],
    [keys.labelled(7, 'r', 'm'), 'LA#7', 'r#m'],
    [keys.manifestReference('r', 'm', 'i', 'a'), 'M#r#m', 'R#i#a'],
    [keys.deletedManifest('r', 'm', 'b'), 'M#r#m', 'X#b'],
    [keys.tag('r', 't'), 'T#r#t', 'T'],
    [keys.tagMove('r', 't', 7), 'H#r#t', '000000000007'],
    [keys.tagListing('r', 't'), 'TL#r', 't'],
    [keys.tagOfManifest('r', 'm', 't'), 'TD#r#m', 't'],
    [keys.referrer('r', 's', 'm'), 'RF#r#s', 'm'],
    [keys.object('o'), 'O#o', 'O'],
    [keys.objectReference('o', 'repository-1', 'd'), 'O#o#2', 'repository-1#d'],
    [keys.session('s'), 'S#s', 'S'],
    [keys.candidate(7, 'link#r#d'), 'GC#7#2', 'link#r#d'],
    [keys.collectorCursor, 'GC', 'cursor'],
    [keys.sweep('x'), 'SWEEPS', 'x'],
    [keys.ledgerLine('x', '1'), 'SWEEP#x', '1'],
    [keys.event('event-1'), 'E#2', 'event-1'],
    [keys.relayedEvent('p', 7), 'EV#p', '000000000007'],
    [keys.projectSequence('p'), 'ES#p', 'S'],
    [keys.usage('p', 'd', 'r', 'm'), 'Q#p#d', 'r#m'],
    [keys.pulls(7, 'b'), 'PULLS#7', 'b'],
    [keys.denials(7, 'b'), 'DENIALS#7', 'b'],
    [keys.access('bob', 'what'), 'ACCESS#bob', 'what'],
    [keys.user('bob'), 'U#bob', 'U'],
    [keys.schema, 'META', 'schema'],
  ]
  for (const [key, pk, sk] of written) expect(key).toEqual({ pk, sk })
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
