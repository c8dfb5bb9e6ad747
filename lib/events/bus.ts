// Events as a bus outside of the registry carries them: docs/events.md is their schema, kept for whoever has built on it.
import type { EventType } from '../registry/outbox.ts'
import type { Attributes } from '../registry/ports.ts'
import type { RegistryEvent } from './event.ts'

/** Where events go that others build on. At least once, so `id` says whether one was told before. */
export interface EventBus {
  /** @throws Error when the bus did not take it */
  publish(event: BusEvent): Promise<void>
}

export interface BusEvent {
  /** `Artifact Pushed`, … */
  detailType: string
  atMs: number
  /** A CloudEvent of version 1.0 in its JSON format. */
  detail: Attributes
}

/** What rules of a bus find our events by. */
export const BUS_SOURCE = 'entrepot'

export const DETAIL_TYPES: Record<EventType, string> = {
  'manifest.pushed': 'Artifact Pushed',
  'manifest.deleted': 'Artifact Deleted',
  'manifest.pulled': 'Artifact Pulled',
  'tag.moved': 'Tag Moved',
  'tag.deleted': 'Tag Deleted',
  'repository.deleted': 'Repository Deleted',
  'repository.restored': 'Repository Restored',
  'quota.exceeded': 'Quota Exceeded',
  'replication.begun': 'Replication Begun',
  'replication.ended': 'Replication Ended',
  'retention.ended': 'Retention Ended',
  'scan.completed': 'Scan Completed',
  'scan.failed': 'Scan Failed',
  'scan.stopped': 'Scan Stopped',
}

export function busEventOf(event: RegistryEvent): BusEvent {
  const { type, atMs, project, repository, digest, tags, details } = event
  const name = repository === project ? {} : { repository }
  return {
    detailType: DETAIL_TYPES[type],
    atMs,
    detail: {
      specversion: '1.0',
      id: event.id,
      source: `/projects/${project}`,
      type: `entrepot.${type}`,
      subject: subjectOf(event),
      time: new Date(atMs).toISOString(),
      datacontenttype: 'application/json',
      data: {
        project,
        ...name,
        ...(digest === undefined ? {} : { digest }),
        tags,
        ...(event.mediaType === undefined ? {} : { mediaType: event.mediaType }),
        ...(event.sizeBytes === undefined ? {} : { sizeBytes: event.sizeBytes }),
        cause: event.cause,
        principal: event.principal,
        requestId: event.requestId,
        ...(Object.keys(details).length === 0 ? {} : { details }),
      },
    },
  }
}

/** `library/app:v1`, `library/app@sha256:…`, or the repository alone. */
function subjectOf({ repository, digest, tags }: RegistryEvent): string {
  const [tag] = tags
  if (tag !== undefined) return `${repository}:${tag}`
  return digest === undefined ? repository : `${repository}@${digest}`
}

/** Tells the bus of everything. */
export function publishing(bus: EventBus): (event: RegistryEvent) => Promise<void> {
  return (event) => bus.publish(busEventOf(event))
}
