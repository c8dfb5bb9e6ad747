// Notation's COSE envelope (notaryproject specifications, signature-envelope-cose.md): COSE_Sign1 of RFC 9052.
import { constants, type KeyObject, verify } from 'node:crypto'
import { type DecodeOptions, decode, encode, Tagged } from 'cborg'
import { certificateIn } from './certificates.ts'
import { EnvelopeError, EXPIRY, FORGED, NO_CERTIFICATE, type Opened, SCHEME } from './notation-envelope.ts'

export const COSE = 'application/cose'

const SIGN1 = 18
const EPOCH = 1
/** Labels of headers: RFC 9052 §3.1, RFC 9360 §2. */
const LABEL = { algorithm: 1, critical: 2, contentType: 3, chain: 33 }
const UNDERSTOOD: unknown[] = [SCHEME, EXPIRY, LABEL.algorithm, LABEL.contentType]
const OPTIONS: DecodeOptions = {
  useMaps: true,
  rejectDuplicateMapKeys: true,
  tags: Tagged.preserve(SIGN1, EPOCH),
}

/** RFC 9053 §2.1, RFC 8230 §2. */
const ALGORITHMS = new Map<unknown, { type: 'ec' | 'rsa'; hash: string }>([
  [-7, { type: 'ec', hash: 'sha256' }],
  [-35, { type: 'ec', hash: 'sha384' }],
  [-36, { type: 'ec', hash: 'sha512' }],
  [-37, { type: 'rsa', hash: 'sha256' }],
  [-38, { type: 'rsa', hash: 'sha384' }],
  [-39, { type: 'rsa', hash: 'sha512' }],
])

/** @throws EnvelopeError, and others for what is no envelope */
export function openCose(envelope: Uint8Array): Opened {
  const { tag, value } = decode(envelope, OPTIONS) as Tagged
  const [protectedBytes, unprotected, payload, signature] = value as unknown[]
  if (tag !== SIGN1 || !isBytes(protectedBytes) || !isBytes(payload) || !isBytes(signature))
    throw new Error('no COSE_Sign1')
  const header = decode(protectedBytes, OPTIONS) as Map<unknown, unknown>
  const critical = (header.get(LABEL.critical) ?? []) as unknown[]
  const strange = critical.find((each) => !UNDERSTOOD.includes(each))
  if (strange !== undefined)
    throw new EnvelopeError(`it demands ${String(strange).slice(0, 100)}, which is not known here`)
  const chain = chainIn(unprotected)
  const signed = encode(['Signature1', protectedBytes, new Uint8Array(), payload])
  if (!isSignedBy(chain[0]!.publicKey, header.get(LABEL.algorithm), signed, signature))
    throw new EnvelopeError(FORGED)
  const expiry = header.get(EXPIRY)
  return {
    payload,
    payloadType: header.get(LABEL.contentType),
    scheme: header.get(SCHEME),
    ...(expiry === undefined ? {} : { expiresAtMs: secondsIn(expiry) * 1000 }),
    chain,
  }
}

function chainIn(unprotected: unknown) {
  const found = (unprotected as Map<unknown, unknown>).get(LABEL.chain) ?? []
  const given = (Array.isArray(found) ? found : [found]) as unknown[]
  const chain = given.flatMap((each) => (isBytes(each) ? (certificateIn(each) ?? []) : []))
  if (!chain[0] || chain.length !== given.length) throw new EnvelopeError(NO_CERTIFICATE)
  return chain
}

function isSignedBy(key: KeyObject, algorithm: unknown, signed: Uint8Array, signature: Uint8Array): boolean {
  const known = ALGORITHMS.get(algorithm)
  if (!known || key.asymmetricKeyType !== known.type) return false
  const how =
    known.type === 'ec'
      ? ({ key, dsaEncoding: 'ieee-p1363' } as const)
      : {
          key,
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
        }
  return verify(known.hash, signed, how, signature)
}

/** A number, tagged as seconds since 1970 or not; otherwise NaN, which has ended. */
function secondsIn(value: unknown): number {
  const inner = value instanceof Tagged && value.tag === EPOCH ? value.value : value
  return typeof inner === 'number' ? inner : Number.NaN
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array
}
