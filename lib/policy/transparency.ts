// When a keyless signature was made: a log (Rekor) has signed that it had the entry then.
import { createHash, createPublicKey } from 'node:crypto'
import { isObject } from '../oci/descriptor.ts'
import { isSignedBy } from './signature-bytes.ts'

/** An entry as the log signed it (its SignedEntryTimestamp). */
export interface LogEntry {
  /** Base64 of the entry's JSON. */
  body: string
  integratedTime: number
  logIndex: number
  /** Hex. */
  logID: string
  /** Base64. */
  timestamp: string
}

/** `hashedrekord` has the first two, `dsse` the others. */
interface Entry {
  data: { hash: { value: string } }
  signature: { content: string }
  payloadHash: { value: string }
  signatures: { signature: string }[]
}

export interface LoggedSignature {
  /** What was signed: cosign's payload, or that of an envelope. */
  payload: Uint8Array
  /** Base64. */
  signature: string
}

/** @returns when the log took it, in ms, or why that does not count */
export function loggedAt(entry: LogEntry, logged: LoggedSignature, rekorKey: string): number | string {
  const { body, integratedTime, logIndex, logID, timestamp } = entry
  // RFC 8785: the members in this order, nothing between them.
  const signed = JSON.stringify({ body, integratedTime, logID, logIndex })
  if (!isSignedBy(createPublicKey(rekorKey), Buffer.from(signed), Buffer.from(timestamp, 'base64')))
    return 'the log that the project trusts has not signed its entry'
  if (!isEntryOf(body, logged)) return 'its entry in the log is of another signature'
  return integratedTime * 1000
}

function isEntryOf(body: string, { payload, signature }: LoggedSignature): boolean {
  try {
    const { kind, spec } = JSON.parse(Buffer.from(body, 'base64').toString('utf8'))
    if (!isObject(spec)) return false
    const { data, signature: signed, payloadHash, signatures } = spec as unknown as Entry
    const hash = createHash('sha256').update(payload).digest('hex')
    if (kind === 'hashedrekord') return data.hash.value === hash && signed.content === signature
    if (kind !== 'dsse' || payloadHash.value !== hash) return false
    return signatures.some((each) => each.signature === signature)
  } catch {
    return false // whatever it is, it says nothing of this signature
  }
}
