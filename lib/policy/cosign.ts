// Cosign's signatures: simple signing (a layer of JSON, signed in its annotations) and Sigstore bundles (v0.3).
import { createPublicKey } from 'node:crypto'
import { dsse } from '@sigstore/core'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { certificateIn, certificatesIn } from './certificates.ts'
import { type KeylessSignature, keylessFault } from './keyless.ts'
import { isSignedBy } from './signature-bytes.ts'
import type { SignatureTrust } from './signature-trust.ts'
import type { LogEntry } from './transparency.ts'

const SIGNATURE = 'dev.cosignproject.cosign/signature'
const CERTIFICATE = 'dev.sigstore.cosign/certificate'
const CHAIN = 'dev.sigstore.cosign/chain'
const LOG_ENTRY = 'dev.sigstore.cosign/bundle'
/** What else is a bundle, attestations of builds for example, signs no image. */
const SIGNS_AN_IMAGE = 'https://sigstore.dev/cosign/sign/v1'
const SIGNS_SIMPLY = 'cosign container image signature'

// biome-ignore lint/suspicious/noExplicitAny: parsed JSON of strangers; whatever it lacks is caught
type Loose = any

/**
 * @param layer of the signature's manifest; its annotations hold the signature
 * @param payload its bytes
 * @returns undefined when it is the image's and somebody trusted made it, otherwise why it does not count
 */
export function simpleSigningFault(
  image: Digest,
  { annotations = {} }: Descriptor,
  payload: Uint8Array,
  trust: SignatureTrust,
  nowMs: number,
): string | undefined {
  return guarded(() => {
    const { critical }: Loose = JSON.parse(Buffer.from(payload).toString('utf8'))
    if (critical.type !== SIGNS_SIMPLY) return 'it is no signature of an image'
    const digest = critical.image['docker-manifest-digest']
    if (digest !== image) return ofAnother(digest)
    const entry = annotations[LOG_ENTRY]
    const signature = annotations[SIGNATURE] ?? ''
    const chain = [CERTIFICATE, CHAIN].flatMap((name) => certificatesIn(annotations[name] ?? ''))
    return signerFault(
      { signed: payload, payload, signature, chain, ...(entry ? { entry: entryIn(JSON.parse(entry)) } : {}) },
      trust,
      nowMs,
    )
  })
}

/**
 * @param manifest the image's bytes, which a bundle may sign as they are
 * @returns as `simpleSigningFault`
 */
export function bundleFault(
  image: Digest,
  manifest: Uint8Array,
  bundle: Uint8Array,
  trust: SignatureTrust,
  nowMs: number,
): string | undefined {
  return guarded(() => {
    const parsed: Loose = JSON.parse(Buffer.from(bundle).toString('utf8'))
    const content = parsed.dsseEnvelope ? enveloped(image, parsed.dsseEnvelope) : plain(parsed, manifest)
    if (typeof content === 'string') return content
    const { certificate, x509CertificateChain, tlogEntries } = parsed.verificationMaterial
    const raw: Loose[] = certificate ? [certificate] : (x509CertificateChain?.certificates ?? [])
    const chain = raw.flatMap(({ rawBytes }) => certificateIn(Buffer.from(rawBytes, 'base64')) ?? [])
    const entry = tlogEntries?.[0]?.inclusionPromise ? bundleEntry(tlogEntries[0]) : undefined
    return signerFault({ ...content, chain, ...(entry ? { entry } : {}) }, trust, nowMs)
  })
}

type Content = Pick<KeylessSignature, 'signed' | 'payload' | 'signature'>

function enveloped(image: Digest, { payload, payloadType, signatures }: Loose): Content | string {
  const bytes = Buffer.from(payload, 'base64')
  const statement: Loose = JSON.parse(bytes.toString('utf8'))
  if (statement.predicateType !== SIGNS_AN_IMAGE)
    return `it is no signature of an image but says ${JSON.stringify(String(statement.predicateType).slice(0, 100))}`
  const [algorithm, hex] = image.split(':') as [string, string]
  const digests = statement.subject.map((each: Loose) => each.digest[algorithm])
  if (!digests.includes(hex)) return ofAnother(`${algorithm}:${digests[0]}`)
  return { signed: dsse.preAuthEncoding(payloadType, bytes), payload: bytes, signature: signatures[0].sig }
}

function plain({ messageSignature }: Loose, manifest: Uint8Array): Content {
  return { signed: manifest, payload: manifest, signature: messageSignature.signature }
}

function signerFault(given: KeylessSignature, trust: SignatureTrust, nowMs: number): string | undefined {
  if (given.chain.length > 0) return keylessFault(given, trust, nowMs)
  const signature = Buffer.from(given.signature, 'base64')
  if (trust.cosignKeys.some((pem) => isSignedBy(createPublicKey(pem), given.signed, signature)))
    return undefined
  return 'none of the keys the project trusts made it: it is by another key, or forged'
}

function entryIn({ SignedEntryTimestamp: timestamp, Payload }: Loose): LogEntry {
  const { body, integratedTime, logIndex, logID } = Payload
  return { body, integratedTime, logIndex, logID, timestamp }
}

function bundleEntry(entry: Loose): LogEntry {
  return {
    body: entry.canonicalizedBody,
    integratedTime: Number(entry.integratedTime),
    logIndex: Number(entry.logIndex),
    logID: Buffer.from(entry.logId.keyId, 'base64').toString('hex'),
    timestamp: entry.inclusionPromise.signedEntryTimestamp,
  }
}

function ofAnother(digest: unknown): string {
  return `it is a signature of another image, ${String(digest).slice(0, 100)}`
}

/** Anybody may push anything as a signature: what is not one is a fault of its own. */
function guarded(look: () => string | undefined): string | undefined {
  try {
    return look()
  } catch {
    return 'it is no signature that can be read'
  }
}
