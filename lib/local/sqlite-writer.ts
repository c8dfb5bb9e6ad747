// The writer thread: it alone writes the database. Requests that arrive while a commit is syncing are
// taken together into the next one, so many pushes share one fsync (group commit).
import { DatabaseSync } from 'node:sqlite'
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { Outcome, Write } from '../registry/ports.ts'
import { createSchema, ItemsTable } from './items-table.ts'

export type WriterRequest =
  | { id: number; kind: 'transact'; writes: Write[] }
  | { id: number; kind: 'batch'; writes: Write[] }
  | { id: number; kind: 'expire'; nowEpochSeconds: number }
  | { id: number; kind: 'close' }

export type WriterReply =
  | { id: number; outcome: Outcome }
  | { id: number; error: { message: string; code: string } }

/** Requests taken into one commit at most, so that the first of them does not wait for a flood. */
const GROUP_LIMIT = 256
/** Expired rows deleted in one commit. */
const EXPIRE_LIMIT = 1000

const port = parentPort as MessagePort
const db = open((workerData as { file: string }).file)
const table = new ItemsTable(db)
const expire = db.prepare(
  `DELETE FROM items WHERE (pk, sk) IN (SELECT pk, sk FROM items WHERE expires IS NOT NULL AND expires < ? LIMIT ${EXPIRE_LIMIT})`,
)

port.on('message', (first: WriterRequest) => {
  const group = [first]
  while (group.length < GROUP_LIMIT) {
    const next = receiveMessageOnPort(port)
    if (!next) break
    group.push(next.message as WriterRequest)
  }
  port.postMessage(commit(group))
  if (group.some((request) => request.kind === 'close')) {
    db.close()
    port.close()
  }
})

function open(file: string): DatabaseSync {
  const database = new DatabaseSync(file)
  // FULL: COMMIT returns after the WAL is synced. fullfsync: on macOS fsync alone leaves data in the drive's cache.
  database.exec(`
    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
    PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -32768;
  `)
  createSchema(database)
  return database
}

function commit(group: WriterRequest[]): WriterReply[] {
  try {
    db.exec('BEGIN IMMEDIATE')
    const replies = group.map((request) => ({ id: request.id, outcome: run(request) }))
    db.exec('COMMIT')
    return replies
  } catch (cause) {
    if (db.isTransaction) db.exec('ROLLBACK')
    // One bad request must not take its neighbours down: alone each gets its own answer.
    if (group.length > 1) return group.flatMap((request) => commit([request]))
    const { message, errcode } = cause as Error & { errcode?: number }
    return [{ id: group[0]!.id, error: { message, code: errcode === 13 ? 'ENOSPC' : 'SQLITE' } }]
  }
}

function run(request: WriterRequest): Outcome {
  if (request.kind === 'transact') return table.transact(request.writes)
  if (request.kind === 'batch') {
    for (const write of request.writes) table.transact([write])
  } else if (request.kind === 'expire') {
    expire.run(request.nowEpochSeconds)
  }
  return { ok: true }
}
