// A signature over bytes, by any kind of public key that signing tools make.
import { type KeyObject, verify } from 'node:crypto'

/** ECDSA in DER and RSA (PKCS #1 v1.5) over SHA-256, or Ed25519, as cosign writes them. */
export function isSignedBy(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, key, signature)
  } catch {
    return false // no signature of this kind of key
  }
}
