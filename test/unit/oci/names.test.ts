import { expect, test } from 'vitest'
import { isName, isTag, parseName, parseReference, projectOf } from '../../../lib/oci/reference.ts'
import { parseRoute } from '../../../lib/oci/routes.ts'

const digest = `sha256:${'a'.repeat(64)}`

test('repository names follow the grammar of the specification', () => {
  for (const name of [
    'a',
    'library/alpine',
    'a/b/c/d',
    'a.b',
    'a_b',
    'a__b',
    'a-b',
    'a---b',
    '0/1',
    'a/blobs/b',
    'x'.repeat(255),
  ]) {
    expect(parseName(name)).toBe(name)
    expect(isName(name)).toBe(true)
  }
  for (const name of [
    '',
    'A',
    '/a',
    'a/',
    'a//b',
    '-a',
    'a-',
    '.a',
    'a..b',
    'a___b',
    'a._b',
    'a b',
    'a/../b',
    'a\n',
    'ä',
    'x'.repeat(256),
  ]) {
    expect(() => parseName(name)).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }))
    expect(isName(name)).toBe(false)
  }
})

test('a name that is too long is told so, by length and not by echo', () => {
  expect(() => parseName('x'.repeat(10_000))).toThrow('repository name of 10000 characters: at most 255')
  expect(() => parseName('A')).toThrow(/"A".*lowercase letters/)
})

test('tags have up to 128 characters and do not begin with a dot or a dash', () => {
  for (const tag of ['a', 'A', '_', '1.0', 'v-1_2.3', 'x'.repeat(128)]) expect(isTag(tag)).toBe(true)
  for (const tag of ['', '.a', '-a', 'a b', 'a/b', 'x'.repeat(129), 'a\n', 'é'])
    expect(isTag(tag)).toBe(false)
})

test('a reference with a colon is a digest, any other a tag', () => {
  expect(parseReference('v1')).toEqual({ kind: 'tag', tag: 'v1' })
  expect(parseReference(digest)).toEqual({ kind: 'digest', digest })
  expect(() => parseReference('a:b')).toThrow(expect.objectContaining({ code: 'DIGEST_INVALID' }))
  expect(() => parseReference('-x')).toThrow(
    expect.objectContaining({ code: 'TAG_INVALID', message: expect.stringContaining('"-x"') }),
  )
})

test('the project is the first part of the name', () => {
  expect(projectOf('library/a/b')).toBe('library')
  expect(projectOf('single')).toBe('single')
})

test('every endpoint is recognised, whatever words its name contains', () => {
  for (const [path, route] of [
    ['/v2/', { kind: 'base' }],
    ['/v2', { kind: 'base' }],
    ['/v2/_catalog', { kind: 'catalog' }],
    ['/v2/a/b/tags/list', { kind: 'tags', name: 'a/b' }],
    ['/v2/a/manifests/v1', { kind: 'manifest', name: 'a', reference: { kind: 'tag', tag: 'v1' } }],
    [
      `/v2/a/manifests/${digest.replace(':', '%3A')}`,
      { kind: 'manifest', name: 'a', reference: { kind: 'digest', digest } },
    ],
    [`/v2/a/blobs/${digest}`, { kind: 'blob', name: 'a', digest }],
    ['/v2/a/blobs/uploads', { kind: 'uploads', name: 'a' }],
    ['/v2/a/blobs/uploads/', { kind: 'uploads', name: 'a' }],
    ['/v2/a/blobs/uploads/s.e-s~p', { kind: 'upload', name: 'a', session: 's.e-s~p' }],
    [`/v2/a/referrers/${digest}`, { kind: 'referrers', name: 'a', digest }],
    ['/v2/blobs/uploads/tags/list', { kind: 'tags', name: 'blobs/uploads' }],
    [
      '/v2/manifests/blobs/manifests/tags',
      { kind: 'manifest', name: 'manifests/blobs', reference: { kind: 'tag', tag: 'tags' } },
    ],
    ['/v2/tags/list/tags/list', { kind: 'tags', name: 'tags/list' }],
    ['/v2/a/manifests/list', { kind: 'manifest', name: 'a', reference: { kind: 'tag', tag: 'list' } }],
  ] as const)
    expect(parseRoute(path)).toEqual(route)
})

test('other paths are no endpoint', () => {
  for (const path of [
    '/',
    '/v1/',
    '/v2x/',
    '/v2/a',
    '/v2/a/b/c',
    '/v2/_catalog/x',
    '/v2/x/_catalog',
    '/v2/a/tags/other',
  ])
    expect(parseRoute(path)).toBeUndefined()
})

test('encoded separators, NUL and broken encodings are refused', () => {
  for (const path of [
    '/v2/a%2Fb/tags/list',
    '/v2/a%5Cb/tags/list',
    '/v2/a%00/tags/list',
    '/v2/a%zz/tags/list',
    '/v2/%2e%2e/a/tags/list',
    '/v2//tags/list',
    '/v2/tags/list',
  ])
    expect(() => parseRoute(path)).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }))
})
