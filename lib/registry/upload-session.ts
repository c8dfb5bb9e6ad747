// The item of an upload session: open -> committing -> done, or cancelled.
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { candidateWrite } from './candidates.ts'
import { keys } from './keys.ts'
import { objectKeys } from './object-keys.ts'
import type { Condition, Item, UploadState, Write } from './ports.ts'
import { number, type Registry, text } from './registry.ts'
import type { Session } from './session-token.ts'

/** How long a session that had a PATCH may rest. */
export const SESSION_IDLE_MS = 86_400_000
/** How long a finished session still answers a repeated commit with its 201. */
const DONE_KEPT_MS = 86_400_000

export interface SessionItem {
  state: 'open' | 'committing' | 'done' | 'cancelled'
  /** Raised by every PATCH that starts; a write of an older epoch is refused. */
  epoch: number
  /** Bytes accepted so far. */
  offset: number
  /** sha256 of those bytes, when they were hashed on their way. */
  digestSoFar?: Digest
  /** What the blob store keeps of the upload. */
  store?: UploadState
  /** While committing and after: the digest asked for. */
  digest?: Digest
  /** Once its bytes are an object. */
  object?: string
}

/** The object a streamed upload becomes: its key is the session's alone. */
export function objectOf(session: Session): string {
  return objectKeys.blob(session.repositoryId, session.id)
}

export async function readSession(registry: Registry, session: Session): Promise<SessionItem | undefined> {
  const item = await registry.metadata.get(keys.session(session.id))
  return item && sessionOf(item)
}

function sessionOf(item: Item): SessionItem {
  const { digestSoFar, store, digest, object } = item.attributes
  return {
    state: text(item, 'state') as SessionItem['state'],
    epoch: number(item, 'epoch'),
    offset: number(item, 'offset'),
    ...(digestSoFar === undefined ? {} : { digestSoFar: digestSoFar as Digest }),
    ...(store === undefined ? {} : { store: store as UploadState }),
    ...(digest === undefined ? {} : { digest: digest as Digest }),
    ...(object === undefined ? {} : { object: object as string }),
  }
}

/** Puts the session's next state on condition that it is still in the one read. */
export function sessionWrite(
  registry: Registry,
  session: Pick<Session, 'id' | 'repositoryId'>,
  previous: SessionItem | undefined,
  next: SessionItem,
): Extract<Write, { kind: 'put' }> {
  const condition: Condition = previous
    ? { kind: 'equals', attributes: { epoch: previous.epoch, state: previous.state } }
    : { kind: 'absent' }
  const ended = next.state === 'done' || next.state === 'cancelled'
  return {
    kind: 'put',
    if: condition,
    item: {
      ...keys.session(session.id),
      attributes: { v: 1, ...next, repositoryId: session.repositoryId, changedAtMs: registry.clock.nowMs() },
      ...(ended ? { expiresAtEpochSeconds: Math.floor((registry.clock.nowMs() + DONE_KEPT_MS) / 1000) } : {}),
    },
  }
}

/** Has the collector look whether the session was abandoned. */
export function sessionCandidate(registry: Registry, session: Session): Write {
  return candidateWrite(registry.clock.nowMs() + SESSION_IDLE_MS, { kind: 'session', session: session.id })
}

/** @throws BLOB_UPLOAD_UNKNOWN when the session is over */
export function requireOpen(item: SessionItem | undefined): void {
  if (item === undefined || item.state === 'open') return
  throw new RegistryError(
    'BLOB_UPLOAD_UNKNOWN',
    item.state === 'cancelled'
      ? 'this upload session was cancelled: start a new one'
      : `this upload session is already committed as ${item.digest}: start a new one`,
  )
}
