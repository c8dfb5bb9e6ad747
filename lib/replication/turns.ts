// One after the other, for each name: tags of the same artifact are copied by tasks of their own, and what the first of
// them has sent the others need not send. It holds within a process; elsewhere the same bytes are sent twice, no more.

export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  async take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve()
    const mine = before.then(work, work)
    this.#last.set(name, mine)
    try {
      return await mine
    } finally {
      if (this.#last.get(name) === mine) this.#last.delete(name)
    }
  }
}
