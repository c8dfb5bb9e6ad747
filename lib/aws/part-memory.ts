// Memory for parts under way, shared by all uploads of a process. Each upload has one buffer for itself; what is
// beyond that (larger parts, a second part while the first is sent) is lent while there is some.

export class PartMemory {
  #freeBytes: number

  /** @param sharedBytes lent beyond the first buffer of each upload */
  constructor(sharedBytes: number) {
    this.#freeBytes = sharedBytes
  }

  /** @returns whether the bytes are lent; never waits */
  tryTake(bytes: number): boolean {
    if (bytes > this.#freeBytes) return false
    this.#freeBytes -= bytes
    return true
  }

  give(bytes: number): void {
    this.#freeBytes += bytes
  }
}
