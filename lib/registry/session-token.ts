// The upload session's token: it is the session. Starting an upload stores nothing.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { RegistryError } from '../oci/errors.ts'

export interface Session {
  id: string
  repositoryId: string
  expiresAtEpochSeconds: number
  limitBytes: number
  /** The session has had a PATCH, so it has an item. */
  patched: boolean
}

/** HMAC secrets by id; the current one signs, all of them verify. */
export interface SessionKeys {
  currentId: string
  secrets: Map<string, Uint8Array>
}

const PATCHED = '~p'
const SIGNATURE_LENGTH = 32

/** Unreserved characters only, so that no client re-encodes it: `<kid>.<repo>.<session>.<expiry>.<limit>.<mac>[~p]`. */
export function issueSessionToken(keys: SessionKeys, name: string, session: Session): string {
  const payload = [
    keys.currentId,
    session.repositoryId,
    session.id,
    session.expiresAtEpochSeconds.toString(36),
    session.limitBytes.toString(36),
  ].join('.')
  const token = `${payload}.${sign(keys.secrets.get(keys.currentId)!, name, payload)}`
  return session.patched ? token + PATCHED : token
}

/**
 * @param name the repository in the request's path; the token fits no other
 * @throws BLOB_UPLOAD_UNKNOWN when forged, for another repository, or expired
 */
export function readSessionToken(keys: SessionKeys, name: string, token: string, nowMs: number): Session {
  const patched = token.endsWith(PATCHED)
  const parts = (patched ? token.slice(0, -PATCHED.length) : token).split('.')
  const [keyId, repositoryId, id, expiry, limit, signature] = parts
  const secret = keys.secrets.get(keyId ?? '')
  const expected = secret && sign(secret, name, parts.slice(0, 5).join('.'))
  if (parts.length !== 6 || !expected || !sameText(expected, signature!))
    throw new RegistryError(
      'BLOB_UPLOAD_UNKNOWN',
      'this upload session is unknown to the repository: start a new one',
    )
  const expiresAtEpochSeconds = Number.parseInt(expiry!, 36)
  if (expiresAtEpochSeconds * 1000 < nowMs)
    throw new RegistryError('BLOB_UPLOAD_UNKNOWN', 'this upload session has expired: start a new one')
  return {
    id: id!,
    repositoryId: repositoryId!,
    expiresAtEpochSeconds,
    limitBytes: Number.parseInt(limit!, 36),
    patched,
  }
}

function sign(secret: Uint8Array, name: string, payload: string): string {
  return createHmac('sha256', secret)
    .update(`${name}\n${payload}`)
    .digest('base64url')
    .slice(0, SIGNATURE_LENGTH)
}

function sameText(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}
