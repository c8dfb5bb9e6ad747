// Notation's signatures: JWS envelopes (notaryproject specifications, signature-envelope-jws.md). COSE is not read.
import { errors, type FlattenedJWSInput, flattenedVerify } from 'jose'
import type { Digest } from '../oci/digest.ts'
import { certificateIn, certificatesIn, chainFault } from './certificates.ts'
import type { SignatureTrust } from './signature-trust.ts'

export const JWS = 'application/jose+json'
const PAYLOAD = 'application/vnd.cncf.notary.payload.v1+json'
const SCHEME = 'io.cncf.notary.signingScheme'
const EXPIRY = 'io.cncf.notary.expiry'
const ALGORITHMS = ['PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512']

/** @returns undefined when it is the image's and somebody trusted made it, otherwise why it does not count */
export async function notationFault(
  image: Digest,
  envelope: Uint8Array,
  trust: SignatureTrust,
  nowMs: number,
): Promise<string | undefined> {
  try {
    const jws = JSON.parse(Buffer.from(envelope).toString('utf8')) as FlattenedJWSInput
    const x5c = (jws.header?.x5c ?? []) as string[]
    const chain = x5c.flatMap((each) => certificateIn(Buffer.from(each, 'base64')) ?? [])
    if (!chain[0] || chain.length !== x5c.length) return 'it has no certificate'
    const { payload, protectedHeader } = await flattenedVerify(jws, chain[0].publicKey, {
      algorithms: ALGORITHMS,
      crit: { [SCHEME]: true, [EXPIRY]: true },
    })
    if (protectedHeader?.cty !== PAYLOAD) return 'it is no signature of an image'
    const { targetArtifact } = JSON.parse(Buffer.from(payload).toString('utf8'))
    if (targetArtifact.digest !== image)
      return `it is a signature of another image, ${String(targetArtifact.digest).slice(0, 100)}`
    const expiry = protectedHeader[EXPIRY]
    if (typeof expiry === 'string' && !(new Date(expiry).getTime() > nowMs))
      return `it ended at ${expiry.slice(0, 40)}`
    if (protectedHeader[SCHEME] !== 'notary.x509')
      return `its scheme, ${protectedHeader[SCHEME]}, is not known here`
    return chainFault(chain, trust.notationCertificates.flatMap(certificatesIn), nowMs)
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed)
      return 'it is forged: the key of its certificate did not make it'
    return 'it is no signature that can be read'
  }
}
