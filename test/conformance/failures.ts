// What the conformance programs tell of a failure: one that does not come again can only be explained from that.

const LIMIT_CHARACTERS = 6000

const PART = /<(failure|error)\b([^>]*)>([\s\S]*?)<\/\1>/g
/** Of the old suite's page: title, and the requests and answers of a test that failed, without credentials. */
const EXCHANGES =
  /<div class="result red">[\s\S]*?<h4[^>]*>([\s\S]*?)<\/h4>[\s\S]*?<pre class="pre-box">([\s\S]*?)<\/pre>/g

/**
 * @param inside of the junit report's `testcase`
 * @param page the program's report for people, '' where there is none
 */
export function explained(name: string, inside: string, page: string): string {
  const parts = [...inside.matchAll(PART)].map(
    ([, , attributes, text]) => text!.trim() || (/\bmessage="([^"]*)"/.exec(attributes!)?.[1] ?? ''),
  )
  const exchange = [...page.matchAll(EXCHANGES)].find(([, title]) =>
    plain(name).endsWith(plain(title!).trim()),
  )
  return [name, ...parts, exchange?.[2] ?? ''].map(plain).join('\n').trim().slice(0, LIMIT_CHARACTERS)
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

function plain(text: string): string {
  return text.replaceAll(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, entity) => {
    if (entity) return ENTITIES[entity] ?? whole
    return String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex, 16))
  })
}
