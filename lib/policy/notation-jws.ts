// Notation's JWS envelope (notaryproject specifications, signature-envelope-jws.md).
import { errors, type FlattenedJWSInput, flattenedVerify } from 'jose'
import { certificateIn } from './certificates.ts'
import { EnvelopeError, EXPIRY, FORGED, NO_CERTIFICATE, type Opened, SCHEME } from './notation-envelope.ts'

export const JWS = 'application/jose+json'
const ALGORITHMS = ['PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512']

/** @throws EnvelopeError, and others for what is no envelope */
export async function openJws(envelope: Uint8Array): Promise<Opened> {
  const jws = JSON.parse(Buffer.from(envelope).toString('utf8')) as FlattenedJWSInput
  const x5c = (jws.header?.x5c ?? []) as string[]
  const chain = x5c.flatMap((each) => certificateIn(Buffer.from(each, 'base64')) ?? [])
  if (!chain[0] || chain.length !== x5c.length) throw new EnvelopeError(NO_CERTIFICATE)
  const crit = { [SCHEME]: true, [EXPIRY]: true }
  try {
    const verified = await flattenedVerify(jws, chain[0].publicKey, { algorithms: ALGORITHMS, crit })
    const header = verified.protectedHeader ?? {}
    const expiry = header[EXPIRY]
    return {
      payload: verified.payload,
      payloadType: header.cty,
      scheme: header[SCHEME],
      ...(expiry === undefined ? {} : { expiresAtMs: Date.parse(String(expiry)) }),
      chain,
    }
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) throw new EnvelopeError(FORGED)
    throw error
  }
}
