// Patterns, filters and names of replication rules. The cases of globs and names are Harbor's own
// (src/pkg/reg/util/pattern_test.go, src/controller/replication/flow/stage_test.go).
import { expect, test } from 'vitest'
import { parseManifest } from '../../lib/oci/manifest.ts'
import {
  labelFilter,
  platformFilter,
  referenceFilter,
  resourceFilter,
} from '../../lib/replication/filters.ts'
import { refuseSelf } from '../../lib/replication/itself.ts'
import { destinationName } from '../../lib/replication/names.ts'
import { globMatcher, namesIn, prefixOf, tagMatcher } from '../../lib/replication/patterns.ts'
import { chunksOf, partsOf } from '../../lib/replication/pieces.ts'
import type { PolicyFilter, ReplicationPolicy } from '../../lib/replication/policy.ts'
import { Turns } from '../../lib/replication/turns.ts'

test.each([
  ['', 'library', true],
  ['', '', true],
  ['*', 'library', true],
  ['*', 'library/hello-world', false],
  ['**', 'library/hello-world', true],
  ['{library,harbor}/**', 'library/hello-world', true],
  ['{library,harbor}/**', 'harbor/hello-world', true],
  ['1.?', '1.0', true],
  ['1.?', '1.01', false],
  ['v2.[4-6].*', 'v2.4.0', true],
  ['v2.[4-7].*', 'v2.7.0', true],
  // Ours.
  ['library/**', 'library/a/b/c', true],
  ['library/**', 'library2/a', false],
  ['**/app', 'app', true],
  ['**/app', 'team/deep/app', true],
  ['**/app', 'team/myapp', false],
  ['team/**/app', 'team/app', true],
  ['team/**/app', 'team/a/b/app', true],
  ['v[^0-1]*', 'v2', true],
  ['v[^0-1]*', 'v1', false],
  ['v1.0+(x)', 'v1.0+(x)', true],
  ['a.c', 'abc', false],
  ['{a,{b,c}}/x', 'c/x', true],
])('the pattern %j matches %j: %s', (pattern, text, matches) => {
  expect(globMatcher(pattern)(text)).toBe(matches)
})

test('a pattern that would take others years answers at once', () => {
  const text = `${'a'.repeat(120)}!`
  for (const pattern of ['*a*a*a*a*a*a*a*a*a*a*b', 'regex:^(a+)+$', 'regex:(a*)*(a*)*(a*)*b', 'regex:(.*)*x'])
    expect(tagMatcher(pattern)(text)).toBe(false)
})

test.each([
  '{a',
  '[a',
  'regex:(',
  'regex:(?=a)',
  'regex:((a{500}){500}){500}',
  'semver:x.y.z.w',
  'a'.repeat(600),
])('the pattern %j is refused', (pattern) => {
  expect(() => tagMatcher(pattern)).toThrow()
})

test.each([
  ['semver:>=1.2 <2', ['1.2.0', 'v1.9.3', '1.10.0'], ['1.1.9', '2.0.0', 'latest', '1.2', 'v1.9.3-rc.1']],
  ['semver:^1.2 || ~3.0', ['1.2.1', '3.0.7'], ['3.1.0']],
  ['regex:^v\\d+\\.\\d+$', ['v1.2'], ['v1.2.3', 'xv1.2']],
  ['regex:rc', ['1.0-rc1'], ['1.0']],
])('the tag pattern %s', (pattern, inside, outside) => {
  const matches = tagMatcher(pattern)
  expect(inside.filter(matches)).toEqual(inside)
  expect(outside.filter(matches)).toEqual([])
})

test('a pattern that is a list of names needs no catalog', () => {
  expect(namesIn('library/app')).toEqual(['library/app'])
  expect(namesIn('{library,team}/{a,b}')).toEqual(['library/a', 'library/b', 'team/a', 'team/b'])
  expect([namesIn(''), namesIn('library/*'), namesIn('{a,{b,c}}/x'), namesIn('v[12]')]).toEqual(
    Array(4).fill(undefined),
  )
  expect([prefixOf('library/app-*'), prefixOf('{a,b}/c'), prefixOf('**')]).toEqual(['library/app-', '', ''])
})

test.each([
  ['a/b/c/image', '', -1, 'a/b/c/image'],
  ['a/b/c/image', 'n', -1, 'n/image'],
  ['a/b/c/image', 'n', 0, 'n/a/b/c/image'],
  ['a/b/c/image', 'n', 1, 'n/b/c/image'],
  ['a/b/c/image', 'n', 2, 'n/c/image'],
  ['a/b/c/image', 'n', 3, 'n/image'],
  ['image', 'n/m', -1, 'n/m/image'],
])('%s to the namespace %j, replacing %d, is %s', (repository, namespace, replaceCount, name) => {
  expect(destinationName(repository, { namespace, replaceCount })).toBe(name)
})

test('a name with too few components to replace, or that would grow too long, is refused', () => {
  expect(() => destinationName('a/b/c/image', { namespace: 'n', replaceCount: 4 })).toThrow(
    'only 3 path components',
  )
  expect(() =>
    destinationName(`${'a/'.repeat(100)}b`, { namespace: 'n'.repeat(100), replaceCount: 0 }),
  ).toThrow('no repository name')
})

