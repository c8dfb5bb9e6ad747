// PUT, and POST with a digest: an upload ends, its bytes are a blob (distribution-spec v1.1.1 §"Pushing blobs").
import { algorithmOf, type Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { continueUpload } from './append-upload.ts'
import { registerLink } from './links.ts'
import { objectKeys } from './object-keys.ts'
import type { Registry } from './registry.ts'
import { hashesOf } from './running-hashes.ts'
import type { Session } from './session-token.ts'
import { checkContinues, checkLength, overtaken, type UploadBody } from './upload-body.ts'
import { objectOf, readSession, requireOpen, type SessionItem, sessionWrite } from './upload-session.ts'
import { checkDigest, digestOfBody, limited, verified } from './verified-body.ts'

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
    if (body) item = await continueUpload(registry, session, item, body)
    checkKnown(item, digest)
    if (item.object !== undefined) return finishCommit(registry, session, item, digest)
    item = await startCommit(registry, session, item, digest)
  }
  if (item.state === 'done' && item.digest === digest) return
  if (item.state !== 'committing') requireOpen(item)
  if (item.digest !== digest)
    throw new RegistryError('BLOB_UPLOAD_INVALID', `this upload session is being committed as ${item.digest}`)
  await finishCommit(registry, session, item, digest)
}

function checkKnown(item: SessionItem, digest: Digest): void {
  if (item.digestSoFar && algorithmOf(digest) === 'sha256') checkDigest(digest, item.digestSoFar, item.offset)
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
  const link = await registerLink(
    registry,
    session.repositoryId,
    digest,
    { key: object, sizeBytes, shared: false },
    [sessionWrite(registry, session, undefined, done)],
  )
  if (link) return
  await registry.blobs.delete(object) // never linked
  return commitUpload(registry, session, digest, undefined) // another commit of this session was first
}

async function startCommit(
  registry: Registry,
  session: Session,
  item: SessionItem,
  digest: Digest,
): Promise<SessionItem> {
  const committing: SessionItem = { ...item, state: 'committing', digest }
  if ((await registry.metadata.transact([sessionWrite(registry, session, item, committing)])).ok)
    return committing
  const now = await readSession(registry, session)
  if (now?.state === 'open' || !now) throw overtaken(item.offset)
  return now
}

async function finishCommit(
  registry: Registry,
  session: Session,
  item: SessionItem,
  digest: Digest,
): Promise<void> {
  const object = item.object ?? objectOf(session)
  if (item.object === undefined) await registry.blobs.complete(object, item.store!, item.offset)
  if (item.digestSoFar !== digest) await verifyStored(registry, session, item, object, digest)
  hashesOf(registry).forget(session.id)
  const done: SessionItem = { state: 'done', epoch: item.epoch, offset: item.offset, digest, object }
  const linked = { key: object, sizeBytes: item.offset, shared: false }
  const end = sessionWrite(registry, session, item, done)
  if (await registerLink(registry, session.repositoryId, digest, linked, [end])) return
  // A repeat of this very commit finished it; anything else means that the session is over.
  const now = await readSession(registry, session)
  if (now?.state !== 'done' || now.digest !== digest) throw sessionGone()
}

function sessionGone(): RegistryError {
  return new RegistryError('BLOB_UPLOAD_UNKNOWN', 'this upload session is over: start a new one')
}

/** Reads the object back where its bytes were not hashed on their way (another process, another algorithm). */
async function verifyStored(
  registry: Registry,
  session: Session,
  item: SessionItem,
  object: string,
  digest: Digest,
): Promise<void> {
  const stored = await registry.blobs.open(object)
  if (!stored)
    throw new RegistryError('BLOB_UPLOAD_INVALID', 'the uploaded bytes are missing: upload the blob again')
  const actual = await digestOfBody(stored, algorithmOf(digest))
  if (actual === digest) return
  const cancelled: SessionItem = { state: 'cancelled', epoch: item.epoch, offset: item.offset }
  // Only whoever ended the session may take its object away: a repeat of it may be linking the very same.
  if ((await registry.metadata.transact([sessionWrite(registry, session, item, cancelled)])).ok)
    await registry.blobs.delete(object)
  checkDigest(digest, actual, item.offset)
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
