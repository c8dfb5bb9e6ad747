// Patterns of rules. The oracle is Harbor's own library: doublestar.json is what the Match of
// github.com/bmatcuk/doublestar v1.3.4, which Harbor 2.14 uses, says of every pattern and every text.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { globOf, patternFault } from '../../../lib/registry/glob.ts'

const { texts, malformed, matches } = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'doublestar.json'), 'utf8'),
) as { texts: string[]; malformed: string[]; matches: Record<string, string[]> }

/** Neither is a tag or the name of a repository. */
const NO_NAMES = ['.', '..']
/** Well-formed for doublestar, and refused here because people mean something else by them, or by mistake. */
const REFUSED = ['v[!0-9]', '\\{a}', 'a}', '[[:alpha:]]']

test('every pattern that is accepted matches exactly what Harbor’s doublestar matches', () => {
  const accepted = Object.keys(matches).filter((pattern) => patternFault(pattern) === undefined)
  expect(Object.keys(matches).filter((pattern) => !accepted.includes(pattern))).toEqual(REFUSED)
  const seen = Object.fromEntries(
    accepted.map((pattern) => {
      const matched = globOf(pattern)
      return [pattern, texts.filter((text) => !NO_NAMES.includes(text) && matched(text))]
    }),
  )
  const expected = accepted.map((pattern) => [
    pattern,
    matches[pattern]!.filter((text) => !NO_NAMES.includes(text)),
  ])
  expect(seen).toEqual(Object.fromEntries(expected))
})

test('a pattern that doublestar finds malformed is refused before a rule has it', () => {
  expect(malformed.filter((pattern) => patternFault(pattern) === undefined)).toEqual([])
})

test('no pattern keeps the registry busy: neither many stars nor many braces', () => {
  expect(globOf('*a'.repeat(60))('a'.repeat(255))).toBe(true)
  expect(globOf(`${'*a'.repeat(60)}b`)('a'.repeat(255))).toBe(false)
  expect(globOf(`${'**/*a/'.repeat(20)}b`)(`${'aaaa/'.repeat(40)}a`)).toBe(false)
  expect(patternFault('{a,b}'.repeat(30))).toContain('more than 100 patterns')
  expect(patternFault('a'.repeat(513))).toContain('longer than 512')
})
