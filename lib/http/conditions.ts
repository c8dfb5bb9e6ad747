// Conditional requests: content never changes under its digest, so the digest is its entity tag.
import type { Digest } from '../oci/digest.ts'
import type { HttpRequest } from './message.ts'

export function etagOf(digest: Digest): string {
  return `"${digest}"`
}

/** RFC 9110 §13.1.2, weak comparison; tags without quotes are what old clients send. */
export function isNotModified(request: HttpRequest, digest: Digest): boolean {
  const header = request.headers['if-none-match']
  if (header === undefined) return false
  return header
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, '').replaceAll('"', ''))
    .some((tag) => tag === '*' || tag === digest)
}
