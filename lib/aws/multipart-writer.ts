// Writes a body of unknown length into S3: whole while it is small, in parts once it is not.
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { RegistryError } from '../oci/errors.ts'
import { calling } from './failures.ts'
import type { PartMemory } from './part-memory.ts'
import { FIRST_PART_BYTES, PARTS_LIMIT, partBytesAt, SMALLEST_PART_BYTES } from './part-size.ts'

/** More parts of one upload at once would only take memory from the others. */
const SENDING_AT_ONCE = 4

export interface Bucket {
  client: S3Client
  name: string
}

/** The parts S3 has of an upload. */
export interface Parts {
  uploadId: string
  /** In order; the first part's number is 1. */
  etags: string[]
  bytes: number
}

export class MultipartWriter {
  readonly #bucket: Bucket
  readonly #key: string
  readonly #memory: PartMemory
  /** Throws when another request took this upload over. */
  readonly #fence: () => void
  readonly #sending = new Set<Promise<void>>()
  #parts: Parts | undefined
  #failure: unknown
  /** Bytes not in a part yet. */
  #held: Uint8Array[] = []
  #heldBytes = 0
  #targetBytes = 0
  #lentBytes = 0

  constructor(bucket: Bucket, key: string, memory: PartMemory, parts?: Parts, fence: () => void = () => {}) {
    this.#bucket = bucket
    this.#key = key
    this.#memory = memory
    this.#parts = parts && { ...parts, etags: [...parts.etags] }
    this.#fence = fence
    this.#aim()
  }

  /** Takes the body's bytes; a part is sent as soon as enough for another one are behind it. @returns bytes taken */
  async write(body: AsyncIterable<Uint8Array>): Promise<number> {
    let total = 0
    for await (const chunk of body) {
      this.#held.push(chunk)
      this.#heldBytes += chunk.length
      total += chunk.length
      // What is left behind a part can always be a part itself, so the last bytes need no place of their own.
      while (this.#heldBytes >= this.#targetBytes + SMALLEST_PART_BYTES) await this.#send(this.#targetBytes)
    }
    return total
  }

  /** Bytes that are in no part. */
  get rest(): number {
    return this.#heldBytes
  }

  /** The parts so far; undefined while everything is held. */
  get parts(): Parts | undefined {
    return this.#parts
  }

  /** Sends what is held as one more part. */
  async flush(): Promise<void> {
    if (this.#heldBytes > 0) await this.#send(this.#heldBytes)
    await this.#allSent()
  }

  /** Waits for the parts on their way. @throws what one of them failed with */
  async #allSent(): Promise<void> {
    await Promise.all(this.#sending)
    if (this.#failure) throw this.#failure
  }

  /** Stores what is held as an object of its own. */
  async putRest(key: string): Promise<void> {
    await this.#allSent()
    await putObject(this.#bucket, key, this.#take(this.#heldBytes))
  }

  /** Nothing is on its way any more, whatever became of it. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#sending)
  }

  /** Gives lent memory back. */
  async close(): Promise<void> {
    await this.idle()
    this.#memory.give(this.#lentBytes)
    this.#lentBytes = 0
  }

  async #send(sizeBytes: number): Promise<void> {
    if (this.#failure) throw this.#failure
    this.#fence()
    this.#parts ??= { uploadId: await beginParts(this.#bucket, this.#key), etags: [], bytes: 0 }
    const { etags, uploadId } = this.#parts
    if (etags.length === PARTS_LIMIT)
      throw new RegistryError(
        'SIZE_INVALID',
        'the blob is larger than can be streamed: push it with a client that sends a length',
        {
          status: 413,
        },
      )
    const body = this.#take(sizeBytes)
    const number = etags.push('')
    this.#parts.bytes += sizeBytes
    const lentBytes = this.#lentBytes
    this.#lentBytes = 0
    const sent = calling('blob storage', async () => {
      const input = {
        Bucket: this.#bucket.name,
        Key: this.#key,
        UploadId: uploadId,
        PartNumber: number,
        Body: body,
      }
      etags[number - 1] = (await this.#bucket.client.send(new UploadPartCommand(input))).ETag!
    })
      .catch((error) => {
        this.#failure ??= error
      })
      .finally(() => {
        this.#sending.delete(sent)
        this.#memory.give(lentBytes)
      })
    this.#sending.add(sent)
    if (this.#sending.size < SENDING_AT_ONCE && this.#memory.tryTake(sizeBytes))
      void sent.then(() => this.#memory.give(sizeBytes))
    else await sent
    this.#aim()
  }

  /** Decides the next part's size: what it takes beyond the first size must be lent. */
  #aim(): void {
    const wanted = partBytesAt(this.#parts?.bytes ?? 0)
    const beyond = wanted - FIRST_PART_BYTES
    if (beyond > 0 && !this.#memory.tryTake(beyond)) {
      this.#targetBytes = FIRST_PART_BYTES
      return
    }
    this.#lentBytes = beyond
    this.#targetBytes = wanted
  }

  #take(sizeBytes: number): Uint8Array {
    const taken: Uint8Array[] = []
    let missing = sizeBytes
    while (missing > 0) {
      const [chunk] = this.#held as [Uint8Array]
      if (chunk.length <= missing) {
        taken.push(this.#held.shift()!)
        missing -= chunk.length
      } else {
        taken.push(chunk.subarray(0, missing))
        this.#held[0] = chunk.subarray(missing)
        missing = 0
      }
    }
    this.#heldBytes -= sizeBytes
    return Buffer.concat(taken, sizeBytes)
  }
}

export async function putObject(bucket: Bucket, key: string, body: Uint8Array): Promise<void> {
  await calling('blob storage', () =>
    bucket.client.send(new PutObjectCommand({ Bucket: bucket.name, Key: key, Body: body })),
  )
}

async function beginParts(bucket: Bucket, key: string): Promise<string> {
  const answer = await calling('blob storage', () =>
    bucket.client.send(new CreateMultipartUploadCommand({ Bucket: bucket.name, Key: key })),
  )
  return answer.UploadId!
}

/** Exactly these parts: one that somebody else wrote over makes it fail. */
export async function completeParts(bucket: Bucket, key: string, { uploadId, etags }: Parts): Promise<void> {
  const Parts = etags.map((ETag, index) => ({ PartNumber: index + 1, ETag }))
  await calling('blob storage', () =>
    bucket.client.send(
      new CompleteMultipartUploadCommand({
        Bucket: bucket.name,
        Key: key,
        UploadId: uploadId,
        MultipartUpload: { Parts },
      }),
    ),
  )
}

/** No error when there is no such upload. */
export async function abortParts(bucket: Bucket, key: string, uploadId: string): Promise<void> {
  try {
    await calling('blob storage', () =>
      bucket.client.send(
        new AbortMultipartUploadCommand({ Bucket: bucket.name, Key: key, UploadId: uploadId }),
      ),
    )
  } catch (error) {
    if ((error as Error).name !== 'NoSuchUpload') throw error
  }
}
