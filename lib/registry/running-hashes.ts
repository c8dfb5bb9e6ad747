// Hashes of uploads in progress, so that a chunked upload is hashed as it arrives. Only a cache: an upload
// continued by another process has no running hash and is read back once at its commit instead.
import { createHash, type Hash } from 'node:crypto'
import { type Digest, finishDigest } from '../oci/digest.ts'

interface RunningHash {
  hash: Hash
  offset: number
}

const KEPT = 4096

export class RunningHashes {
  readonly #hashes = new Map<string, RunningHash>()

  /** A copy of the hash over the first `offset` bytes, or undefined when it is not known here. */
  at(session: string, offset: number): Hash | undefined {
    if (offset === 0) return createHash('sha256')
    const running = this.#hashes.get(session)
    return running?.offset === offset ? running.hash.copy() : undefined
  }

  /** Remembers the hash over the first `offset` bytes. @returns the digest so far */
  keep(session: string, offset: number, hash: Hash): Digest {
    this.#hashes.delete(session)
    const oldest = this.#hashes.keys().next()
    if (this.#hashes.size >= KEPT && !oldest.done) this.#hashes.delete(oldest.value)
    this.#hashes.set(session, { hash, offset })
    return finishDigest(hash.copy(), 'sha256')
  }

  forget(session: string): void {
    this.#hashes.delete(session)
  }
}
