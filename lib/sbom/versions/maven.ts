// Maven's versions (https://maven.apache.org/pom.html#version-order-specification).
import { compareNumbers } from './debian.ts'

const QUALIFIERS = ['alpha', 'beta', 'milestone', 'rc', 'snapshot', '', 'sp']
const ALIASES: Record<string, string> = { ga: '', final: '', release: '', cr: 'rc' }
const BEFORE_DIGIT: Record<string, string> = { a: 'alpha', b: 'beta', m: 'milestone' }
const ZERO = ['', '0']

interface Token {
  /** What stands before it: `.`, or `-`, as between digits and letters too. */
  separator: '.' | '-'
  text: string
}

export function compareMaven(one: string, other: string): number {
  const [a, b] = [tokensOf(one), tokensOf(other)]
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const order = compareTokens(a[at] ?? padding(b[at]!), b[at] ?? padding(a[at]!))
    if (order !== 0) return order
  }
  return 0
}

function padding({ separator, text }: Token): Token {
  return { separator, text: separator === '.' && /^\d/.test(text) ? '0' : '' }
}

function tokensOf(version: string): Token[] {
  const tokens: Token[] = []
  let separator: Token['separator'] = '.'
  for (const part of version.toLowerCase().match(/[.\-_]|\d+|[^.\-_\d]+/g) ?? [])
    tokens.push(...tokensIn(part))
  return trimmed(named(tokens))

  function tokensIn(part: string): Token[] {
    if (/^[.\-_]$/.test(part)) {
      separator = part === '.' ? '.' : '-'
      return []
    }
    const made: Token = { separator, text: part }
    // Digits that follow letters, and the other way round.
    separator = '-'
    return [made]
  }
}

function named(tokens: Token[]): Token[] {
  return tokens.map(({ separator, text }, at) => {
    const next = tokens[at + 1]
    const short = next && /^\d/.test(next.text) ? BEFORE_DIGIT[text] : undefined
    return { separator, text: short ?? ALIASES[text] ?? text.replace(/^0+(?=\d)/, '') }
  })
}

/** What says nothing goes, at the end and before each dash and word. */
function trimmed(tokens: Token[]): Token[] {
  const kept: Token[] = []
  for (const token of tokens) {
    if (token.separator === '-' || !/^\d/.test(token.text)) dropZeros(kept)
    kept.push(token)
  }
  dropZeros(kept)
  return kept
}

function dropZeros(tokens: Token[]): void {
  while (tokens.length > 1 && ZERO.includes(tokens.at(-1)!.text)) tokens.pop()
}

/** A number after a dash comes before one after a dot. */
function rank({ separator }: Token): number {
  return separator === '.' ? 1 : 0
}

function compareTokens(one: Token, other: Token): number {
  const [isNumber, isOther] = [/^\d/.test(one.text), /^\d/.test(other.text)]
  if (isNumber && isOther) return rank(one) - rank(other) || compareNumbers(one.text, other.text)
  if (isNumber !== isOther) return isNumber ? 1 : -1
  const [a, b] = [QUALIFIERS.indexOf(one.text), QUALIFIERS.indexOf(other.text)]
  if (a >= 0 && b >= 0) return a - b
  if (a >= 0 || b >= 0) return a >= 0 ? -1 : 1
  return one.text < other.text ? -1 : Number(one.text > other.text)
}
