// Patterns of repositories, as Harbor writes them: `library/*`, `bitnami/**`, `{one,two}/app`, with commas between them.

type Token = { kind: 'text'; text: string } | { kind: 'some'; slashes: boolean } | { kind: 'one' }

const ALTERNATIVES_LIMIT = 100

/** Whether one of the patterns matches the whole name. Time grows with their product, whatever they are. */
export function matchesAny(patterns: string, name: string): boolean {
  return alternativesIn(patterns).some((pattern) => matches(tokensOf(pattern), name))
}

/** Braces are written out; more than a hundred patterns are cut. */
function alternativesIn(patterns: string): string[] {
  const found: string[] = []
  const waiting = splitOutside(patterns)
  while (waiting.length > 0 && found.length + waiting.length <= ALTERNATIVES_LIMIT) {
    const pattern = waiting.shift()!.trim()
    const brace = /^([^{}]*)\{([^{}]*)\}(.*)$/.exec(pattern)
    if (brace) waiting.push(...brace[2]!.split(',').map((each) => `${brace[1]}${each}${brace[3]}`))
    else if (pattern !== '') found.push(pattern)
  }
  return found
}

function splitOutside(patterns: string): string[] {
  return patterns.match(/(?:\{[^{}]*\}|[^,])+/g) ?? []
}

function tokensOf(pattern: string): Token[] {
  return (pattern.match(/\*\*\/?|\*|\?|[^*?]+/g) ?? []).map((part): Token => {
    if (part.startsWith('**')) return { kind: 'some', slashes: true }
    if (part === '*') return { kind: 'some', slashes: false }
    return part === '?' ? { kind: 'one' } : { kind: 'text', text: part }
  })
}

/** Every place in the name that the tokens so far can end at. */
function matches(tokens: Token[], name: string): boolean {
  let places = new Set([0])
  for (const token of tokens) {
    const next = new Set<number>()
    for (const place of places)
      if (token.kind === 'text') {
        if (name.startsWith(token.text, place)) next.add(place + token.text.length)
      } else if (token.kind === 'one') {
        if (place < name.length && name[place] !== '/') next.add(place + 1)
      } else
        for (let end = place; end <= name.length && !next.has(end); end++) {
          next.add(end)
          if (!token.slashes && name[end] === '/') break
        }
    places = next
  }
  return places.has(name.length)
}
