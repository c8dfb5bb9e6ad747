// Digests: image-spec v1.1 descriptor.md §"Digests"; sha256 and sha512 are the registered algorithms.
import { createHash, type Hash } from 'node:crypto'
import { RegistryError } from './errors.ts'

export type Algorithm = 'sha256' | 'sha512'
export type Digest = string & { readonly __brand: 'Digest' }

const HEX_LENGTH: Record<Algorithm, number> = { sha256: 64, sha512: 128 }
const DIGEST = /^(sha256):([a-f0-9]{64})$|^(sha512):([a-f0-9]{128})$/

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text)
}

/** @throws DIGEST_INVALID naming what is wrong: no colon, unknown algorithm, wrong length or characters. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text
  const shown = JSON.stringify(text.slice(0, 160))
  const colon = text.indexOf(':')
  if (colon < 0)
    throw new RegistryError('DIGEST_INVALID', `invalid digest ${shown}: expected <algorithm>:<hex>`)
  const algorithm = text.slice(0, colon)
  if (algorithm !== 'sha256' && algorithm !== 'sha512')
    throw new RegistryError(
      'DIGEST_INVALID',
      `unsupported digest algorithm in ${shown}: use sha256 or sha512`,
    )
  throw new RegistryError(
    'DIGEST_INVALID',
    `invalid digest ${shown}: ${algorithm} takes ${HEX_LENGTH[algorithm]} lowercase hexadecimal characters`,
  )
}

export function algorithmOf(digest: Digest): Algorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256'
}

export function digestOf(bytes: Uint8Array, algorithm: Algorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest
}

/** Ends a running hash and names its digest. */
export function finishDigest(hash: Hash, algorithm: Algorithm): Digest {
  return `${algorithm}:${hash.digest('hex')}` as Digest
}
