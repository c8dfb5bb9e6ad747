// What notation's two envelopes say alike.
import type { X509Certificate } from 'node:crypto'

/** An envelope whose signature was made by the key of its first certificate. */
export interface Opened {
  payload: Uint8Array
  payloadType: unknown
  scheme: unknown
  /** undefined: it does not end. */
  expiresAtMs?: number
  chain: X509Certificate[]
}

/** Why an envelope does not count, in words for people. */
export class EnvelopeError extends Error {}

export const SCHEME = 'io.cncf.notary.signingScheme'
export const EXPIRY = 'io.cncf.notary.expiry'
export const FORGED = 'it is forged: the key of its certificate did not make it'
export const NO_CERTIFICATE = 'it has no certificate'
