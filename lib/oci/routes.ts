// The endpoints of distribution-spec v1.1.1 §"Endpoints", as a pure function of the raw path.
import { type Digest, parseDigest } from './digest.ts'
import { RegistryError } from './errors.ts'
import { parseName, parseReference, type Reference } from './reference.ts'

export type Route =
  | { kind: 'base' }
  | { kind: 'catalog' }
  | { kind: 'tags'; name: string }
  | { kind: 'manifest'; name: string; reference: Reference }
  | { kind: 'blob'; name: string; digest: Digest }
  | { kind: 'uploads'; name: string }
  | { kind: 'upload'; name: string; session: string }
  | { kind: 'referrers'; name: string; digest: Digest }

/**
 * Reads the tail first, because a name may itself contain `blobs` or `tags`.
 * @param rawPath the path as sent, still percent-encoded, without the query
 * @returns undefined when the path is no endpoint of `/v2`
 * @throws NAME_INVALID, TAG_INVALID, DIGEST_INVALID
 */
export function parseRoute(rawPath: string): Route | undefined {
  if (rawPath === '/v2/' || rawPath === '/v2') return { kind: 'base' }
  if (!rawPath.startsWith('/v2/')) return undefined
  const parts = rawPath.slice('/v2/'.length).split('/').map(decodeSegment)
  if (parts.length === 1 && parts[0] === '_catalog') return { kind: 'catalog' }
  const [third, second, last] = [parts.at(-3), parts.at(-2), parts.at(-1) ?? '']
  const name = (dropped: number) => parseName(parts.slice(0, -dropped).join('/'))

  if (second === 'tags' && last === 'list') return { kind: 'tags', name: name(2) }
  if (second === 'manifests') return { kind: 'manifest', name: name(2), reference: parseReference(last) }
  if (second === 'referrers') return { kind: 'referrers', name: name(2), digest: parseDigest(last) }
  if (second === 'blobs' && last === 'uploads') return { kind: 'uploads', name: name(2) }
  if (third === 'blobs' && second === 'uploads' && last === '') return { kind: 'uploads', name: name(3) }
  if (third === 'blobs' && second === 'uploads') return { kind: 'upload', name: name(3), session: last }
  if (second === 'blobs') return { kind: 'blob', name: name(2), digest: parseDigest(last) }
  return undefined
}

/** Each segment is decoded once and may not turn into a separator: `%2F` and NUL never move a path. */
function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment
  let decoded: string
  try {
    decoded = decodeURIComponent(segment)
  } catch (cause) {
    throw new RegistryError('NAME_INVALID', 'the path has a malformed percent-encoding', { cause })
  }
  if (/[/\\\0]/.test(decoded))
    throw new RegistryError('NAME_INVALID', 'the path has an encoded separator or NUL')
  return decoded
}