const filters = (...given: Partial<PolicyFilter>[]) => ({
  filters: given.map((each) => ({ decoration: '', ...each }) as PolicyFilter),
})

test('all filters of tags have to hold, and tags of signatures follow what they sign', () => {
  const matches = referenceFilter(
    filters({ type: 'tag', value: 'v*' }, { type: 'tag', value: 'semver:<2', decoration: 'excludes' }),
  )
  const signature = `sha256-${'a'.repeat(64)}.sig`
  expect(['v1.0.0', 'v2.0.0', 'latest', 'vnext', signature].filter(matches)).toEqual(['v2.0.0', 'vnext'])
  expect(referenceFilter(filters())(signature)).toBe(false)
})

test('an artifact has to have all labels, or not all of those that exclude', () => {
  expect(labelFilter(filters())).toBeUndefined()
  const both = labelFilter(filters({ type: 'label', value: ['a', 'b'] }))!
  expect([both(['a', 'b', 'c']), both(['a'])]).toEqual([true, false])
  const none = labelFilter(filters({ type: 'label', value: ['a'], decoration: 'excludes' }))!
  expect([none(['a']), none([])]).toEqual([false, true])
})

test('platforms are told apart by variant only where one is asked for', () => {
  const matches = platformFilter(filters({ type: 'platform', value: ['linux/amd64', 'linux/arm/v7'] }))!
  const of = (os: string, architecture: string, variant?: string) =>
    matches({ os, architecture, ...(variant ? { variant } : {}) })
  expect([
    of('linux', 'amd64', 'v2'),
    of('linux', 'arm', 'v7'),
    of('linux', 'arm', 'v6'),
    of('windows', 'amd64'),
  ]).toEqual([true, true, false, false])
})

test('images and other artifacts are told apart as in artifact lists', () => {
  const manifest = (mediaType: string) =>
    parseManifest(
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          config: { mediaType, digest: `sha256:${'a'.repeat(64)}`, size: 2 },
          layers: [],
        }),
      ),
      'application/vnd.oci.image.manifest.v1+json',
    )
  const image = manifest('application/vnd.oci.image.config.v1+json')
  const chart = manifest('application/vnd.cncf.helm.config.v1+json')
  for (const [value, expected] of [
    ['image', [true, false]],
    ['artifact', [false, true]],
    ['', [true, true]],
  ] as const)
    expect([image, chart].map(resourceFilter(filters({ type: 'resource', value })))).toEqual(expected)
})

const rule = (name: string, namespace: string, replaceCount = -1) =>
  ({
    filters: [{ type: 'name', value: name, decoration: '' }],
    namespace,
    replaceCount,
  }) as unknown as ReplicationPolicy

test.each([
  ['http://localhost:5050', rule('library/**', '')],
  ['http://127.0.0.1:5050/', rule('**', 'mirror')],
  ['http://[::1]:5050', rule('library/**', 'library/mirror')],
  ['http://localhost:5050', rule('{a,b}/**', 'c')],
  ['http://localhost:5050', rule('library/app', 'library')],
])('this registry at %s is not copied into itself', (url, policy) => {
  expect(() => refuseSelf(policy, url, 'http://127.0.0.1:5050')).toThrow('is this registry itself')
})

test.each([
  ['http://localhost:5051', rule('library/**', '')],
  ['https://other.example', rule('**', '')],
  ['http://localhost:5050', rule('library/**', 'mirror')],
  ['http://localhost:5050', rule('library/app', 'library/copies')],
])('what lies apart, at %s, is copied', (url, policy) => {
  expect(() => refuseSelf(policy, url, 'http://127.0.0.1:5050')).not.toThrow()
})

async function* stream(...sizes: number[]): AsyncGenerator<Uint8Array> {
  let next = 0
  for (const size of sizes) yield Uint8Array.from({ length: size }, () => next++ % 251)
}
async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<number[]> {
  const all: number[] = []
  for await (const chunk of body) all.push(...chunk)
  return all
}

test('chunks and parts of a stream are the stream', async () => {
  const whole = await bytesOf(stream(3, 10, 1, 7))
  const chunks: number[][] = []
  for await (const chunk of chunksOf(stream(3, 10, 1, 7), 4)) chunks.push([...chunk])
  expect(chunks.map(({ length }) => length)).toEqual([4, 4, 4, 4, 4, 1])
  expect(chunks.flat()).toEqual(whole)
  const parts: number[][] = []
  for await (const part of partsOf(stream(3, 10, 1, 7), 5)) parts.push(await bytesOf(part))
  expect(parts.flat()).toEqual(whole)
  expect(parts.map(({ length }) => length)).toEqual([13, 8, 0])
})

test('work of one name is done one after the other, whatever becomes of it', async () => {
  const turns = new Turns()
  const seen: string[] = []
  const work = (name: string) => async () => {
    seen.push(`${name} begins`)
    await Promise.resolve()
    seen.push(`${name} ends`)
    if (name === 'first') throw new Error('it fails')
  }
  const first = turns.take('one', work('first'))
  const second = turns.take('one', work('second'))
  await expect(first).rejects.toThrow('it fails')
  await second
  expect(seen).toEqual(['first begins', 'first ends', 'second begins', 'second ends'])
})
