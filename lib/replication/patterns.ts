// Patterns of rules: globs as Harbor's, regular expressions and ranges of versions. Whatever people write, matching takes
// time in proportion to the text: expressions are RE2's, which never backtracks.
import { RE2JS } from 're2js'
import { Range, SemVer } from 'semver'
import { RegistryError } from '../oci/errors.ts'
import { globOf, patternFault } from '../registry/glob.ts'

export type Matches = (text: string) => boolean

const PATTERN_LIMIT = 512
const REGEX = 'regex:'
const SEMVER = 'semver:'
/** Alternatives that are told apart when a pattern is taken as a list of names. */
const NAMES_LIMIT = 100

/**
 * A doublestar pattern: `*` and `?` stay within a path component, `**` spans any number of them, `{a,b}` and `[a-z]`.
 * Empty, it matches everything.
 * @throws REQUEST_INVALID
 */
export function globMatcher(pattern: string): Matches {
  const fault = patternFault(pattern)
  if (fault !== undefined)
    throw invalid(`invalid pattern ${JSON.stringify(pattern.slice(0, 100))}: it ${fault}`)
  return globOf(pattern)
}

/**
 * Of tags: a glob, `regex:` with an expression of RE2 that is found anywhere in the tag unless it is anchored, or
 * `semver:` with a range as npm writes them (a leading `v` of the tag is no matter). A tag cannot hold a colon, so
 * that neither prefix is ever a glob.
 * @throws REQUEST_INVALID
 */
export function tagMatcher(pattern: string): Matches {
  checked(pattern)
  if (pattern.startsWith(REGEX)) {
    const compiled = compile(pattern.slice(REGEX.length), pattern)
    return (tag) => compiled.test(tag)
  }
  if (!pattern.startsWith(SEMVER)) {
    const matches = globMatcher(pattern)
    // What has no tag: one star takes it in Harbor's doublestar.
    return (tag) => matches(tag) || (tag === '' && pattern === '*')
  }
  const range = rangeIn(pattern.slice(SEMVER.length).trim())
  return (tag) => {
    const version = versionIn(tag)
    return version !== undefined && range.test(version)
  }
}

/** @returns the names a pattern stands for when it is nothing but a list of them */
export function namesIn(pattern: string): string[] | undefined {
  if (pattern === '' || /[*?[\]\\]/.test(pattern)) return undefined
  let names = ['']
  for (const part of pattern.split(/(\{[^{}]*\})/)) {
    const choices = part.startsWith('{') ? part.slice(1, -1).split(',') : [part]
    if (choices.length * names.length > NAMES_LIMIT) return undefined
    names = names.flatMap((name) => choices.map((choice) => name + choice))
  }
  return names.some((name) => /[{}]/.test(name)) ? undefined : names
}

/** What every name begins with that the pattern matches. */
export function prefixOf(pattern: string): string {
  return /^[^*?[\]{}\\]*/.exec(pattern)![0]
}

function rangeIn(text: string): Range {
  try {
    return new Range(text)
  } catch {
    throw invalid(`${JSON.stringify(text)} is no range of versions such as ">=1.2 <2"`)
  }
}

function versionIn(tag: string): SemVer | undefined {
  try {
    return new SemVer(tag.replace(/^v/, ''))
  } catch {
    return undefined
  }
}

function checked(pattern: string): string {
  if (pattern.length <= PATTERN_LIMIT) return pattern
  throw invalid(`a pattern has at most ${PATTERN_LIMIT} characters`)
}

function compile(expression: string, pattern: string): RE2JS {
  try {
    return RE2JS.compile(expression)
  } catch (error) {
    throw invalid(`invalid pattern ${JSON.stringify(pattern)}: ${(error as Error).message}`)
  }
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', why)
}
