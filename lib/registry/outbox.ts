// The outbox: an event is put in the transaction of what it tells, and relayed at least once afterwards.
import { keys } from './keys.ts'
import type { Attributes, Write } from './ports.ts'
import type { Actor, Registry } from './registry.ts'

/** In place of a project's id: no id is so short. */
const SYSTEM_EVENTS = '-'

/** The repository an event is about. */
export interface EventHome {
  id: string
  name: string
  projectId: string
}

export type EventType =
  | 'manifest.pushed'
  | 'manifest.deleted'
  | 'tag.moved'
  | 'tag.deleted'
  | 'repository.deleted'
  | 'repository.restored'

/** What is about no repository: jobs that ended. */
export type SystemEventType = 'replication.ended'

export interface EventFacts {
  type: EventType
  /** Of the manifest; absent for a whole repository. */
  digest?: string
  tags?: string[]
  mediaType?: string
  sizeBytes?: number
  cause: string
}

export function eventWrite(
  registry: Registry,
  repository: EventHome,
  facts: EventFacts,
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

/** @param facts what the event tells besides its type */
export function systemEventWrite(registry: Registry, type: SystemEventType, facts: Attributes): Write {
  const attributes: Attributes = {
    v: 1,
    type,
    ...facts,
    project: SYSTEM_EVENTS,
    atMs: registry.clock.nowMs(),
  }
  return { kind: 'put', item: { ...keys.event(registry.newId()), attributes } }
}
