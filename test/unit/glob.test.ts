// Patterns over names and tags.
import { expect, test } from 'vitest'
import { checkedGlob, matchesGlob } from '../../lib/registry/glob.ts'

test.each([
  ['', 'anything', true],
  ['*', 'app', true],
  ['*', 'team/app', false],
  ['**', 'team/app', true],
  ['**/app', 'app', true],
  ['**/app', 'a/b/app', true],
  ['**/app', 'a/bapp', false],
  ['team/**', 'team/a/b', true],
  ['team/**', 'team', false],
  ['team/**/app', 'team/app', true],
  ['team/**/app', 'team/x/y/app', true],
  ['team/*/app', 'team/x/y/app', false],
  ['v?.*', 'v1.25.0', true],
  ['v?.*', 'v12.0', false],
  ['{dev,release-*}', 'release-7', true],
  ['{dev,release-*}', 'prod', false],
  ['{a,{b,c}}x', 'cx', true],
  ['v1.0', 'v1x0', false],
  ['(a|b)+', 'a', false],
  ['[a-z]', 'a', false],
])('%j matches %j: %j', (pattern, text, expected) => {
  expect(matchesGlob(checkedGlob(pattern), text)).toBe(expected)
})

test.each(['{a', 'a}', '{a,b}'.repeat(7), 'x'.repeat(257)])('%j is refused', (pattern) => {
  expect(() => checkedGlob(pattern)).toThrow(/^invalid pattern/)
})

test('a pattern that would have a regular expression search for ever is answered', () => {
  expect(matchesGlob(`${'*a'.repeat(120)}b`, 'a'.repeat(255))).toBe(false)
})
