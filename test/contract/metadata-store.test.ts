import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSqliteMetadataStore } from '../../lib/local/sqlite-metadata-store.ts'
import { memoryMetadataStore } from '../support/memory-stores.ts'
import { metadataStoreContract } from './metadata-store.ts'

let directory: string
let files = 0
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'entrepot-sqlite-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))
const fresh = () => path.join(directory, `${files++}.db`)

metadataStoreContract('SQLite', async () => {
  const store = await openSqliteMetadataStore(fresh())
  return { store, close: () => store.close() }
})
metadataStoreContract('in memory', async () => ({ store: memoryMetadataStore(), close: async () => {} }))

const item = { pk: 'p', sk: 's', attributes: { a: 1 } }

test('what was written is there when the file is opened again', async () => {
  const file = fresh()
  const first = await openSqliteMetadataStore(file)
  await first.transact([{ kind: 'put', item }])
  await first.close()
  const second = await openSqliteMetadataStore(file)
  expect(await second.get(item)).toEqual(item)
  await second.close()
})

test('a write that cannot be made fails alone, not with those that came along', async () => {
  const store = await openSqliteMetadataStore(fresh())
  const bad = { ...item, sk: 'bad', expiresAtEpochSeconds: 1.5e300 }
  const writes = [
    store.transact([{ kind: 'put', item }]),
    store.transact([{ kind: 'put', item: { ...bad, pk: null as never } }]),
  ]
  const [good, failed] = await Promise.allSettled(writes)
  expect(good).toMatchObject({ status: 'fulfilled', value: { ok: true } })
  expect(failed?.status).toBe('rejected')
  expect(await store.get(item)).toEqual(item)
  await store.close()
})

test('a snapshot is a database of its own with what was there', async () => {
  const store = await openSqliteMetadataStore(fresh())
  await store.transact([{ kind: 'put', item }])
  const copy = fresh()
  await store.snapshot(copy)
  await store.transact([{ kind: 'delete', key: item }])
  await store.close()
  expect(new DatabaseSync(copy, { readOnly: true }).prepare('SELECT count(*) AS n FROM items').get()).toEqual(
    { n: 1 },
  )
})

test('expired items go, others stay', async () => {
  const store = await openSqliteMetadataStore(fresh())
  await store.batchWrite([
    { kind: 'put', item },
    { kind: 'put', item: { ...item, sk: 'old', expiresAtEpochSeconds: 10 } },
    { kind: 'put', item: { ...item, sk: 'young', expiresAtEpochSeconds: 30 } },
  ])
  await store.batchWrite(
    Array.from({ length: 2500 }, (_, index) => ({
      kind: 'put',
      item: { ...item, pk: 'many', sk: String(index), expiresAtEpochSeconds: 10 },
    })),
  )
  await store.expire(20_000)
  expect(await store.query({ pk: 'many', limit: 9 })).toEqual([])
  expect((await store.query({ pk: 'p', limit: 9 })).map((each) => each.sk)).toEqual(['s', 'young'])
  await store.close()
})

test('a file that is no database is refused', async () => {
  const file = fresh()
  await writeFile(file, 'no database '.repeat(1000))
  await expect(openSqliteMetadataStore(file)).rejects.toThrow('not a database')
})
