// Patterns over names and tags: `*` and `?` within a path component, `**` over several, `{a,b}` for alternatives.
// A pattern comes from people and is tried against names of people: unlike a regular expression it takes at most the
// product of both lengths.
import { RegistryError } from '../oci/errors.ts'

const LENGTH_LIMIT = 256
const ALTERNATIVES_LIMIT = 64

/** @throws REQUEST_INVALID when it is too long, or has too many or unclosed alternatives */
export function checkedGlob(pattern: string): string {
  if (pattern.length > LENGTH_LIMIT) throw invalid(`a pattern has at most ${LENGTH_LIMIT} characters`)
  alternativesOf(pattern)
  return pattern
}

/** An empty pattern matches everything. @param pattern one that was checked */
export function matchesGlob(pattern: string, text: string): boolean {
  return pattern === '' || alternativesOf(pattern).some((each) => matches(each, text))
}

/** @throws REQUEST_INVALID */
function alternativesOf(pattern: string): string[] {
  let open = [pattern]
  for (;;) {
    const next = open.flatMap(firstExpanded)
    if (next.length > ALTERNATIVES_LIMIT)
      throw invalid(`${JSON.stringify(pattern)} has more than ${ALTERNATIVES_LIMIT} alternatives`)
    if (next.length === open.length && next.every((each, at) => each === open[at])) return open
    open = next
  }
}

/** The innermost braces, which come first, replaced by each of what they name. */
function firstExpanded(pattern: string): string[] {
  const group = /\{([^{}]*)\}/.exec(pattern)
  if (group) {
    const [before, after] = [pattern.slice(0, group.index), pattern.slice(group.index + group[0].length)]
    return group[1]!.split(',').map((choice) => `${before}${choice}${after}`)
  }
  if (/[{}]/.test(pattern)) throw invalid(`${JSON.stringify(pattern)} has a brace without its other half`)
  return [pattern]
}

function matches(pattern: string, text: string): boolean {
  // reached[at]: the pattern so far can have taken the first `at` characters.
  let reached = Array.from({ length: text.length + 1 }, (_, at) => at === 0)
  for (const token of pattern.match(/\*\*\/?|./gs) ?? []) reached = advanced(reached, token, text)
  return reached[text.length]!
}

function advanced(reached: boolean[], token: string, text: string): boolean[] {
  const next = reached.map(() => false)
  let before = false
  for (let at = 0; at <= text.length; at++) {
    const last = text[at - 1]
    if (token === '**') next[at] = reached[at]! || (at > 0 && next[at - 1]!)
    // No component at all, or some with the slash behind them.
    else if (token === '**/') next[at] = reached[at]! || (before && last === '/')
    else if (token === '*') next[at] = reached[at]! || (at > 0 && next[at - 1]! && last !== '/')
    else if (at > 0) next[at] = reached[at - 1]! && (token === '?' ? last !== '/' : last === token)
    before ||= reached[at]!
  }
  return next
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', `invalid pattern: ${why}`)
}
