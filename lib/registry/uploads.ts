// The life of an upload session besides its bytes: begun, asked for, cancelled, expired.

import { objectCandidate } from './candidates.ts'
import { keys } from './keys.ts'
import { objectKeys } from './object-keys.ts'
import type { UploadState } from './ports.ts'
import { epochSeconds, number, type Registry, text } from './registry.ts'
import { hashesOf } from './running-hashes.ts'
import type { Session } from './session-token.ts'
import { overtaken } from './upload-body.ts'
import { objectOf, readSession, requireOpen, type SessionItem, sessionWrite } from './upload-session.ts'

/** An hour to start a PUT. */
const FRESH_SECONDS = 3600

/** A fresh session. Nothing is stored. */
export function startUpload(registry: Registry, repositoryId: string): Session {
  return {
    id: registry.newId(),
    repositoryId,
    expiresAtEpochSeconds: epochSeconds(registry) + FRESH_SECONDS,
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

/** @throws BLOB_UPLOAD_UNKNOWN when it was committed already */
export async function cancelUpload(registry: Registry, session: Session): Promise<void> {
  const item = await readSession(registry, session)
  requireOpen(item)
  const cancelled: SessionItem = { state: 'cancelled', epoch: (item?.epoch ?? 0) + 1, offset: 0 }
  if (!(await registry.metadata.transact([sessionWrite(registry, session, item, cancelled)])).ok)
    throw overtaken(0)
  hashesOf(registry).forget(session.id)
  if (item?.store) await registry.blobs.abort(objectOf(session), item.store)
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
  const { epoch, state, store } = found.attributes
  const object = objectKeys.blob(text(found, 'repositoryId'), sessionId)
  const outcome = await registry.metadata.transact([
    {
      kind: 'delete',
      key: keys.session(sessionId),
      if: { kind: 'equals', attributes: { epoch: epoch as number, state: state as string } },
    },
    // Bytes that were completed but never linked; a link that was quicker keeps its object.
    ...(state === 'committing' ? [objectCandidate(registry, object)] : []),
  ])
  if (!outcome.ok) return 'busy'
  if (store) await registry.blobs.abort(object, store as UploadState)
  return 'expired'
}
