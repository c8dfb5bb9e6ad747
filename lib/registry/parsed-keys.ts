// What sort keys tell, read back from them.
import type { Digest } from '../oci/digest.ts'

/** Splits the parts of a REF's sort key. */
export function parseReferenceKey(sk: string): { manifest: Digest; attempt: string } {
  const [, manifest, attempt] = sk.split('#')
  return { manifest: manifest as Digest, attempt: attempt ?? '' }
}
