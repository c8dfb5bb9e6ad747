// Keys of objects that clients put into the store themselves: what they say.
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
