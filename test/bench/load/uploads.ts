// Large uploads that run at once, for the memory scenario.
import { createHash, type Hash, randomBytes } from 'node:crypto'
import type { JobResult, UploadsJob } from './jobs.ts'
import * as oci from './oci-client.ts'
import type { Connection } from './raw-http.ts'
import { drive } from './timing.ts'

const PIECE_BYTES = 1024 * 1024

/** Random bytes sent over and over with a running number in front: cheap to make, and no two uploads alike. */
function* content(pool: Buffer, sizeBytes: number, hash: Hash): Generator<Uint8Array> {
  for (let sent = 0; sent < sizeBytes; sent += PIECE_BYTES) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, sizeBytes - sent))
    pool.copy(piece)
    piece.writeDoubleLE(sent, 0)
    hash.update(piece)
    yield piece
  }
}

async function uploadOne(connection: Connection, repository: string, job: UploadsJob): Promise<void> {
  const hash = createHash('sha256')
  const pool = randomBytes(PIECE_BYTES)
  let session = await oci.startUpload(connection, repository)
  const pieces = content(pool, job.sizeBytes, hash)
  if (job.chunkBytes === undefined) {
    session = await oci.appendToUpload(connection, session, { bytes: pieces })
  } else {
    for (let offset = 0; offset < job.sizeBytes; offset += job.chunkBytes) {
      const lengthBytes = Math.min(job.chunkBytes, job.sizeBytes - offset)
      const body = { lengthBytes, bytes: take(pieces, lengthBytes) }
      session = await oci.appendToUpload(connection, session, body, `${offset}-${offset + lengthBytes - 1}`)
    }
  }
  await oci.finishUpload(connection, session, `sha256:${hash.digest('hex')}`)
}

/** The next pieces, without ending the generator they come from as `for … of` with a break would. */
function* take(pieces: Generator<Uint8Array>, lengthBytes: number): Generator<Uint8Array> {
  for (let taken = 0; taken < lengthBytes; ) {
    const { value, done } = pieces.next()
    if (done) return
    taken += value.length
    yield value
  }
}

export function runUploads(job: UploadsJob): Promise<JobResult> {
  const limits = { connections: job.count, seconds: 3600, operations: job.count }
  return drive(job.host, limits, async (connection, index) => {
    await uploadOne(connection, `bench/upload${index}`, job)
    return 0
  })
}
