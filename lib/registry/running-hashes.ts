// Hashes of uploads in progress, so that a chunked upload is hashed as it arrives. Only a cache: an upload
// continued by another process has no running hash and is read back once at its commit instead.
import type { Hash } from 'node:crypto'
import type { Registry } from './registry.ts'

interface RunningHash {
  hash: Hash
  /** Of the session's item when it accepted the bytes: another accepted write of it has another one. */
  epoch: number
}

const KEPT = 4096

export class RunningHashes {
  readonly #hashes = new Map<string, RunningHash>()

  /** A copy of the hash over the bytes accepted at `epoch`, or undefined when it is not known here. */
  at(session: string, epoch: number): Hash | undefined {
    const running = this.#hashes.get(session)
    return running?.epoch === epoch ? running.hash.copy() : undefined
  }

  /** Remembers the hash over the bytes that were accepted at `epoch`. */
  keep(session: string, epoch: number, hash: Hash): void {
    this.#hashes.delete(session)
    const oldest = this.#hashes.keys().next()
    if (this.#hashes.size >= KEPT && !oldest.done) this.#hashes.delete(oldest.value)
    this.#hashes.set(session, { hash, epoch })
  }

  forget(session: string): void {
    this.#hashes.delete(session)
  }
}

const running = new WeakMap<Registry, RunningHashes>()

export function hashesOf(registry: Registry): RunningHashes {
  let found = running.get(registry)
  if (!found) {
    found = new RunningHashes()
    running.set(registry, found)
  }
  return found
}
