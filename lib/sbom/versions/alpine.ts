// Alpine's versions (apk-package(5)): `1.2.3a_rc1_p2~abcdef-r4`.
import { compareNumbers } from './debian.ts'

/** In the order in which they may come. */
const KINDS = ['first', 'digit', 'letter', 'suffix', 'number', 'hash', 'revision', 'end'] as const
/** Before what has no suffix, and after it. */
const BEFORE = ['alpha', 'beta', 'pre', 'rc']
const AFTER = ['cvs', 'svn', 'git', 'hg', 'p']
const SUFFIXES = [...BEFORE, ...AFTER]

interface Token {
  kind: (typeof KINDS)[number]
  text: string
}

const TOKEN = /^(?:\.(\d+)|([a-z])(?![a-z])|_(alpha|beta|pre|rc|cvs|svn|git|hg|p)(\d*)|~([0-9a-f]+)|-r(\d+))/

export function compareAlpine(one: string, other: string): number {
  const [a, b] = [tokensOf(one), tokensOf(other)]
  for (let at = 0; ; at++) {
    const [left, right] = [a[at] ?? END, b[at] ?? END]
    if (left.kind !== right.kind) return longer(left, right)
    if (left.kind === 'end') return 0
    const order = compareTokens(left, right)
    if (order !== 0) return order
  }
}

const END: Token = { kind: 'end', text: '' }

function tokensOf(version: string): Token[] {
  const first = /^\d*/.exec(version)![0]
  const tokens: Token[] = [{ kind: 'first', text: first }]
  let rest = version.slice(first.length)
  for (let match = TOKEN.exec(rest); match; match = TOKEN.exec(rest)) {
    const [whole, digit, letter, suffix, number, hash, revision] = match
    if (digit !== undefined) tokens.push({ kind: 'digit', text: digit })
    if (letter !== undefined) tokens.push({ kind: 'letter', text: letter })
    if (suffix !== undefined) tokens.push({ kind: 'suffix', text: suffix })
    if (number) tokens.push({ kind: 'number', text: number })
    if (hash !== undefined) tokens.push({ kind: 'hash', text: hash })
    if (revision !== undefined) tokens.push({ kind: 'revision', text: revision })
    rest = rest.slice(whole.length)
  }
  return tokens
}

/** They were the same so far: what goes on is newer, unless it goes on as something that comes before. */
function longer(left: Token, right: Token): number {
  if (left.kind === 'suffix' && BEFORE.includes(left.text)) return -1
  if (right.kind === 'suffix' && BEFORE.includes(right.text)) return 1
  return KINDS.indexOf(right.kind) - KINDS.indexOf(left.kind)
}

function compareTokens({ kind, text: one }: Token, { text: other }: Token): number {
  if (kind === 'suffix') return SUFFIXES.indexOf(one) - SUFFIXES.indexOf(other)
  // After the first, digits that begin with a zero are a fraction.
  const asText = ['letter', 'hash'].includes(kind) || (kind === 'digit' && /^0/.test(one + other))
  const fraction = kind === 'digit' && (one.startsWith('0') || other.startsWith('0'))
  if (!asText && !fraction) return compareNumbers(one, other)
  return one < other ? -1 : Number(one > other)
}
