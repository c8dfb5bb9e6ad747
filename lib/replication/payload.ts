// What the tasks of a replication are told to do.
import type { TaskSpec } from '../jobs/kinds.ts'
import type { Digest } from '../oci/digest.ts'
import type { Attributes } from '../registry/ports.ts'
import { destinationName } from './names.ts'
import type { ReplicationPolicy } from './policy.ts'

export type Payload =
  /** Find what the rule matches, and add a task for each. */
  | { do: 'plan' }
  | { do: 'copy'; repository: string; tag: string }
  /** @param digest of what the tag was, where that was deleted as a whole */
  | { do: 'delete'; repository: string; tag: string; digest?: Digest }

export function payloadOf(attributes: Attributes): Payload {
  return (attributes.do === undefined ? { do: 'plan' } : attributes) as Payload
}

/** Registries that what is copied came through before this one. */
export function viaIn({ via }: Attributes): string[] {
  return (via ?? []) as string[]
}

/** As Harbor shows it. @param via of the event that starts it. @throws REQUEST_INVALID when the repository has no name at the destination */
export function taskSpec(
  policy: ReplicationPolicy,
  payload: Exclude<Payload, { do: 'plan' }>,
  via: string[] = [],
): TaskSpec {
  const { repository, tag } = payload
  return {
    payload: { ...payload, ...(via.length > 0 ? { via } : {}) },
    target: targetOf(policy),
    extra: {
      resource_type: 'image',
      source_resource: `${repository}:${tag}`,
      destination_resource: `${destinationName(repository, policy)}:${tag}`,
      operation: payload.do === 'delete' ? 'deletion' : 'copy',
    },
  }
}

export function planSpec(policy: ReplicationPolicy): TaskSpec {
  return {
    payload: { do: 'plan' },
    target: `${targetOf(policy)}:plan`,
    extra: { resource_type: 'artifact', source_resource: '', destination_resource: '', operation: 'plan' },
  }
}

function targetOf({ registryId }: ReplicationPolicy): string {
  return `registry-${registryId}`
}
