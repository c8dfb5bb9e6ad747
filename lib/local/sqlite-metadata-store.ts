// MetadataStore over SQLite: reads on a connection of this thread, writes through the writer thread.
import { once } from 'node:events'
import { backup, DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import type { MetadataStore, Outcome } from '../registry/ports.ts'
import { ItemsTable } from './items-table.ts'
import type { WriterReply, WriterRequest } from './sqlite-writer.ts'

export interface SqliteMetadataStore extends MetadataStore {
  /** Deletes the items whose expiry has passed. */
  expire(nowMs: number): Promise<void>
  /** Writes a consistent copy of the database to a new file while the store goes on. */
  snapshot(file: string): Promise<void>
  /** Waits for queued writes, then closes both connections. */
  close(): Promise<void>
}

/** Copied in one go. */
const SNAPSHOT_PAGES = 1000

/** Distributes over the members of a union, which plain Omit would flatten. */
type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never

interface Waiting {
  resolve(outcome: Outcome): void
  reject(error: Error): void
}

/** Opens or creates the database at `file`. @throws when it is no database, is corrupt or cannot be written */
export async function openSqliteMetadataStore(file: string): Promise<SqliteMetadataStore> {
  const worker = new Worker(new URL('./sqlite-writer.ts', import.meta.url), { workerData: { file } })
  const waiting = new Map<number, Waiting>()
  let lastId = 0
  let failure: Error | undefined

  worker.on('message', (replies: WriterReply[]) => {
    for (const reply of replies) {
      const waiter = waiting.get(reply.id)
      waiting.delete(reply.id)
      if ('outcome' in reply) waiter?.resolve(reply.outcome)
      else waiter?.reject(Object.assign(new Error(reply.error.message), { code: reply.error.code }))
    }
  })
  worker.on('error', (error) => {
    failure = error as Error
    for (const waiter of waiting.values()) waiter.reject(failure)
    waiting.clear()
  })

  const send = (request: WithoutId<WriterRequest>): Promise<Outcome> =>
    new Promise((resolve, reject) => {
      if (failure) return reject(failure)
      lastId += 1
      waiting.set(lastId, { resolve, reject })
      worker.postMessage({ ...request, id: lastId })
    })

  await send({ kind: 'batch', writes: [] }) // the first answer proves the database opened
  const db = new DatabaseSync(file, { readOnly: true })
  const table = new ItemsTable(db)
  const expired = db.prepare('SELECT 1 FROM items WHERE expires < ? LIMIT 1')

  return {
    get: async (key) => table.get(key),
    batchGet: async (keys) => keys.map((key) => table.get(key)),
    query: async (query) => table.query(query),
    scan: async (after, limit) => table.scan(after, limit),
    transact: (writes) => send({ kind: 'transact', writes }),
    batchWrite: async (writes) => {
      if (writes.length > 0) await send({ kind: 'batch', writes })
    },
    expire: async (nowMs) => {
      const nowEpochSeconds = Math.floor(nowMs / 1000)
      // A bounded number in each commit, so that no push waits long behind it.
      while (expired.get(nowEpochSeconds)) await send({ kind: 'expire', nowEpochSeconds })
    },
    snapshot: async (target) => {
      // In the background, a few MiB at a time: requests are answered meanwhile.
      await backup(db, target, { rate: SNAPSHOT_PAGES })
    },
    close: async () => {
      // The reader first: the writer, as the last connection, then folds the log into the database file.
      db.close()
      const exit = once(worker, 'exit')
      await send({ kind: 'close' })
      await exit
    },
  }
}
