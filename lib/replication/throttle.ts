// A task's bandwidth: so many bytes a second over all the blobs it copies at once.
import { setTimeout as sleep } from 'node:timers/promises'

export class Throttle {
  readonly #bytesPerSecond: number
  readonly #signal: AbortSignal
  #freeAtMs = 0

  /** @param kilobytesPerSecond 0: no limit. @param signal ends every stream with its reason */
  constructor(kilobytesPerSecond: number, signal: AbortSignal) {
    this.#bytesPerSecond = kilobytesPerSecond * 1024
    this.#signal = signal
  }

  async *of(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      this.#signal.throwIfAborted()
      if (this.#bytesPerSecond === 0) yield chunk
      // Pieces of a second's worth at most: whoever reads them must not take us for dead.
      else
        for (let at = 0; at < chunk.length; at += this.#bytesPerSecond) {
          const piece = chunk.subarray(at, at + this.#bytesPerSecond)
          await this.#wait(piece.length)
          yield piece
        }
    }
  }

  async #wait(bytes: number): Promise<void> {
    const now = performance.now()
    this.#freeAtMs = Math.max(now, this.#freeAtMs) + (bytes / this.#bytesPerSecond) * 1000
    await sleep(this.#freeAtMs - now, undefined, { signal: this.#signal })
  }
}
