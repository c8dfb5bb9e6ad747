// Reads objects; a connection to S3 that breaks off is taken up where it broke.
import { GetObjectCommand, NoSuchKey } from '@aws-sdk/client-s3'
import type { ByteRange } from '../oci/range.ts'
import { calling } from './failures.ts'
import type { Bucket } from './multipart-writer.ts'

/** Below this an object is read in one go instead of streamed. */
const SMALL_BYTES = 64 * 1024
/** Breaks without a byte of progress between them. */
const BREAKS = 5

interface Part {
  sizeBytes: number
  bytes: AsyncIterable<Uint8Array>
}

/** @returns undefined when there is no such object */
export async function readObject(
  bucket: Bucket,
  key: string,
  range: ByteRange | undefined,
): Promise<Uint8Array | AsyncIterable<Uint8Array> | undefined> {
  const first = await get(bucket, key, range && `bytes=${range.start}-${range.end}`)
  if (!first) return undefined
  const stream = resuming(bucket, key, first, range?.start ?? 0)
  if (first.sizeBytes > SMALL_BYTES) return stream
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function get(bucket: Bucket, key: string, range: string | undefined): Promise<Part | undefined> {
  const command = new GetObjectCommand({ Bucket: bucket.name, Key: key, ...(range ? { Range: range } : {}) })
  try {
    const answer = await calling('blob storage', () => bucket.client.send(command))
    return {
      sizeBytes: answer.ContentLength ?? 0,
      bytes: answer.Body as unknown as AsyncIterable<Uint8Array>,
    }
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined
    throw error
  }
}

async function* resuming(
  bucket: Bucket,
  key: string,
  first: Part,
  start: number,
): AsyncGenerator<Uint8Array> {
  const end = start + first.sizeBytes
  let at = start
  let part = first
  for (let breaks = 0; at < end; ) {
    const before = at
    try {
      for await (const chunk of part.bytes) {
        at += chunk.length
        yield chunk
      }
      if (at < end) throw new Error(`the answer ended ${end - at} bytes early`)
    } catch (error) {
      breaks = at > before ? 1 : breaks + 1
      if (breaks > BREAKS) throw error
    }
    if (at >= end) return
    const next = await get(bucket, key, `bytes=${at}-${end - 1}`)
    if (!next) throw new Error(`object ${key} went away while it was read`)
    part = next
  }
}
