// BlobStore over files: objects under <data>/b, unfinished bytes under <data>/uploads on the same filesystem.
import { type FileHandle, link, open, opendir, readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { RegistryError } from '../oci/errors.ts'
import type { ByteRange } from '../oci/range.ts'
import type { BlobStore, StoredObject, UploadState } from '../registry/ports.ts'
import { newId } from '../registry/registry.ts'
import { makeDirectory, renameDurably, syncDirectory, writeBody } from './durable-files.ts'
import { readFile } from './file-reader.ts'

/** Below this a blob is read in one go instead of streamed. */
const SMALL_BYTES = 64 * 1024
/** Temporary files of uploads that come in one request. */
const WHOLE = 'put-'
/** A file nobody appended to for so long belongs to a session that is over. */
const ABANDONED_MS = 2 * 86_400_000

/** An append that another one took over from; its client gets an error, its bytes are dropped. */
class Superseded extends Error {
  readonly code = 'SUPERSEDED'
}

interface Writer {
  /** The change of the file that is under way; never rejects. */
  changing: Promise<unknown>
}

/** Opens the store, creating its directories. @throws when they cannot be written */
export async function openFileBlobStore(dataDir: string): Promise<BlobStore> {
  const uploads = path.join(dataDir, 'uploads')
  await makeDirectory(uploads)
  await makeDirectory(path.join(dataDir, 'b'))
  await removeLeftovers(uploads)
  const writers = new Map<string, Writer>()
  const objectPath = (key: string) => path.join(dataDir, key)
  const uploadPath = (name: string) => path.join(uploads, name)

  /** From here on nobody else writes to the upload's file: earlier writers see that they lost their turn. */
  async function takeOver(name: string, writer: Writer | undefined): Promise<void> {
    const previous = writers.get(name)
    if (writer) writers.set(name, writer)
    else writers.delete(name)
    await previous?.changing
  }

  return {
    async put(key, body) {
      const temporary = uploadPath(WHOLE + newId())
      try {
        const size = await writeFile(temporary, body)
        await renameDurably(temporary, objectPath(key))
        return size
      } catch (error) {
        await rm(temporary, { force: true })
        throw error
      }
    },

    async append(_key, state, offset, body) {
      const name = state === undefined ? newId() : fileOf(state)
      const writer: Writer = { changing: Promise.resolve() }
      await takeOver(name, writer)
      const fence = () => {
        if (writers.get(name) !== writer) throw new Superseded('another request continued this upload')
      }
      /** Every change of the file, begun only while it is our turn; whoever takes over waits for its end. */
      const change = <T>(work: () => Promise<T>): Promise<T> => {
        fence()
        const changing = work()
        writer.changing = changing.catch(() => {})
        return changing
      }
      const file = await change(() => openUpload(uploadPath(name), state === undefined, offset))
      try {
        const sizeBytes = await writeBody(file, offset, body, change)
        fence()
        await file.datasync()
        if (state === undefined) await syncDirectory(uploads)
        return { state: { file: name }, sizeBytes }
      } catch (error) {
        // On a full disk these bytes may be all that stands in the way of making room. Not those of a successor.
        if (writers.get(name) === writer)
          await change(() => (state === undefined ? rm(uploadPath(name)) : file.truncate(offset)))
        throw error
      } finally {
        if (writers.get(name) === writer) writers.delete(name)
        await file.close()
      }
    },

    async complete(key, state, sizeBytes) {
      const upload = uploadPath(fileOf(state))
      await takeOver(fileOf(state), undefined)
      const file = await openIfPresent(upload, 'r+')
      if (!file) {
        // A repeat after a crash: the rename happened, its directory may not have been synced.
        if (!(await statIfPresent(objectPath(key)))) throw new Error(`the upload of ${key} has no bytes`)
        return syncDirectory(path.dirname(objectPath(key)))
      }
      try {
        await file.truncate(sizeBytes)
        await file.sync()
      } finally {
        await file.close()
      }
      try {
        await renameDurably(upload, objectPath(key))
      } catch (error) {
        // A repeat of this commit was quicker with the rename; its directory may not be synced yet.
        if (!(await statIfPresent(objectPath(key)))) throw error
        await syncDirectory(path.dirname(objectPath(key)))
      }
    },

    async abort(_key, state) {
      await takeOver(fileOf(state), undefined)
      await rm(uploadPath(fileOf(state)), { force: true })
    },

    async open(key, range) {
      const file = await openIfPresent(objectPath(key), 'r')
      return file && read(file, range)
    },

    async stat(key) {
      const found = await statIfPresent(objectPath(key))
      return found && { key, sizeBytes: found.size, modifiedAtMs: found.mtimeMs }
    },

    async copy(from, to) {
      // Objects are immutable, so a second name for the same bytes is a copy that costs nothing.
      await makeDirectory(path.dirname(objectPath(to)))
      await link(objectPath(from), objectPath(to))
      await syncDirectory(path.dirname(objectPath(to)))
    },

    async delete(key) {
      await rm(objectPath(key), { force: true })
    },

    list: (prefix) => walk(dataDir, prefix),
  }
}

/** Only this process writes here: whole uploads, and what nobody continued, are of processes that died. */
async function removeLeftovers(uploads: string): Promise<void> {
  for (const name of await readdir(uploads)) {
    const file = path.join(uploads, name)
    const found = await statIfPresent(file)
    if (found && (name.startsWith(WHOLE) || found.mtimeMs < Date.now() - ABANDONED_MS)) await rm(file)
  }
}

function fileOf(state: UploadState): string {
  return state.file as string
}

/** An upload's file, without what a dead request left beyond `offset`. @throws BLOB_UPLOAD_UNKNOWN */
async function openUpload(file: string, fresh: boolean, offset: number): Promise<FileHandle> {
  const handle = await openIfPresent(file, fresh ? 'w' : 'r+')
  if (!handle)
    throw new RegistryError('BLOB_UPLOAD_UNKNOWN', 'the bytes of this upload are lost: start a new one')
  if (!fresh) await handle.truncate(offset)
  return handle
}

async function writeFile(file: string, body: AsyncIterable<Uint8Array>): Promise<number> {
  const handle = await open(file, 'wx')
  try {
    const size = await writeBody(handle, 0, body)
    await handle.sync()
    return size
  } finally {
    await handle.close()
  }
}

async function read(
  file: FileHandle,
  range: ByteRange | undefined,
): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
  try {
    const start = range?.start ?? 0
    const { size } = await file.stat()
    const end = Math.min(range?.end ?? size - 1, size - 1)
    if (end - start < SMALL_BYTES) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(Math.max(0, end - start + 1)), {
        position: start,
      })
      await file.close()
      return buffer.subarray(0, bytesRead)
    }
    return readFile(file, start, end)
  } catch (error) {
    await file.close()
    throw error
  }
}

async function openIfPresent(file: string, flags: string): Promise<FileHandle | undefined> {
  return orAbsent(open(file, flags))
}

async function statIfPresent(file: string) {
  return orAbsent(stat(file))
}

async function orAbsent<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

async function* walk(dataDir: string, prefix: string): AsyncGenerator<StoredObject> {
  const start = path.join(dataDir, prefix.slice(0, prefix.lastIndexOf('/') + 1))
  const directory = await orAbsent(opendir(start, { recursive: true }))
  if (!directory) return
  for await (const entry of directory) {
    if (!entry.isFile()) continue
    const file = path.join(entry.parentPath, entry.name)
    const key = path.relative(dataDir, file).split(path.sep).join('/')
    if (!key.startsWith(prefix)) continue
    const found = await statIfPresent(file)
    if (found) yield { key, sizeBytes: found.size, modifiedAtMs: found.mtimeMs }
  }
}
