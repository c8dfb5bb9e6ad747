// Jobs of a server: begun by its requests, and run in it where no workers of their own do.
import { hostname } from 'node:os'
import type { Logger } from 'pino'
import type { Weight } from '../jobs/execution.ts'
import type { Jobs } from '../jobs/executions.ts'
import type { Queue } from '../jobs/queue.ts'
import { recoverTasks } from '../jobs/recover.ts'
import type { Runner } from '../jobs/run-task.ts'
import { fireSchedules } from '../jobs/schedules.ts'
import { createStoredQueue } from '../jobs/stored-queue.ts'
import { runWorker, type WorkerReport } from '../jobs/worker.ts'
import { taskBegan, taskEnded } from '../kinds/ended.ts'
import { type JobParts, jobKinds } from '../kinds/kinds.ts'
import type { ServerMetrics } from './metrics.ts'
import type { OpenStores } from './open-stores.ts'

const FIRE_EVERY_MS = 5000
const RECOVER_EVERY_MS = 60_000
const AT_ONCE: Record<Weight, number> = { light: 8, heavy: 4 }

export interface ServerJobs {
  jobs: Jobs
  /** Of this process's own; absent where workers have theirs. */
  queues?: Record<Weight, Queue>
}

/** Runs what is in this process's queues. @returns stops: no more tasks begin, and those under way have ended */
export function runJobs(
  { jobs, queues }: ServerJobs,
  parts: JobParts,
  log: Logger,
  metrics: Pick<ServerMetrics, 'jobEnded'>,
): () => Promise<void> {
  if (!queues) return async () => {}
  const runner: Runner = { ...jobs, kinds: jobKinds(parts) }
  const sources = (['light', 'heavy'] as const).map((weight) => ({
    queue: queues[weight],
    concurrency: AT_ONCE[weight],
  }))
  const place = { host: hostname(), pid: process.pid }
  const worker = runWorker(runner, sources, place, reportTo(log, metrics))
  const stopTicking = tick(runner, log)
  return async () => {
    worker.stop()
    await stopTicking()
    await worker.ended
  }
}

/** What begins jobs, and the queues where workers of their own have none. */
export function jobsOf({ registry, dispatch }: OpenStores): ServerJobs {
  if (dispatch) return { jobs: { registry, dispatch, began: taskBegan, ended: taskEnded } }
  const queues: Record<Weight, Queue> = {
    light: createStoredQueue(registry, { name: 'light' }),
    heavy: createStoredQueue(registry, { name: 'heavy' }),
  }
  const send: Jobs['dispatch'] = (weight, bodies, delaySeconds = 0) =>
    queues[weight].send(bodies, { delaySeconds })
  return { jobs: { registry, dispatch: send, began: taskBegan, ended: taskEnded }, queues }
}

/** Begins what is due, and finds what was lost. @returns stops, once what runs has ended */
function tick(runner: Runner, log: Logger): () => Promise<void> {
  const running = new Set<Promise<unknown>>()
  const every = (ms: number, what: string, work: () => Promise<unknown>) => {
    let busy = false
    const timer = setInterval(() => {
      if (busy) return
      busy = true
      const run = work()
        .catch((error) => log.error({ component: 'jobs', err: error }, `${what} failed`))
        .finally(() => {
          busy = false
          running.delete(run)
        })
      running.add(run)
    }, ms)
    timer.unref()
    return timer
  }
  const timers = [
    every(FIRE_EVERY_MS, 'schedules', () => fireSchedules(runner)),
    every(RECOVER_EVERY_MS, 'recovery of tasks', () => recoverTasks(runner)),
  ]
  return async () => {
    timers.forEach(clearInterval)
    await Promise.all(running)
  }
}

function reportTo(log: Logger, metrics: Pick<ServerMetrics, 'jobEnded'>): WorkerReport {
  return {
    ended: ({ number, execution, vendor }, status, seconds) => {
      metrics.jobEnded(vendor, status, seconds)
      log.info({ component: 'jobs', task: number, execution, vendor, status, seconds }, 'task ended')
    },
    failed: (body, error) => log.error({ component: 'jobs', body, err: error }, 'message failed'),
  }
}
