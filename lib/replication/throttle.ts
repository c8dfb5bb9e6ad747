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
      if (this.#bytesPerSecond > 0) await this.#wait(chunk.length)
      yield chunk
    }
  }

  async #wait(bytes: number): Promise<void> {
    const now = performance.now()
    const begin = Math.max(now, this.#freeAtMs)
    this.#freeAtMs = begin + (bytes / this.#bytesPerSecond) * 1000
    if (begin > now) await sleep(begin - now, undefined, { signal: this.#signal })
  }
}
