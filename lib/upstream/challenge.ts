// WWW-Authenticate (RFC 9110 §11.6.1): what a registry's 401 asks for.

export interface Challenge {
  /** In lower case. */
  scheme: string
  /** Names in lower case. */
  parameters: Record<string, string>
}

const LIMIT = 8192
const PARAMETER = /([a-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/giy
const SCHEME = /([a-z0-9!#$%&'*+.^_`|~-]+)(?:\s+|$)/iy
const BETWEEN = /[\s,]*/y

/** What cannot be read ends the list. */
export function parseChallenges(header: string | undefined): Challenge[] {
  const text = (header ?? '').slice(0, LIMIT)
  const found: Challenge[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match) at = pattern.lastIndex
    return match
  }
  while (at < text.length) {
    take(BETWEEN)
    const parameter = take(PARAMETER)
    if (parameter) {
      const [, name, quoted, token] = parameter
      const current = found.at(-1)
      if (current) current.parameters[name!.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? token ?? ''
      continue
    }
    const scheme = take(SCHEME)
    if (!scheme) break
    found.push({ scheme: scheme[1]!.toLowerCase(), parameters: {} })
  }
  return found
}
