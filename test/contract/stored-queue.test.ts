// The queue among the registry's own items keeps what every queue must.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createStoredQueue } from '../../lib/jobs/stored-queue.ts'
import { openSqliteMetadataStore } from '../../lib/local/sqlite-metadata-store.ts'
import { partitions } from '../../lib/registry/keys.ts'
import type { MetadataStore } from '../../lib/registry/ports.ts'
import { memoryMetadataStore } from '../support/memory-stores.ts'
import { type OpenQueue, queueContract } from './queue.ts'

const DELIVERIES = 3

function opened(metadata: MetadataStore, close: () => Promise<void>): OpenQueue {
  const registry = { metadata, clock: { nowMs: Date.now } }
  return {
    queue: createStoredQueue(registry, { name: 'test', deliveries: DELIVERIES }),
    deliveries: DELIVERIES,
    deadLetters: async () => {
      const items = await metadata.query({ pk: partitions.messages('test-dead'), limit: 100 })
      return items.map(({ attributes }) => attributes.body as string)
    },
    close,
  }
}

queueContract('a queue in memory', async () => opened(memoryMetadataStore(), async () => {}))

queueContract('a queue in SQLite', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'queue-'))
  const store = await openSqliteMetadataStore(path.join(directory, 'queue.db'))
  return opened(store, async () => {
    await store.close()
    rmSync(directory, { recursive: true, force: true })
  })
})
