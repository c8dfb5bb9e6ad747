// The durability order of files: temp file -> fsync -> rename -> fsync of the directory.
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises'
import path from 'node:path'

/** Bytes collected before one writev: fewer, larger writes are about twice as fast as a write per network chunk. */
const BATCH_BYTES = 1024 * 1024

/**
 * Writes `body` at `position`, hashing and network reads overlapping the previous write.
 * @param change runs each write; throws, before it began, to stop a writer that lost its turn
 * @returns bytes written
 */
export async function writeBody(
  file: FileHandle,
  position: number,
  body: AsyncIterable<Uint8Array>,
  change: (write: () => Promise<void>) => Promise<void> = (write) => write(),
): Promise<number> {
  let total = 0
  let batch: Uint8Array[] = []
  let batchBytes = 0
  let writing: Promise<void> = Promise.resolve()
  const flush = async () => {
    await writing
    const [buffers, sizeBytes, at] = [batch, batchBytes, position + total]
    writing = change(() => writeAll(file, buffers, sizeBytes, at))
    writing.catch(() => {}) // awaited by the next flush
    total += batchBytes
    batch = []
    batchBytes = 0
  }
  for await (const chunk of body) {
    batch.push(chunk)
    batchBytes += chunk.length
    if (batchBytes >= BATCH_BYTES) await flush()
  }
  if (batchBytes > 0) await flush()
  await writing
  return total
}

async function writeAll(
  file: FileHandle,
  buffers: Uint8Array[],
  sizeBytes: number,
  position: number,
): Promise<void> {
  const { bytesWritten } = await file.writev(buffers, position)
  if (bytesWritten === sizeBytes) return
  // A short write (disk nearly full, signal): the rest one by one, so that the error surfaces.
  const rest = Buffer.concat(buffers).subarray(bytesWritten)
  let done = 0
  while (done < rest.length)
    done += (await file.write(rest, done, rest.length - done, position + bytesWritten + done)).bytesWritten
}

const syncs = new Map<string, { running: Promise<void>; next?: Promise<void> }>()

/** Syncs a directory; callers that come while a sync runs share the one after it. */
export function syncDirectory(directory: string): Promise<void> {
  const current = syncs.get(directory)
  if (!current) {
    const entry: { running: Promise<void>; next?: Promise<void> } = { running: syncOnce(directory) }
    syncs.set(directory, entry)
    return entry.running.finally(() => {
      if (!entry.next) syncs.delete(directory)
    })
  }
  current.next ??= current.running
    .catch(() => {})
    .then(() => {
      syncs.delete(directory)
      return syncDirectory(directory)
    })
  return current.next
}

async function syncOnce(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const made = new Set<string>()

/** Creates a directory and makes its entry durable in every parent it had to create. */
export async function makeDirectory(directory: string): Promise<void> {
  if (made.has(directory)) return
  const first = await mkdir(directory, { recursive: true })
  if (first !== undefined) {
    const top = path.dirname(first)
    for (let at = path.dirname(directory); at.length >= top.length; at = path.dirname(at)) {
      await syncDirectory(at)
      if (at === top) break
    }
  }
  made.add(directory)
}

/** Renames a synced file into place; durable when it resolves. */
export async function renameDurably(from: string, to: string): Promise<void> {
  const directory = path.dirname(to)
  await makeDirectory(directory)
  await rename(from, to)
  await syncDirectory(directory)
}
