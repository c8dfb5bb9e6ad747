import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { openFileBlobStore } from '../../lib/local/file-blob-store.ts'
import { memoryBlobStore } from '../support/memory-stores.ts'
import { blobStoreContract } from './blob-store.ts'

const directory = () => mkdtemp(path.join(tmpdir(), 'entrepot-blobs-'))

blobStoreContract('files', async () => {
  const dataDir = await directory()
  return {
    store: await openFileBlobStore(dataDir),
    close: () => rm(dataDir, { recursive: true, force: true }),
  }
})
for (const [name, objectsBelow] of [
  ['in memory', 0],
  ['in memory, small uploads being objects at once', 1000],
] as const)
  blobStoreContract(name, async () => ({
    store: memoryBlobStore(Date.now, objectsBelow),
    close: async () => {},
  }))

test('what a crash left of a whole upload is removed when the store is opened, an upload in parts is kept', async () => {
  const dataDir = await directory()
  await openFileBlobStore(dataDir)
  for (const name of ['put-0abc', '0def']) await writeFile(path.join(dataDir, 'uploads', name), 'partial')
  await openFileBlobStore(dataDir)
  expect(await readdir(path.join(dataDir, 'uploads'))).toEqual(['0def'])
  await rm(dataDir, { recursive: true, force: true })
})

test('an upload whose bytes are gone cannot be continued, and says so to the client', async () => {
  const dataDir = await directory()
  const store = await openFileBlobStore(dataDir)
  const continued = store.append('b/r/u/lost', { file: 'lost' }, 3, (async function* () {})())
  await expect(continued).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' })
  await rm(dataDir, { recursive: true, force: true })
})
