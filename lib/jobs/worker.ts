// Takes messages from queues and runs the tasks they name.
import type { Status, Task } from './execution.ts'
import { type Place, Presence } from './presence.ts'
import type { Queue } from './queue.ts'
import { type Runner, runTask } from './run-task.ts'

export interface Source {
  queue: Queue
  /** Tasks at once. */
  concurrency: number
}

export interface WorkerReport {
  ended(task: Task, status: Status | 'Retry' | 'Lost', seconds: number): void
  /** A message that could not be handled; it comes again. */
  failed(body: string, error: unknown): void
}

export interface Worker {
  readonly busy: boolean
  readonly stopped: boolean
  /** Resolves once nothing was done for so long, or the worker was told to stop. */
  idleFor(ms: number): Promise<void>
  /** No more tasks; those under way go on. */
  stop(): void
  /** Resolves when the last task has ended. */
  ended: Promise<void>
}

const LOOK_EVERY_MS = 1000

export function runWorker(runner: Runner, sources: Source[], place: Place, report: WorkerReport): Worker {
  const abort = new AbortController()
  const concurrency = sources.reduce((sum, each) => sum + each.concurrency, 0)
  const presence = new Presence(runner.registry, place, concurrency)
  let running = 0
  let lastAtMs = Date.now()
  const observer = {
    began: (task: Task) => presence.began(task),
    ended: (task: Task, status: Status | 'Retry' | 'Lost', seconds: number) => {
      presence.ended(task)
      report.ended(task, status, seconds)
    },
  }

  async function handle({ body }: { body: string }): Promise<void> {
    running += 1
    try {
      await runTask(runner, body, observer)
    } finally {
      running -= 1
      lastAtMs = Date.now()
    }
  }

  const consuming = sources.map(({ queue, concurrency }) =>
    queue.consume(handle, {
      concurrency,
      signal: abort.signal,
      onFailure: ({ body }, error) => report.failed(body, error),
    }),
  )
  return {
    ended: Promise.all(consuming).then(() => presence.leave()),
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
