// JSON that two readers cannot understand differently: bounded depth, no duplicate keys.
import { RegistryError } from './errors.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const MAX_DEPTH = 64

/**
 * Parses JSON after checking nesting and key uniqueness. Duplicate keys are refused because parsers
 * disagree on which one counts, and a signature checker may see another manifest than a runtime does.
 * @throws MANIFEST_INVALID
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new RegistryError('MANIFEST_INVALID', 'the manifest is not valid UTF-8', { cause })
  }
  // Depth first: V8's parser recurses.
  checkStructure(text)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new RegistryError(
      'MANIFEST_INVALID',
      `the manifest is not valid JSON: ${(cause as Error).message}`,
      { cause },
    )
  }
}

/** Walks tokens only; malformed text is left for JSON.parse to name. */
function checkStructure(text: string): void {
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = stringEnd(text, at)
      const keys = open.at(-1)
      if (keys && isKey(text, end)) addKey(keys, text.slice(at, end))
      at = end - 1
    } else if (code === 0x7b /* { */ || code === 0x5b /* [ */) {
      open.push(code === 0x7b ? new Set() : undefined)
      if (open.length > MAX_DEPTH)
        throw new RegistryError('MANIFEST_INVALID', `the manifest nests deeper than ${MAX_DEPTH} levels`)
    } else if (code === 0x7d /* } */ || code === 0x5d /* ] */) {
      open.pop()
    }
  }
}

function stringEnd(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1
  return at + 1
}

function isKey(text: string, end: number): boolean {
  let at = end
  while (at < text.length && ' \t\r\n'.includes(text[at]!)) at++
  return text[at] === ':'
}

function addKey(keys: Set<string>, quoted: string): void {
  let key = quoted
  try {
    key = JSON.parse(quoted) // "a" and "\u0061" are the same key
  } catch {}
  if (keys.has(key))
    throw new RegistryError('MANIFEST_INVALID', `the manifest has the key ${quoted.slice(0, 80)} twice`)
  keys.add(key)
}
