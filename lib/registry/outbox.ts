// The outbox: an event is put in the transaction of what it tells, and relayed at least once afterwards.
import { keys } from './keys.ts'
import type { Attributes, Item, Write } from './ports.ts'
import type { Actor, Registry } from './registry.ts'

/** The repository an event is about. */
export interface EventHome {
  id: string
  name: string
  projectId: string
}

/** A repository holds something else than before. */
export type ChangeType =
  | 'manifest.pushed'
  | 'manifest.deleted'
  | 'tag.moved'
  | 'tag.deleted'
  | 'repository.deleted'
  | 'repository.restored'

/** Something happened that changes nothing in the repository. */
export type NoticeType =
  | 'manifest.pulled'
  | 'quota.exceeded'
  | 'replication.begun'
  | 'replication.ended'
  | 'retention.ended'
  | 'scan.completed'
  | 'scan.failed'
  | 'scan.stopped'

export type EventType = ChangeType | NoticeType

const CHANGES: readonly string[] = [
  'manifest.pushed',
  'manifest.deleted',
  'tag.moved',
  'tag.deleted',
  'repository.deleted',
  'repository.restored',
] satisfies ChangeType[]

export function isChange(event: Item): boolean {
  return CHANGES.includes(event.attributes.type as string)
}

export interface EventFacts {
  type: ChangeType
  /** Of the manifest; absent for a whole repository. */
  digest?: string
  tags?: string[]
  mediaType?: string
  sizeBytes?: number
  /** Of what names a subject. */
  artifactType?: string
  cause: string
}

export interface NoticeFacts {
  type: NoticeType
  digest?: string
  tags?: string[]
  cause: string
  /** What Harbor's payload has of it under `event_data`. */
  details?: Attributes
}

/** @param repository without an id where it is about a whole project: then its name is the project's */
export function noticeWrite(
  registry: Registry,
  repository: Omit<EventHome, 'id'> & { id?: string },
  facts: NoticeFacts,
  actor: Actor,
): Write {
  return written(registry, { id: '', ...repository }, facts, actor)
}

export function eventWrite(
  registry: Registry,
  repository: EventHome,
  facts: EventFacts,
  actor: Actor,
): Write {
  return written(registry, repository, facts, actor)
}

function written(
  registry: Registry,
  repository: EventHome,
  facts: EventFacts | NoticeFacts,
  actor: Actor,
): Write {
  const id = registry.newId()
  const attributes: Attributes = {
    v: 1,
    ...facts,
    repo: repository.id,
    name: repository.name,
    project: repository.projectId,
    principal: actor.principal,
    requestId: actor.requestId,
    atMs: registry.clock.nowMs(),
    ...(actor.claims ? { claims: actor.claims } : {}),
    ...(actor.replicated ? { replicated: { ...actor.replicated } } : {}),
  }
  return { kind: 'put', item: { ...keys.event(id), attributes } }
}
