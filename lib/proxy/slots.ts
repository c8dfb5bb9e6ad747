// Limits towards an upstream: how many requests at once, and how many bytes a second. Who is beyond waits.
import { setTimeout as sleep } from 'node:timers/promises'

/** In the order they came. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  /** @param count 0 or less: no limit */
  constructor(count: number) {
    this.#free = count > 0 ? count : Number.POSITIVE_INFINITY
  }

  /** @returns gives the place back */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    let given = false
    return () => {
      if (given) return
      given = true
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free += 1
    }
  }
}

/** How time passes. */
interface Time {
  nowMs(): number
  wait(ms: number): Promise<unknown>
}

const TIME: Time = { nowMs: () => performance.now(), wait: (ms) => sleep(ms) }

/** All that goes through one of these shares its rate. */
export class Throttle {
  readonly #bytesPerMs: number
  readonly #time: Time
  #nextMs = 0

  /** @param bytesPerSecond 0 or less: no limit */
  constructor(bytesPerSecond: number, time = TIME) {
    this.#time = time
    this.#bytesPerMs = bytesPerSecond > 0 ? bytesPerSecond / 1000 : Number.POSITIVE_INFINITY
  }

  async *limit(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      if (this.#bytesPerMs !== Number.POSITIVE_INFINITY) {
        const now = this.#time.nowMs()
        this.#nextMs = Math.max(this.#nextMs, now) + chunk.length / this.#bytesPerMs
        if (this.#nextMs > now) await this.#time.wait(this.#nextMs - now)
      }
      yield chunk
    }
  }
}
