// Uploads: distribution-spec v1.1.1 §"Pushing blobs".
import { algorithmOf, type Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { type ByteRange, uploadRange } from '../oci/range.ts'
import { objectCandidate } from './candidates.ts'
import { keys, objectKeys } from './keys.ts'
import { registerLink } from './links.ts'
import { number, type Registry } from './registry.ts'
import { RunningHashes } from './running-hashes.ts'
import type { Session } from './session-token.ts'
import {
  readSession,
  requireOpen,
  type SessionItem,
  sessionCandidate,
  sessionWrite,
} from './upload-session.ts'
import { checkDigest, digestOfBody, hashed, limited, verified } from './verified-body.ts'

/** An hour to start a PUT; each PATCH renews a session for a day. */
const FRESH_SECONDS = 3600
const PATCHED_SECONDS = 86_400

const running = new WeakMap<Registry, RunningHashes>()

export interface UploadBody {
  bytes: AsyncIterable<Uint8Array>
  /** The request's Content-Length, when it has one. */
  lengthBytes?: number
  contentRange?: ByteRange
}

/** A fresh session. Nothing is stored. */
export function startUpload(registry: Registry, repositoryId: string): Session {
  return {
    id: registry.newId(),
    repositoryId,
    expiresAtEpochSeconds: expiry(registry, FRESH_SECONDS),
    limitBytes: registry.settings.blobLimitBytes,
    patched: false,
  }
}

/** @returns bytes accepted so far. @throws BLOB_UPLOAD_UNKNOWN */
export async function uploadOffset(registry: Registry, session: Session): Promise<number> {
  const item = await readSession(registry, session)
  requireOpen(item)
  return item?.offset ?? 0
}

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
  const before = await readSession(registry, session)
  requireOpen(before)
  const item = await append(registry, session, before, body)
  return {
    session: { ...session, patched: true, expiresAtEpochSeconds: expiry(registry, PATCHED_SECONDS) },
    offset: item.offset,
  }
}

async function append(
  registry: Registry,
  session: Session,
  before: SessionItem | undefined,
  body: UploadBody,
): Promise<SessionItem> {
  const offset = before?.offset ?? 0
  checkContinues(body, offset)
  // The lease: whoever raised the epoch last may write; an older request finds its end refused.
  const lease: SessionItem = {
    ...(before ?? { state: 'open', offset }),
    epoch: (before?.epoch ?? 0) + 1,
  } as SessionItem
  const writes = [sessionWrite(registry, session, before, lease)]
  if (!before) writes.push(sessionCandidate(registry, session))
  if (!(await registry.metadata.transact(writes)).ok) throw overtaken(offset)

  const hash = hashes(registry).at(session.id, offset)
  const stored = await registry.blobs.append(
    session.id,
    before?.store,
    offset,
    limited(hash ? hashed(body.bytes, hash) : body.bytes, session.limitBytes - offset),
  )
  checkLength(body, stored.sizeBytes)
  const { digestSoFar: _, ...rest } = lease
  const after: SessionItem = {
    ...rest,
    offset: offset + stored.sizeBytes,
    store: stored.state,
    ...(hash ? { digestSoFar: hashes(registry).keep(session.id, offset + stored.sizeBytes, hash) } : {}),
  }
  if (!(await registry.metadata.transact([sessionWrite(registry, session, lease, after)])).ok)
    throw overtaken(offset)
  return after
}

/**
 * Ends an upload: the bytes so far, and those of the body, are the blob `digest`.
 * Repeating a commit whose answer was lost finishes it, or says again that it is done.
 * @throws DIGEST_INVALID, RANGE_INVALID (416), BLOB_UPLOAD_UNKNOWN, BLOB_UPLOAD_INVALID
 */
export async function commitUpload(
  registry: Registry,
  session: Session,
  digest: Digest,
  body: UploadBody | undefined,
): Promise<void> {
  let item = await readSession(registry, session)
  if (!item && session.patched) throw sessionGone()
  if (!item) return putWhole(registry, session, digest, body)
  if (item.state === 'open') {
    if (body) item = await append(registry, session, item, body)
    item = await startCommit(registry, session, item, digest)
  }
  if (item.state === 'done' && item.digest === digest) return
  if (item.state !== 'committing') requireOpen(item)
  if (item.digest !== digest)
    throw new RegistryError('BLOB_UPLOAD_INVALID', `this upload session is being committed as ${item.digest}`)
  await finishCommit(registry, session, item)
}

/** POST with a digest, or PUT on a session that had no PATCH: the body is the whole blob. */
async function putWhole(
  registry: Registry,
  session: Session,
  digest: Digest,
  body: UploadBody | undefined,
): Promise<void> {
  if (body) checkContinues(body, 0)
  // A key of this attempt alone: a repeat that runs at the same time cannot touch these bytes.
  const object = objectKeys.blob(session.repositoryId, registry.newId())
  const sizeBytes = await registry.blobs.put(
    object,
    verified(limited(body?.bytes ?? nothing(), session.limitBytes), digest),
  )
  if (body?.contentRange && sizeBytes !== body.contentRange.end + 1) {
    await registry.blobs.delete(object)
    checkLength(body, sizeBytes)
  }
  const done: SessionItem = { state: 'done', epoch: 0, offset: sizeBytes, digest, object }
  const outcome = await registerLink(
    registry,
    session.repositoryId,
    digest,
    { key: object, sizeBytes, shared: false },
    [sessionWrite(registry, session, undefined, done)],
  )
  if (outcome === 'registered') return
  await registry.blobs.delete(object) // never linked
  return commitUpload(registry, session, digest, undefined) // another commit of this session was first
}

