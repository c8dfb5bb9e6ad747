// What happened in the registry, as whoever listens is told of it.
import { projectOf } from '../oci/reference.ts'
import type { EventType } from '../registry/outbox.ts'
import type { Attributes, Item } from '../registry/ports.ts'
import { number, text } from '../registry/registry.ts'
import type { Listener } from '../registry/relay.ts'

export interface RegistryEvent {
  /** The same whenever it is told: listeners recognise by it what they were told already. */
  id: string
  type: EventType
  atMs: number
  projectId: string
  project: string
  /** The whole name, `library/app`; the project's where it is about no repository. */
  repository: string
  repositoryId: string
  digest?: string
  tags: string[]
  mediaType?: string
  sizeBytes?: number
  /** Of a manifest that names a subject. */
  artifactType?: string
  /** Why: `push`, `delete`, `copy`, `undo`, … */
  cause: string
  principal: string
  requestId: string
  /** What Harbor's payload has of it under `event_data`. */
  details: Attributes
}

/** Told of every event at least once, before it leaves the outbox. @throws anything: then it is told again */
export type Subscriber = (event: RegistryEvent) => Promise<void>

/** The bus within this process: one subscriber after the other. */
export function tellAll(subscribers: readonly Subscriber[]): Listener {
  return async (item) => {
    const event = eventIn(item)
    for (const subscriber of subscribers) await subscriber(event)
  }
}

function eventIn(item: Item): RegistryEvent {
  const { digest, tags, mediaType, sizeBytes, artifactType, details } = item.attributes
  const repository = text(item, 'name')
  return {
    id: item.sk,
    type: text(item, 'type') as EventType,
    atMs: number(item, 'atMs'),
    projectId: text(item, 'project'),
    project: projectOf(repository),
    repository,
    repositoryId: text(item, 'repo'),
    ...(digest === undefined ? {} : { digest: digest as string }),
    tags: (tags ?? []) as string[],
    ...(mediaType === undefined ? {} : { mediaType: mediaType as string }),
    ...(sizeBytes === undefined ? {} : { sizeBytes: sizeBytes as number }),
    ...(artifactType === undefined ? {} : { artifactType: artifactType as string }),
    cause: text(item, 'cause'),
    principal: text(item, 'principal'),
    requestId: text(item, 'requestId'),
    details: (details ?? {}) as Attributes,
  }
}
