// BlobStore over one S3 bucket. Every key is written once; a versioned bucket keeps what is deleted for a while.
import { randomBytes } from 'node:crypto'
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { RegistryError } from '../oci/errors.ts'
import type { Appended, BlobStore, StoredObject } from '../registry/ports.ts'
import { calling } from './failures.ts'
import { abortParts, type Bucket, completeParts, MultipartWriter } from './multipart-writer.ts'
import { PartMemory } from './part-memory.ts'
import { SMALLEST_PART_BYTES } from './part-size.ts'
import { readObject } from './s3-reader.ts'
import { readState, type S3Upload, writeState } from './upload-state.ts'

export interface S3BlobStoreOptions {
  /** Lent to large and fast uploads beyond the buffer each has. */
  sharedMemoryBytes?: number
}

const SHARED_MEMORY_BYTES = 256 * 2 ** 20

/** An append that another one took over from. */
class Superseded extends Error {
  readonly code = 'SUPERSEDED'
}

export function createS3BlobStore(bucket: Bucket, options: S3BlobStoreOptions = {}): BlobStore {
  const memory = new PartMemory(options.sharedMemoryBytes ?? SHARED_MEMORY_BYTES)
  /** Who appends to which upload in this process. Other processes are kept apart by the session's item. */
  const writers = new Map<string, MultipartWriter>()
  const completing = new Map<string, Promise<void>>()
  const { client, name: Bucket } = bucket

  async function append(
    key: string,
    before: S3Upload | undefined,
    body: AsyncIterable<Uint8Array>,
  ): Promise<Appended> {
    const upload = before && (before.parts?.uploadId ?? before.tail!.key)
    const previous = upload === undefined ? undefined : writers.get(upload)
    const fence = () => {
      if (upload !== undefined && writers.get(upload) !== writer)
        throw new Superseded('another request continued this upload')
    }
    const writer: MultipartWriter = new MultipartWriter(bucket, key, memory, before?.parts, fence)
    if (upload !== undefined) writers.set(upload, writer)
    await previous?.idle() // its parts on their way would be written over ours
    try {
      if (before?.outdated !== undefined) await forget(before.outdated)
      if (before?.tail) await writer.write(await bytesOf(before.tail.key))
      const sizeBytes = await writer.write(body)
      fence()
      const after = await settle(key, writer, before?.tail?.key)
      fence()
      return {
        state: writeState(after),
        sizeBytes,
        ...(after.parts || !after.tail ? {} : { object: after.tail.key }),
      }
    } catch (error) {
      if (!before && writer.parts) await forgetParts(key, writer.parts.uploadId)
      throw error
    } finally {
      if (upload !== undefined && writers.get(upload) === writer) writers.delete(upload)
      await writer.close()
    }
  }

  /** Stores the last bytes: as a part where they may be one, else as an object, under a key nobody else has. */
  async function settle(
    key: string,
    writer: MultipartWriter,
    oldTail: string | undefined,
  ): Promise<S3Upload> {
    const outdated = oldTail === undefined ? {} : { outdated: oldTail }
    if (writer.parts && (writer.rest === 0 || writer.rest >= SMALLEST_PART_BYTES)) {
      await writer.flush()
      return { parts: writer.parts, ...outdated }
    }
    const tail = { key: `${key}.${randomBytes(6).toString('hex')}`, sizeBytes: writer.rest }
    await writer.putRest(tail.key)
    return { ...(writer.parts ? { parts: writer.parts } : {}), tail, ...outdated }
  }

  async function complete(
    key: string,
    { parts, tail, outdated }: S3Upload,
    sizeBytes: number,
  ): Promise<void> {
    if (!parts) throw new Error(`the upload of ${key} has no parts to complete`)
    if (parts.bytes + (tail?.sizeBytes ?? 0) !== sizeBytes)
      throw new Error(`the upload of ${key} has ${parts.bytes} bytes in parts, ${sizeBytes} are expected`)
    try {
      const writer = new MultipartWriter(bucket, key, memory, parts)
      try {
        if (tail) await writer.write(await bytesOf(tail.key))
        await writer.flush()
        await completeParts(bucket, key, writer.parts!)
      } finally {
        await writer.close()
      }
    } catch (error) {
      // A repeat of a completion that succeeded finds no upload, but the object.
      if ((await store.stat(key))?.sizeBytes !== sizeBytes) throw explained(error as Error)
    }
    for (const leftover of [tail?.key, outdated]) if (leftover !== undefined) await forget(leftover)
  }

  async function* bytesOf(key: string): AsyncGenerator<Uint8Array> {
    const body = await readObject(bucket, key, undefined)
    if (body === undefined)
      throw new RegistryError('BLOB_UPLOAD_UNKNOWN', 'the bytes of this upload are lost: start a new one')
    if (body instanceof Uint8Array) yield body
    else yield* body
  }

  /** Leftovers cost a little storage until the next inventory; they are no reason to fail. */
  async function forget(key: string): Promise<void> {
    await store.delete(key).catch(() => {})
  }

  async function forgetParts(key: string, uploadId: string): Promise<void> {
    await abortParts(bucket, key, uploadId).catch(() => {})
  }

  const store: BlobStore = {
    async put(key, body) {
      const writer = new MultipartWriter(bucket, key, memory)
      try {
        const sizeBytes = await writer.write(body)
        if (!writer.parts) {
          await writer.putRest(key)
        } else {
          await writer.flush()
          await completeParts(bucket, key, writer.parts)
        }
        return sizeBytes
      } catch (error) {
        if (writer.parts) await forgetParts(key, writer.parts.uploadId)
        throw error
      } finally {
        await writer.close()
      }
    },

    append: (key, state, _offset, body) => append(key, state && readState(state), body),

    complete(key, state, sizeBytes) {
      const running = completing.get(key)
      if (running) return running
      const run = complete(key, readState(state), sizeBytes).finally(() => completing.delete(key))
      completing.set(key, run)
      return run
    },

    async abort(key, state) {
      const { parts, tail, outdated } = readState(state)
      writers.delete(parts?.uploadId ?? tail?.key ?? '')
      if (parts) await abortParts(bucket, key, parts.uploadId)
      for (const leftover of [tail?.key, outdated]) if (leftover !== undefined) await store.delete(leftover)
    },

    open: (key, range) => readObject(bucket, key, range),

    async stat(key) {
      try {
        const found = await calling('blob storage', () =>
          client.send(new HeadObjectCommand({ Bucket, Key: key, ChecksumMode: 'ENABLED' })),
        )
        return {
          key,
          sizeBytes: found.ContentLength ?? 0,
          modifiedAtMs: found.LastModified?.getTime() ?? 0,
          ...checksumOf(found.ChecksumSHA256),
        }
      } catch (error) {
        if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 404)
          return undefined
        throw error
      }
    },

    async copy(from, to) {
      const CopySource = `${Bucket}/${from}`
      await calling('blob storage', () => client.send(new CopyObjectCommand({ Bucket, Key: to, CopySource })))
    },

    async delete(key) {
      await calling('blob storage', () => client.send(new DeleteObjectCommand({ Bucket, Key: key })))
    },

    async *list(prefix) {
      let token: string | undefined
      do {
        const page = await calling('blob storage', () =>
          client.send(
            new ListObjectsV2Command({
              Bucket,
              Prefix: prefix,
              ...(token ? { ContinuationToken: token } : {}),
            }),
          ),
        )
        for (const { Key, Size, LastModified } of page.Contents ?? [])
          yield {
            key: Key!,
            sizeBytes: Size ?? 0,
            modifiedAtMs: LastModified?.getTime() ?? 0,
          } satisfies StoredObject
        token = page.NextContinuationToken
      } while (token)
    },

    locate(key, method, lifeSeconds) {
      const input = { Bucket, Key: key, ResponseContentType: 'application/octet-stream' }
      const command = method === 'GET' ? new GetObjectCommand(input) : new HeadObjectCommand(input)
      return getSignedUrl(client, command as GetObjectCommand, { expiresIn: lifeSeconds })
    },
  }
  return store
}

/** The checksum of a whole object only: that of a multipart upload is one of its parts' checksums (`…-3`). */
function checksumOf(base64: string | undefined): { sha256?: string } {
  if (base64 === undefined || base64.includes('-')) return {}
  return { sha256: Buffer.from(base64, 'base64').toString('hex') }
}

function explained(error: Error): Error {
  if (error.name === 'InvalidPart' || error.name === 'NoSuchUpload')
    return new RegistryError(
      'BLOB_UPLOAD_INVALID',
      'another request wrote over this upload at the same time: upload the blob again',
      { cause: error },
    )
  return error
}
