// Runs the registry's real code one port call at a time: every actor stops before each call of a port, and the
// schedule (from fast-check) says who goes on, who crashes, and when time passes.
import { setImmediate } from 'node:timers/promises'
import type { BlobStore, MetadataStore, StoredObject } from '../../lib/registry/ports.ts'

export interface Actor {
  name: string
  waiting: (() => void)[]
  /** Calls of a port that were let go and have not answered; a store over the network takes its time. */
  calls: Set<Promise<unknown>>
  done: boolean
  crashed: boolean
}

export class Scheduler {
  steps = 0
  readonly actors: Actor[] = []
  /** What actors failed with: theirs is the run's failure, at the step that led to it. */
  readonly #failures: unknown[] = []

  /** Starts `work`, which runs until its first port call. */
  async start(name: string, work: (actor: Actor) => Promise<void>): Promise<Actor> {
    const actor: Actor = { name, waiting: [], calls: new Set(), done: false, crashed: false }
    this.actors.push(actor)
    void work(actor)
      .catch((error) => this.#failures.push(error))
      .finally(() => {
        actor.done = true
      })
    await this.#settle(actor)
    return actor
  }

  get running(): Actor[] {
    return this.actors.filter((actor) => !actor.done && !actor.crashed && actor.waiting.length > 0)
  }

  async step(actor: Actor, choice: number): Promise<void> {
    const [go] = actor.waiting.splice(choice % actor.waiting.length, 1)
    this.steps += 1
    go!()
    await this.#settle(actor)
  }

  /** The process is gone: nothing it waited for ever comes. */
  crash(actor: Actor): void {
    actor.crashed = true
    actor.waiting = []
  }

  /** Everything that can go on without another port call has gone on. */
  async #settle(actor: Actor): Promise<void> {
    await setImmediate()
    while (actor.calls.size > 0) {
      await Promise.all(actor.calls)
      await setImmediate()
    }
    if (this.#failures.length > 0) throw this.#failures[0]
  }
}

/** A port whose every call waits for its turn. `list` waits once, and answers as things were then. */
export function gated<T extends MetadataStore | BlobStore>(port: T, actor: Actor): T {
  const turn = () => new Promise<void>((resolve) => actor.waiting.push(resolve))
  const counted = async <R>(call: () => Promise<R>): Promise<R> => {
    const answer = call()
    const settled = answer.then(
      () => {},
      () => {},
    )
    actor.calls.add(settled)
    void settled.then(() => actor.calls.delete(settled))
    return answer
  }
  return new Proxy(port, {
    get(target, name) {
      const method = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      if (name === 'list')
        return async function* (prefix: string) {
          await turn()
          yield* await counted(async () => {
            const found: StoredObject[] = []
            for await (const object of (target as BlobStore).list(prefix)) found.push(object)
            return found
          })
        }
      return async (...args: unknown[]) => {
        await turn()
        return counted(async () => method.apply(target, args))
      }
    },
  })
}
