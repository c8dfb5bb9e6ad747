// Takes jobs from a queue and runs them by their kind.
import type { Message, Queue } from './queue.ts'

export type JobKinds = Record<string, (payload: Record<string, unknown>) => Promise<void>>

export interface Worker {
  readonly busy: boolean
  readonly stopped: boolean
  /** Resolves once nothing was done for so long, or the worker was told to stop. */
  idleFor(ms: number): Promise<void>
  /** No more jobs; those under way go on. */
  stop(): void
  /** Resolves when the last job has ended. */
  ended: Promise<void>
}

const AT_ONCE = 2
const LOOK_EVERY_MS = 1000

export function runWorker(queue: Queue, kinds: JobKinds): Worker {
  const abort = new AbortController()
  let running = 0
  let lastAtMs = Date.now()

  async function handle(message: Message): Promise<void> {
    const { kind, ...payload } = JSON.parse(message.body) as { kind?: string }
    const run = kind === undefined ? undefined : kinds[kind]
    if (!run) throw new Error(`there are no jobs of kind ${kind}`)
    running += 1
    try {
      await run(payload)
    } finally {
      running -= 1
      lastAtMs = Date.now()
    }
  }

  const ended = queue.consume(handle, {
    concurrency: AT_ONCE,
    signal: abort.signal,
    onFailure: (message, error) =>
      console.log(
        JSON.stringify({
          component: 'worker',
          job: message.body,
          attempt: message.attempt,
          error: String(error),
        }),
      ),
  })
  return {
    ended,
    get busy() {
      return running > 0
    },
    get stopped() {
      return abort.signal.aborted
    },
    stop: () => abort.abort(),
    idleFor: (ms) =>
      new Promise((resolve) => {
        const timer = setInterval(() => {
          if (!abort.signal.aborted && (running > 0 || Date.now() - lastAtMs < ms)) return
          clearInterval(timer)
          resolve()
        }, LOOK_EVERY_MS)
      }),
  }
}
