// Logins that are being checked: a right one waits for what was tried before it, so that many guesses at once are counted
// before one of them is let in.
import type { LoginAttempt } from './login-limits.ts'

export class LoginsUnderWay {
  readonly #ends = new Map<string, Set<Promise<void>>>()

  /** @returns `earlier`, which resolves once those of the same name or place that began before have ended */
  begin({ keys }: LoginAttempt): { earlier: Promise<unknown>; end(): void } {
    const { promise, resolve } = Promise.withResolvers<void>()
    const names = keys.map(({ pk }) => pk)
    const earlier = new Set(names.flatMap((name) => [...(this.#ends.get(name) ?? [])]))
    for (const name of names) {
      const ends = this.#ends.get(name) ?? new Set()
      this.#ends.set(name, ends.add(promise))
    }
    const end = () => {
      resolve()
      for (const name of names) {
        const ends = this.#ends.get(name)!
        ends.delete(promise)
        if (ends.size === 0) this.#ends.delete(name)
      }
    }
    return { earlier: Promise.all(earlier), end }
  }
}
