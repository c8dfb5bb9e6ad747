// Bodies hashed as they pass: nothing reaches the store as a digest it does not have.
import { createHash, type Hash } from 'node:crypto'
import { type Algorithm, algorithmOf, type Digest, finishDigest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'

/** @throws SIZE_INVALID (413) past `limitBytes` */
export async function* limited(
  body: AsyncIterable<Uint8Array>,
  limitBytes: number,
): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > limitBytes)
      throw new RegistryError('SIZE_INVALID', `the blob is larger than the ${limitBytes} bytes allowed`, {
        status: 413,
      })
    yield chunk
  }
}

/** Passes the body on and fails at its end, before the store makes it an object. @throws DIGEST_INVALID */
export async function* verified(body: AsyncIterable<Uint8Array>, digest: Digest): AsyncGenerator<Uint8Array> {
  const algorithm = algorithmOf(digest)
  const hash = createHash(algorithm)
  let size = 0
  for await (const chunk of body) {
    hash.update(chunk)
    size += chunk.length
    yield chunk
  }
  checkDigest(digest, finishDigest(hash, algorithm), size)
}

export async function* hashed(body: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    hash.update(chunk)
    yield chunk
  }
}

/** The digest of bytes already stored. */
export async function digestOfBody(
  body: Uint8Array | AsyncIterable<Uint8Array>,
  algorithm: Algorithm,
): Promise<Digest> {
  const hash = createHash(algorithm)
  if (body instanceof Uint8Array) hash.update(body)
  else for await (const chunk of body) hash.update(chunk)
  return finishDigest(hash, algorithm)
}

/** @throws DIGEST_INVALID naming both digests and the size received */
export function checkDigest(expected: Digest, actual: Digest, sizeBytes: number): void {
  if (expected === actual) return
  throw new RegistryError(
    'DIGEST_INVALID',
    `the ${sizeBytes} bytes received have digest ${actual}, not ${expected}: the upload was cut short or altered`,
    { detail: { expected, actual, sizeBytes } },
  )
}
