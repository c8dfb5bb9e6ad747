// What the tasks of a replication are told to do.
import type { TaskSpec } from '../jobs/kinds.ts'
import { type Digest, isDigest } from '../oci/digest.ts'
import type { Attributes } from '../registry/ports.ts'
import { destinationName } from './names.ts'
import type { ReplicationPolicy } from './policy.ts'

export type Payload =
  | Planning
  /** Find what a deleted repository held, and add a task for each that the rule matches. */
  | Clearing
  | Copying
  | Deleting

/** Find what the rule matches, and add a task for each. */
export interface Planning {
  do: 'plan'
  /** In this one alone, when the rule matches it. */
  repository?: string
}

export interface Clearing {
  do: 'clear'
  repository: string
  repositoryId: string
}

export interface Copying {
  do: 'copy'
  repository: string
  /** A tag, or the digest of what has none. */
  reference: string
}

export interface Deleting {
  do: 'delete'
  repository: string
  /** A tag, or the digest of what had none. */
  reference: string
  /** Of what the tag was, where that was deleted as a whole. */
  digest?: Digest
}

export function payloadOf(attributes: Attributes): Payload {
  return (attributes.do === undefined ? { do: 'plan' } : attributes) as unknown as Payload
}

/** Registries that what is copied came through before this one. */
export function viaIn({ via }: Attributes): string[] {
  return (via ?? []) as string[]
}

/** As Harbor shows it. @param via of the event that starts it. @throws REQUEST_INVALID when the repository has no name at the destination */
export function taskSpec(
  policy: ReplicationPolicy,
  payload: Copying | Deleting,
  via: string[] = [],
): TaskSpec {
  const { repository, reference } = payload
  const named = (name: string) => `${name}${isDigest(reference) ? '@' : ':'}${reference}`
  return {
    payload: { ...payload, ...(via.length > 0 ? { via } : {}) },
    target: targetOf(policy),
    extra: {
      resource_type: 'image',
      source_resource: named(repository),
      destination_resource: named(destinationName(repository, policy)),
      operation: operationOf(payload),
    },
  }
}

function operationOf(payload: Copying | Deleting): string {
  if (payload.do === 'copy') return 'copy'
  return payload.digest === undefined && !isDigest(payload.reference) ? 'tag deletion' : 'deletion'
}

/** Of a task that adds others. */
export function planSpec(policy: ReplicationPolicy, deed: Clearing | Planning = { do: 'plan' }): TaskSpec {
  return {
    payload: { ...deed },
    target: `${targetOf(policy)}:plan`,
    extra: {
      resource_type: 'artifact',
      source_resource: deed.repository ?? '',
      destination_resource: '',
      operation: deed.do === 'clear' ? 'deletion' : 'plan',
    },
  }
}

function targetOf({ registryId }: ReplicationPolicy): string {
  return `registry-${registryId}`
}
