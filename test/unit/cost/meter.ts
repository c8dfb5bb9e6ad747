// A metadata store that counts what DynamoDB would bill, by its rules.
import type { Item, MetadataStore, Write } from '../../../lib/registry/ports.ts'

export interface Units {
  reads: number
  writes: number
}

const READ_BYTES = 4096
const WRITE_BYTES = 1024

/** @param units counted up */
export function metered(store: MetadataStore, units: Units): MetadataStore {
  const read = (bytes: number, stale = false) => {
    units.reads += Math.max(1, Math.ceil(bytes / READ_BYTES)) * (stale ? 0.5 : 1)
  }
  const write = (each: Write, price: number) => {
    const bytes = each.kind === 'put' ? sizeOf(each.item) : 0
    units.writes += Math.max(1, Math.ceil(bytes / WRITE_BYTES)) * price
  }
  return {
    get: async (key) => {
      const item = await store.get(key)
      read(sizeOf(item))
      return item
    },
    batchGet: async (keys, options) => {
      const items = await store.batchGet(keys, options)
      for (const item of items) read(sizeOf(item), options?.stale)
      return items
    },
    query: async (query) => {
      const items = await store.query(query)
      read(items.reduce((sum, item) => sum + sizeOf(item), 0))
      return items
    },
    scan: (after, limit) => store.scan(after, limit),
    transact: (writes) => {
      // One item by itself is written without a transaction, at half the price.
      const price = writes.length === 1 && writes[0]!.kind !== 'check' ? 1 : 2
      for (const each of writes) write(each, price)
      return store.transact(writes)
    },
    batchWrite: (writes) => {
      for (const each of writes) write(each, 1)
      return store.batchWrite(writes)
    },
  }
}

function sizeOf(item: Item | undefined): number {
  if (!item) return 0
  const { bytes, ...rest } = item
  return Buffer.byteLength(JSON.stringify(rest)) + (bytes?.length ?? 0)
}
