// What keys tell, read back from them.
import type { Digest } from '../oci/digest.ts'

export interface DirectUpload {
  repo: string
  digest: Digest
  session: string
}

/** @returns undefined when the key is not that of a direct upload */
export function parseDirectKey(key: string): DirectUpload | undefined {
  const match = /^b\/([0-9a-z]+)\/sha256\/([0-9a-f]{64})\/([0-9a-z]+)$/.exec(key)
  if (!match) return undefined
  const [, repo, hex, session] = match as unknown as [string, string, string, string]
  return { repo, digest: `sha256:${hex}` as Digest, session }
}

/** Splits the parts of a REF's sort key. */
export function parseReferenceKey(sk: string): { manifest: Digest; attempt: string } {
  const [, manifest, attempt] = sk.split('#')
  return { manifest: manifest as Digest, attempt: attempt ?? '' }
}
