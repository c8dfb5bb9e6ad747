// The metadata table in SQLite: one table of items, ordered by (pk, sk) as bytes.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Condition, Item, Key, Outcome, Query, Write } from '../registry/ports.ts'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS items (
    pk TEXT NOT NULL, sk TEXT NOT NULL,
    attributes TEXT NOT NULL, bytes BLOB, expires INTEGER,
    PRIMARY KEY (pk, sk)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS items_expiring ON items (expires) WHERE expires IS NOT NULL;
`
/** Sorts after every character a key can have. */
const LAST = '\u{10FFFF}'

interface Row {
  pk: string
  sk: string
  attributes: string
  bytes: Uint8Array | null
  expires: number | null
}

export function createSchema(db: DatabaseSync): void {
  db.exec(SCHEMA)
}

/** Synchronous reads and writes on one connection; transactions are the caller's. */
export class ItemsTable {
  readonly #get: StatementSync
  readonly #put: StatementSync
  readonly #delete: StatementSync
  readonly #scan: StatementSync
  readonly #up: StatementSync
  readonly #down: StatementSync

  constructor(db: DatabaseSync) {
    const columns = 'pk, sk, attributes, bytes, expires'
    const range = `SELECT ${columns} FROM items WHERE pk = ? AND sk > ? AND sk < ?`
    this.#get = db.prepare(`SELECT ${columns} FROM items WHERE pk = ? AND sk = ?`)
    this.#put = db.prepare(`INSERT OR REPLACE INTO items (${columns}) VALUES (?, ?, ?, ?, ?)`)
    this.#delete = db.prepare('DELETE FROM items WHERE pk = ? AND sk = ?')
    this.#scan = db.prepare(`SELECT ${columns} FROM items WHERE (pk, sk) > (?, ?) ORDER BY pk, sk LIMIT ?`)
    this.#up = db.prepare(`${range} ORDER BY sk LIMIT ?`)
    this.#down = db.prepare(`${range} ORDER BY sk DESC LIMIT ?`)
  }

  get(key: Key): Item | undefined {
    const row = this.#get.get(key.pk, key.sk) as unknown as Row | undefined
    return row && itemOf(row)
  }

  query(query: Query): Item[] {
    const prefix = query.prefix ?? ''
    // A prefix is its own lower bound: `sk > prefix` would lose the key equal to it, which no caller has.
    const lower = !query.reverse && query.after !== undefined && query.after > prefix ? query.after : prefix
    const upper = query.reverse && query.after !== undefined ? query.after : prefix + LAST
    const statement = query.reverse ? this.#down : this.#up
    return (statement.all(query.pk, lower, upper, query.limit) as unknown as Row[]).map(itemOf)
  }

  scan(after: Key | undefined, limit: number): Item[] {
    return (this.#scan.all(after?.pk ?? '', after?.sk ?? '', limit) as unknown as Row[]).map(itemOf)
  }

  /** Checks every condition, then writes everything, or nothing. */
  transact(writes: Write[]): Outcome {
    const failed = writes.flatMap((write, index) =>
      write.if && !this.#holds(write, write.if) ? [index] : [],
    )
    if (failed.length > 0) return { ok: false, failed }
    for (const write of writes) this.#apply(write)
    return { ok: true }
  }

  #holds(write: Write, condition: Condition): boolean {
    const item = this.get(write.kind === 'put' ? write.item : write.key)
    if (condition.kind === 'absent') return item === undefined
    if (condition.kind === 'present') return item !== undefined
    if (item === undefined) return false
    return Object.entries(condition.attributes).every(([name, value]) => item.attributes[name] === value)
  }

  #apply(write: Write): void {
    if (write.kind === 'put') {
      const { pk, sk, attributes, bytes, expiresAtEpochSeconds } = write.item
      this.#put.run(pk, sk, JSON.stringify(attributes), bytes ?? null, expiresAtEpochSeconds ?? null)
    } else if (write.kind === 'delete') {
      this.#delete.run(write.key.pk, write.key.sk)
    }
  }
}

function itemOf(row: Row): Item {
  const item: Item = { pk: row.pk, sk: row.sk, attributes: JSON.parse(row.attributes) }
  if (row.bytes !== null) item.bytes = row.bytes
  if (row.expires !== null) item.expiresAtEpochSeconds = row.expires
  return item
}
