// The ports in memory, for tests that need thousands of fresh registries. They pass the contract suites.
import { DatabaseSync } from 'node:sqlite'
import { createSchema, ItemsTable } from '../../lib/local/items-table.ts'
import type { BlobStore, MetadataStore, Write } from '../../lib/registry/ports.ts'

/** What the port promises of one call; a caller that asks for more would fail on other stores. */
const AT_ONCE = 100

/** The local store's own table, without its file and its writer thread. */
export function memoryMetadataStore(): MetadataStore {
  const db = new DatabaseSync(':memory:')
  createSchema(db)
  const table = new ItemsTable(db)
  return {
    get: async (key) => table.get(key),
    batchGet: async (keys) => {
      if (keys.length > AT_ONCE) throw new RangeError(`${keys.length} keys in one batch`)
      return keys.map((key) => table.get(key))
    },
    query: async (query) => table.query(query),
    scan: async (after, limit) => table.scan(after, limit),
    transact: async (writes) => {
      const items = new Set(writes.map(itemOf))
      if (writes.length > AT_ONCE || items.size < writes.length)
        throw new RangeError(`${writes.length} writes on ${items.size} items in one transaction`)
      return table.transact(writes)
    },
    batchWrite: async (writes) => {
      for (const write of writes) table.transact([write])
    },
  }
}

function itemOf(write: Write): string {
  const { pk, sk } = write.kind === 'put' ? write.item : write.key
  return JSON.stringify([pk, sk])
}

interface Stored {
  bytes: Uint8Array
  modifiedAtMs: number
}

/** @param objectsBelow uploads of fewer bytes are objects at once, as they are where an upload in parts is dear */
export function memoryBlobStore(
  nowMs: () => number = Date.now,
  objectsBelow = 0,
): BlobStore & { objects: Map<string, Stored> } {
  const objects = new Map<string, Stored>()
  const uploads = new Map<string, { bytes: Uint8Array; writer: object }>()
  let begun = 0

  return {
    objects,
    async put(key, body) {
      const bytes = await collect(body)
      objects.set(key, { bytes, modifiedAtMs: nowMs() })
      return bytes.length
    },
    async append(key, state, offset, body) {
      const upload = (state?.upload as string | undefined) ?? `${key} ${begun++}`
      const writer = {}
      const before = state === undefined ? new Uint8Array() : uploads.get(upload)?.bytes
      if (!before) throw new Error(`upload ${upload} has no bytes`)
      uploads.set(upload, { bytes: before, writer })
      const bytes = await collect(body)
      if (uploads.get(upload)?.writer !== writer)
        throw Object.assign(new Error('another request continued this upload'), { code: 'SUPERSEDED' })
      const all = Buffer.concat([before.subarray(0, offset), bytes])
      uploads.set(upload, { bytes: all, writer })
      if (all.length >= objectsBelow) return { state: { upload }, sizeBytes: bytes.length }
      const object = `${key}.${begun++}`
      objects.set(object, { bytes: all, modifiedAtMs: nowMs() })
      return { state: { upload, object }, sizeBytes: bytes.length, object }
    },
    async complete(key, state, sizeBytes) {
      const upload = uploads.get(state.upload as string)
      if (!upload && !objects.has(key)) throw new Error(`the upload of ${key} has no bytes`)
      if (upload) objects.set(key, { bytes: upload.bytes.subarray(0, sizeBytes), modifiedAtMs: nowMs() })
      uploads.delete(state.upload as string)
    },
    async abort(_key, state) {
      uploads.delete(state.upload as string)
      objects.delete(state.object as string)
    },
    async open(key, range) {
      const bytes = objects.get(key)?.bytes
      return bytes && range ? bytes.subarray(range.start, range.end + 1) : bytes
    },
    async stat(key) {
      const found = objects.get(key)
      return found && { key, sizeBytes: found.bytes.length, modifiedAtMs: found.modifiedAtMs }
    },
    async copy(from, to) {
      const found = objects.get(from)
      if (!found) throw new Error(`there is no object ${from}`)
      objects.set(to, { ...found, modifiedAtMs: nowMs() })
    },
    async delete(key) {
      objects.delete(key)
    },
    async *list(prefix) {
      for (const [key, { bytes, modifiedAtMs }] of [...objects])
        if (key.startsWith(prefix)) yield { key, sizeBytes: bytes.length, modifiedAtMs }
    },
  }
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}
