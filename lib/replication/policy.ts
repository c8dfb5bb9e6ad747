// Replication policies: rules that say what is copied from where to where, and when; with Harbor's fields.

import { RegistryError } from '../oci/errors.ts'
import { keys } from '../registry/keys.ts'
import type { Attributes, Item } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'

export type PolicyTrigger = 'manual' | 'scheduled' | 'event_based'
export type FilterType = 'name' | 'tag' | 'label' | 'resource' | 'platform'

export interface PolicyFilter {
  type: FilterType
  /** A pattern; a list of labels, or of platforms such as `linux/arm64`. */
  value: string | string[]
  /** Empty is `matches`. */
  decoration: '' | 'matches' | 'excludes'
}

export interface ReplicationPolicy {
  id: number
  name: string
  description: string
  creator: string
  /** `push` copies from this registry to the other one. */
  direction: 'push' | 'pull'
  /** The other registry. */
  registryId: number
  /** Empty keeps repositories' names as they are. */
  namespace: string
  /** So many leading components of the name give way to the namespace; -1: all but the last. */
  replaceCount: number
  trigger: PolicyTrigger
  /** Six fields; empty unless it is scheduled. */
  cron: string
  filters: PolicyFilter[]
  /** Move a tag at the destination that is something else there. */
  override: boolean
  deletion: boolean
  enabled: boolean
  /** KB/s for each task; 0: no limit. */
  speed: number
  /** Blobs are sent in chunks of 10 MiB: each need not be sent again when a task is resumed. */
  copyByChunk: boolean
  /** Not begun while it runs. */
  singleActive: boolean
  createdAtMs: number
  updatedAtMs: number
}

export type PolicyText = Omit<ReplicationPolicy, 'id' | 'creator' | 'createdAtMs' | 'updatedAtMs'>

export function policyIn(item: Item | undefined): ReplicationPolicy | undefined {
  if (!item) return undefined
  const { v: _, gen: __, ...policy } = item.attributes
  return policy as unknown as ReplicationPolicy
}

export function policyItem(registry: Registry, policy: ReplicationPolicy): Item {
  const attributes = { v: 1, gen: registry.newId(), ...policy } as unknown as Attributes
  return { ...keys.replicationPolicy(policy.id), attributes }
}

export async function findPolicy(registry: Registry, id: number): Promise<ReplicationPolicy | undefined> {
  return policyIn(await registry.metadata.get(keys.replicationPolicy(id)))
}

/** @throws NOT_FOUND */
export async function requirePolicy(registry: Registry, id: number): Promise<ReplicationPolicy> {
  const policy = await findPolicy(registry, id)
  if (!policy) throw unknownPolicy(id)
  return policy
}

export function unknownPolicy(id: number): RegistryError {
  return new RegistryError('NOT_FOUND', `replication policy ${id} not found`)
}

/** Of that type, all of which have to hold. */
export function filtersOf({ filters }: Pick<ReplicationPolicy, 'filters'>, type: FilterType): PolicyFilter[] {
  return filters.filter((each) => each.type === type)
}

/** The pattern of repositories' names; empty for all. */
export function namePattern(policy: Pick<ReplicationPolicy, 'filters'>): string {
  const [filter] = filtersOf(policy, 'name')
  return typeof filter?.value === 'string' ? filter.value : ''
}
