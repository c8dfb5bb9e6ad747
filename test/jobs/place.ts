// A registry without blobs, on whatever metadata store: jobs need no more.
import type { Weight } from '../../lib/jobs/execution.ts'
import type { Queue } from '../../lib/jobs/queue.ts'
import { createStoredQueue } from '../../lib/jobs/stored-queue.ts'
import type { MetadataStore } from '../../lib/registry/ports.ts'
import { DEFAULT_SETTINGS, newId, type Registry } from '../../lib/registry/registry.ts'
import { memoryBlobStore } from '../support/memory-stores.ts'

/** Short, so that a killed worker's tasks soon go on. */
export const LEASE_MS = 3000

export function registryOn(metadata: MetadataStore): Registry {
  return {
    metadata,
    blobs: memoryBlobStore(Date.now),
    clock: { nowMs: Date.now },
    settings: DEFAULT_SETTINGS,
    newId,
    onEvent: () => {},
  }
}

export function storedQueues(registry: Registry): Record<Weight, Queue> {
  const queue = (name: Weight) => createStoredQueue(registry, { name, leaseMs: LEASE_MS, deliveries: 100 })
  return { light: queue('light'), heavy: queue('heavy') }
}
