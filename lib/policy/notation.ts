// Notation's signatures (notaryproject specifications, signature-specification.md): what their two envelopes,
// JWS and COSE, say alike, and whether it counts.
import type { Digest } from '../oci/digest.ts'
import { certificatesIn, chainFault } from './certificates.ts'
import { COSE, openCose } from './notation-cose.ts'
import { EnvelopeError, type Opened } from './notation-envelope.ts'
import { JWS, openJws } from './notation-jws.ts'
import type { SignatureTrust } from './signature-trust.ts'

const PAYLOAD = 'application/vnd.cncf.notary.payload.v1+json'
const ENVELOPES: Record<string, (envelope: Uint8Array) => Promise<Opened> | Opened> = {
  [JWS]: openJws,
  [COSE]: openCose,
}

/** @returns undefined when it is the image's and somebody trusted made it, otherwise why it does not count */
export async function notationFault(
  image: Digest,
  mediaType: string,
  envelope: Uint8Array,
  trust: SignatureTrust,
  nowMs: number,
): Promise<string | undefined> {
  const open = ENVELOPES[mediaType]
  if (!open) return `its envelope is ${mediaType.slice(0, 100)}, which is not read here`
  try {
    const { payload, payloadType, scheme, expiresAtMs, chain } = await open(envelope)
    if (payloadType !== PAYLOAD) return 'it is no signature of an image'
    const { targetArtifact } = JSON.parse(Buffer.from(payload).toString('utf8'))
    if (targetArtifact.digest !== image)
      return `it is a signature of another image, ${String(targetArtifact.digest).slice(0, 100)}`
    if (expiresAtMs !== undefined && !(expiresAtMs > nowMs))
      return `it ended at ${Number.isNaN(expiresAtMs) ? 'no time' : new Date(expiresAtMs).toISOString()}`
    if (scheme !== 'notary.x509') return `its scheme, ${String(scheme).slice(0, 100)}, is not known here`
    return chainFault(chain, trust.notationCertificates.flatMap(certificatesIn), nowMs)
  } catch (error) {
    return error instanceof EnvelopeError ? error.message : 'it is no signature that can be read'
  }
}
