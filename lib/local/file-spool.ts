// A growing copy in a file that has no name any more: nothing is left of it, however the process ends.
import { randomBytes } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Spool } from '../proxy/spool.ts'

const READ_BYTES = 256 * 1024

/** @param directory of a file system with room for what is copied */
export async function openFileSpool(directory: string): Promise<Spool> {
  const file = path.join(directory, `.spool-${randomBytes(12).toString('hex')}`)
  const handle = await open(file, 'wx+', 0o600)
  await unlink(file)
  return new FileSpool(handle)
}

/** Among what the system throws away. */
export function openTemporarySpool(): Promise<Spool> {
  return openFileSpool(tmpdir())
}

class FileSpool implements Spool {
  readonly #handle: FileHandle
  #written = 0
  #ended = false
  #error: unknown
  #readers = 0
  #more = Promise.withResolvers<void>()

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; )
      at += (await this.#handle.write(chunk, at, chunk.length - at, this.#written + at)).bytesWritten
    this.#written += chunk.length
    this.#wake()
  }

  async end(error?: unknown): Promise<void> {
    this.#ended = true
    this.#error = error
    this.#wake()
    await this.#closeIfUnused()
  }

  async *read(): AsyncGenerator<Uint8Array> {
    this.#readers += 1
    const buffer = Buffer.allocUnsafe(READ_BYTES)
    let at = 0
    try {
      for (;;) {
        if (at < this.#written) {
          const { bytesRead } = await this.#handle.read(
            buffer,
            0,
            Math.min(READ_BYTES, this.#written - at),
            at,
          )
          at += bytesRead
          yield buffer.subarray(0, bytesRead)
        } else if (!this.#ended) await this.#more.promise
        else if (this.#error !== undefined) throw this.#error
        else return
      }
    } finally {
      this.#readers -= 1
      await this.#closeIfUnused()
    }
  }

  #wake(): void {
    const { resolve } = this.#more
    this.#more = Promise.withResolvers<void>()
    resolve()
  }

  /** Nobody begins to read after its end: then what was copied is in the store. */
  async #closeIfUnused(): Promise<void> {
    if (this.#ended && this.#readers === 0) await this.#handle.close()
  }
}
