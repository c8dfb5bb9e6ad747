// Patterns of rules as Harbor's doublestar (bmatcuk/doublestar 1.3.4) understands them: `*` and `?` within a segment,
// `**` across segments, `[a-z]`, `[^a-z]`, `{this,that}`, `\` before what is meant as it is.
import { braceExpand, Minimatch } from 'minimatch'

const PATTERN_LIMIT = 512
/** `{a,b}{a,b}…` stands for ever more patterns. */
const ALTERNATIVES_LIMIT = 100

/** What else minimatch would find in a pattern: comments, negation, `+(…)`; and hidden files, which tags are not. */
const OPTIONS = {
  dot: true,
  noext: true,
  nocomment: true,
  nonegate: true,
  platform: 'linux',
  braceExpandMax: ALTERNATIVES_LIMIT + 1,
} as const

/** @returns what is wrong with a pattern, undefined when nothing is */
export function patternFault(pattern: string): string | undefined {
  if (pattern.length > PATTERN_LIMIT) return `is longer than ${PATTERN_LIMIT} characters`
  const bare = pattern.replaceAll(/\\./gs, 'x')
  if (bare.includes('\\')) return 'ends with a \\ that nothing follows'
  // Taken for other things by Harbor than by everybody else: nothing is protected by mistake.
  if (/\[!/.test(bare)) return 'has [!…]: write [^…] for all other characters'
  if (/\[[^\]]*\[/.test(bare)) return 'has a [ between [ and ]: put a \\ before it'
  if (/\[\^?\]|\[\^?-|-\]/.test(bare)) return 'has [] or a - without both of its ends: put a \\ before the -'
  if (bare.replaceAll(/\[[^\]]*\]/g, '').includes('[')) return 'has a [ without its ]'
  if (/\[[^\]]*[{},/]/.test(bare)) return 'has one of { } , / between [ and ]'
  if (!isBalanced(bare)) return 'has a { without its }'
  if (braceExpand(plain(pattern), OPTIONS).length > ALTERNATIVES_LIMIT)
    return `stands for more than ${ALTERNATIVES_LIMIT} patterns`
  return undefined
}

/** Whether texts match a pattern that has no fault; the empty one matches everything. Takes time linear in the text. */
export function globOf(pattern: string): (text: string) => boolean {
  if (pattern === '') return () => true
  const glob = new Minimatch(plain(pattern), OPTIONS)
  return (text) => glob.match(text)
}

/** Braces around a single alternative mean nothing, not even `{1..3}`. */
function plain(pattern: string): string {
  let before: string
  let after = pattern
  do {
    before = after
    after = before.replaceAll(/(?<!\\)\{([^{},\\]*)\}/g, '$1')
  } while (after !== before)
  return after
}

function isBalanced(text: string): boolean {
  let depth = 0
  for (const character of text) {
    if (character === '{') depth += 1
    if (character === '}') depth -= 1
    if (depth < 0) return false
  }
  return depth === 0
}
