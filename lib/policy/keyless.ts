// Keyless signatures: by a key that a certificate binds to an identity for a few minutes.

import type { X509Certificate } from 'node:crypto'
import { X509Certificate as ParsedCertificate } from '@sigstore/core'
import { certificatesIn, chainFault } from './certificates.ts'
import { isSignedBy } from './signature-bytes.ts'
import type { SignatureTrust } from './signature-trust.ts'
import { type LogEntry, type LoggedSignature, loggedAt } from './transparency.ts'

/** Fulcio's extensions: the issuer as a DER string, and as it was written before. */
const ISSUER = '1.3.6.1.4.1.57264.1.8'
const OLD_ISSUER = '1.3.6.1.4.1.57264.1.1'

export interface KeylessSignature extends LoggedSignature {
  /** What the signature is over. */
  signed: Uint8Array
  chain: X509Certificate[]
  entry?: LogEntry
}

/** @returns undefined when one of the project's identities made it, otherwise why it does not count */
export function keylessFault(
  given: KeylessSignature,
  trust: SignatureTrust,
  nowMs: number,
): string | undefined {
  if (trust.keyless.length === 0) return 'it is a keyless one, and the project names no identities'
  const [leaf] = given.chain
  if (!leaf) return 'it has no certificate'
  if (!isSignedBy(leaf.publicKey, given.signed, Buffer.from(given.signature, 'base64')))
    return 'it is forged: the key of its certificate did not make it'
  const atMs = signedAt(given, trust, nowMs)
  if (typeof atMs === 'string') return atMs
  const fault = chainFault(given.chain, trust.fulcioCertificates.flatMap(certificatesIn), atMs)
  if (fault) return fault
  const who = identityOf(leaf)
  if (!who) return 'its certificate names no identity'
  const matches = trust.keyless.some(
    ({ identity, issuer }) => who.issuer === issuer && who.identities.includes(identity),
  )
  if (matches) return undefined
  return `it was made by ${who.identities.join(', ').slice(0, 300) || 'nobody'} (${who.issuer.slice(0, 300)}), whom the project does not trust`
}

/** Without a log nobody knows when it was made: then it is as if it were now. */
function signedAt(given: KeylessSignature, { rekorKey }: SignatureTrust, nowMs: number): number | string {
  if (rekorKey === undefined) return nowMs
  if (!given.entry) return 'it has no entry of the log that the project trusts'
  return loggedAt(given.entry, given, rekorKey)
}

function identityOf({ raw }: X509Certificate): { identities: string[]; issuer: string } | undefined {
  try {
    const parsed = ParsedCertificate.parse(Buffer.from(raw))
    const { uri, rfc822Name } = parsed.extSubjectAltName ?? {}
    const issuer = parsed.extension(ISSUER)?.valueObj.subs[0]?.value ?? parsed.extension(OLD_ISSUER)?.value
    return {
      identities: [uri, rfc822Name].filter((each) => each !== undefined),
      issuer: issuer?.toString('utf8') ?? '',
    }
  } catch {
    return undefined
  }
}
