// PATCH: bytes added to an upload (distribution-spec v1.1.1 §"Pushing a blob in chunks").
import { createHash, type Hash } from 'node:crypto'
import { finishDigest } from '../oci/digest.ts'
import type { Appended, UploadState } from './ports.ts'
import { epochSeconds, type Registry } from './registry.ts'
import { hashesOf } from './running-hashes.ts'
import type { Session } from './session-token.ts'
import { checkContinues, checkLength, overtaken, type UploadBody } from './upload-body.ts'
import {
  objectOf,
  readSession,
  requireOpen,
  type SessionItem,
  sessionCandidate,
  sessionWrite,
} from './upload-session.ts'
import { hashed, limited } from './verified-body.ts'

/** Each PATCH renews a session for a day. */
const PATCHED_SECONDS = 86_400

/**
 * Adds one PATCH's bytes; all of them, or none when the request breaks off.
 * @returns the session renewed, and the bytes accepted so far
 * @throws RANGE_INVALID (416) when the chunk does not continue the upload; the session is unharmed
 */
export async function appendToUpload(
  registry: Registry,
  session: Session,
  body: UploadBody,
): Promise<{ session: Session; offset: number }> {
  // The first PATCH needs no look: its bytes are apart from those of any other until the session is stored.
  const first = !session.patched && (body.contentRange?.start ?? 0) === 0
  const before = first ? undefined : await readSession(registry, session)
  requireOpen(before)
  const item = before
    ? await continueUpload(registry, session, before, body)
    : await begin(registry, session, body)
  return {
    session: { ...session, patched: true, expiresAtEpochSeconds: epochSeconds(registry) + PATCHED_SECONDS },
    offset: item.offset,
  }
}

/** @throws RANGE_INVALID (416) when another request has begun the session; its bytes are unharmed */
async function begin(registry: Registry, session: Session, body: UploadBody): Promise<SessionItem> {
  checkContinues(body, 0)
  const hash = createHash('sha256')
  const stored = await store(registry, session, undefined, 0, body, hash)
  const after: SessionItem = { state: 'open', epoch: 1, offset: stored.sizeBytes, ...kept(stored, hash) }
  const outcome = await registry.metadata.transact([
    sessionWrite(registry, session, undefined, after),
    sessionCandidate(registry, session),
  ])
  if (outcome.ok) return remembered(registry, session, after, hash)
  await registry.blobs.abort(objectOf(session), stored.state)
  throw overtaken((await readSession(registry, session))?.offset ?? 0)
}

/** @returns the session after the bytes of `body`. @throws RANGE_INVALID (416) */
export async function continueUpload(
  registry: Registry,
  session: Session,
  before: SessionItem,
  body: UploadBody,
): Promise<SessionItem> {
  const { offset } = before
  checkContinues(body, offset)
  // The lease: whoever raised the epoch last may write; an older request finds its end refused.
  const { digestSoFar: _digest, object: _object, ...rest } = before
  const lease: SessionItem = { ...before, epoch: before.epoch + 1 }
  if (!(await registry.metadata.transact([sessionWrite(registry, session, before, lease)])).ok)
    throw overtaken(offset)
  const hash = offset === 0 ? createHash('sha256') : hashesOf(registry).at(session.id, before.epoch)
  if (hash) hashesOf(registry).keep(session.id, lease.epoch, hash.copy()) // for a retry, should this request break off
  const stored = await store(registry, session, before.store, offset, body, hash)
  const after: SessionItem = {
    ...rest,
    epoch: lease.epoch + 1,
    offset: offset + stored.sizeBytes,
    ...kept(stored, hash),
  }
  if (!(await registry.metadata.transact([sessionWrite(registry, session, lease, after)])).ok)
    throw overtaken(offset)
  return remembered(registry, session, after, hash)
}

/** Stores one PATCH's bytes, hashing them where the hash of those before is known. */
async function store(
  registry: Registry,
  session: Session,
  state: UploadState | undefined,
  offset: number,
  body: UploadBody,
  hash: Hash | undefined,
): Promise<Appended> {
  const bytes = limited(hash ? hashed(body.bytes, hash) : body.bytes, session.limitBytes - offset)
  const stored = await registry.blobs.append(objectOf(session), state, offset, bytes)
  try {
    checkLength(body, stored.sizeBytes)
  } catch (error) {
    if (state === undefined) await registry.blobs.abort(objectOf(session), stored.state)
    throw error
  }
  return stored
}

function kept(stored: Appended, hash: Hash | undefined): Partial<SessionItem> {
  return {
    store: stored.state,
    ...(stored.object === undefined ? {} : { object: stored.object }),
    ...(hash === undefined ? {} : { digestSoFar: finishDigest(hash.copy(), 'sha256') }),
  }
}

/** Only now that the session's item tells of these bytes: a request that was overtaken must leave no hash of its own. */
function remembered(
  registry: Registry,
  session: Session,
  item: SessionItem,
  hash: Hash | undefined,
): SessionItem {
  if (hash) hashesOf(registry).keep(session.id, item.epoch, hash)
  return item
}