async function startCommit(
  registry: Registry,
  session: Session,
  item: SessionItem,
  digest: Digest,
): Promise<SessionItem> {
  const known = item.digestSoFar
  if (known && algorithmOf(digest) === 'sha256') checkDigest(digest, known, item.offset)
  const object = objectKeys.blob(session.repositoryId, session.id)
  const committing: SessionItem = { ...item, state: 'committing', digest, object }
  if ((await registry.metadata.transact([sessionWrite(registry, session, item, committing)])).ok)
    return committing
  const now = await readSession(registry, session)
  if (now?.state === 'open' || !now) throw overtaken(item.offset)
  return now
}

async function finishCommit(registry: Registry, session: Session, item: SessionItem): Promise<void> {
  const digest = item.digest!
  const object = item.object!
  await registry.blobs.complete(session.id, item.store ?? {}, item.offset, object)
  if (item.digestSoFar !== digest) await verifyStored(registry, session, item)
  hashes(registry).forget(session.id)
  const done: SessionItem = { state: 'done', epoch: item.epoch, offset: item.offset, digest, object }
  const linked = { key: object, sizeBytes: item.offset, shared: false }
  const end = sessionWrite(registry, session, item, done)
  if ((await registerLink(registry, session.repositoryId, digest, linked, [end])) === 'registered') return
  // A repeat of this very commit finished it; anything else means that the session is over.
  const now = await readSession(registry, session)
  if (now?.state !== 'done') throw sessionGone()
}

function sessionGone(): RegistryError {
  return new RegistryError('BLOB_UPLOAD_UNKNOWN', 'this upload session is over: start a new one')
}

/** Reads the object back where its bytes were not hashed on their way (another process, another algorithm). */
async function verifyStored(registry: Registry, session: Session, item: SessionItem): Promise<void> {
  const stored = await registry.blobs.open(item.object!)
  if (!stored)
    throw new RegistryError('BLOB_UPLOAD_INVALID', 'the uploaded bytes are missing: upload the blob again')
  const actual = await digestOfBody(stored, algorithmOf(item.digest!))
  if (actual === item.digest) return
  const { digest: _digest, object: _object, ...rest } = item
  await registry.metadata.transact([sessionWrite(registry, session, item, { ...rest, state: 'cancelled' })])
  await registry.blobs.delete(item.object!)
  checkDigest(item.digest!, actual, item.offset)
}

/** @throws BLOB_UPLOAD_UNKNOWN when it was committed already */
export async function cancelUpload(registry: Registry, session: Session): Promise<void> {
  const item = await readSession(registry, session)
  requireOpen(item)
  const cancelled: SessionItem = { state: 'cancelled', epoch: (item?.epoch ?? 0) + 1, offset: 0 }
  if (!(await registry.metadata.transact([sessionWrite(registry, session, item, cancelled)])).ok)
    throw overtaken(0)
  hashes(registry).forget(session.id)
  await registry.blobs.abort(session.id, item?.store)
}

/** Forgets a session nobody finished: called by the sweep. */
export async function expireSession(
  registry: Registry,
  sessionId: string,
  idleSinceMs: number,
): Promise<'expired' | 'busy' | 'over'> {
  const found = await registry.metadata.get(keys.session(sessionId))
  if (!found || found.attributes.state === 'done') return 'over'
  if (number(found, 'changedAtMs') > idleSinceMs) return 'busy'
  const { epoch, state, store, object } = found.attributes
  const outcome = await registry.metadata.transact([
    {
      kind: 'delete',
      key: keys.session(sessionId),
      if: { kind: 'equals', attributes: { epoch: epoch as number, state: state as string } },
    },
    // Bytes that were completed but never linked; a link that was quicker keeps its object.
    ...(typeof object === 'string' ? [objectCandidate(registry, object)] : []),
  ])
  if (!outcome.ok) return 'busy'
  await registry.blobs.abort(sessionId, store as SessionItem['store'])
  return 'expired'
}

function checkContinues(body: UploadBody, offset: number): void {
  const range = body.contentRange
  if (!range) return
  const headers = { Range: uploadRange(offset) }
  if (range.start !== offset)
    throw new RegistryError(
      'RANGE_INVALID',
      `the chunk starts at byte ${range.start}, the upload continues at byte ${offset}`,
      { status: 416, headers, detail: { offset } },
    )
  const length = range.end - range.start + 1
  if (body.lengthBytes !== undefined && body.lengthBytes !== length)
    throw new RegistryError(
      'SIZE_INVALID',
      `Content-Range names ${length} bytes, Content-Length says ${body.lengthBytes}`,
      { headers },
    )
}

function checkLength(body: UploadBody, receivedBytes: number): void {
  const range = body.contentRange
  const expected = range ? range.end - range.start + 1 : body.lengthBytes
  if (expected !== undefined && expected !== receivedBytes)
    throw new RegistryError('SIZE_INVALID', `${receivedBytes} bytes were received, ${expected} announced`)
}

function overtaken(offset: number): RegistryError {
  return new RegistryError(
    'RANGE_INVALID',
    'another request continued this upload session at the same time: ask for its status and continue from there',
    { status: 416, headers: { Range: uploadRange(offset) } },
  )
}

function expiry(registry: Registry, seconds: number): number {
  return Math.floor(registry.clock.nowMs() / 1000) + seconds
}

function hashes(registry: Registry): RunningHashes {
  let found = running.get(registry)
  if (!found) {
    found = new RunningHashes()
    running.set(registry, found)
  }
  return found
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
