// One attempt of a task: claimed, kept alive while it runs, ended or tried again.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { beat, type Claimed, claim, LEASE_MS, leave } from './claim.ts'
import { changeTask, endTask } from './ends.ts'
import { jobId, type Status, type Task } from './execution.ts'
import { addTasks, type Jobs } from './executions.ts'
import { type JobContext, JobFailed, type JobKind, type JobKinds, kindOf, TryLater } from './kinds.ts'
import { dispatchTasks, parseTaskMessage } from './messages.ts'
import { TaskLog } from './task-log.ts'

/** What still runs so long after it was told to end is left to itself. */
const GRACE_MS = 10_000
const LONGEST_RETRY_SECONDS = 3600

/** What whoever runs jobs needs. */
export interface Runner extends Jobs {
  kinds: JobKinds
  /** A worker without a heartbeat for so long counts as dead; there are six heartbeats in it. */
  leaseMs?: number
}

/** Told of what a worker runs. */
export interface Observer {
  began(task: Task): void
  ended(task: Task, status: Status | 'Retry' | 'Lost', seconds: number): void
}

class Ended extends Error {
  readonly how: 'stopped' | 'lost' | 'late'
  constructor(how: 'stopped' | 'lost' | 'late', message: string) {
    super(message)
    this.how = how
  }
}

/** Handles a message of the queue: when it resolves, the message is done with. */
export async function runTask(jobs: Runner, body: string, observer: Observer): Promise<void> {
  const message = parseTaskMessage(body)
  if (!message) throw new Error(`no message of a task: ${body.slice(0, 200)}`)
  const outcome = await claim(jobs.registry, jobs.kinds, message, jobs.leaseMs, jobs.began)
  switch (outcome.kind) {
    case 'over':
      return
    case 'later':
      return jobs.dispatch(message.weight, [body], outcome.seconds)
    case 'stopped':
      await endTask(jobs, outcome.task, { status: 'Stopped', message: 'stopped before it began' })
      return
    case 'exhausted':
      await endTask(jobs, outcome.task, {
        status: 'Error',
        message: `its worker died in attempt ${outcome.task.attempts}`,
      })
      return
    case 'claimed':
      return attempt(jobs, outcome.claimed, observer)
  }
}

async function attempt(jobs: Runner, claimed: Claimed, observer: Observer): Promise<void> {
  const { task } = claimed
  const { registry, kinds } = jobs
  const kind = kindOf(kinds, task.vendor)
  const log = new TaskLog(registry, task.number)
  const begunAtMs = registry.clock.nowMs()
  const seconds = () => (registry.clock.nowMs() - begunAtMs) / 1000
  observer.began(task)
  const { error, extra } = await run(jobs, kind, claimed, log)
  try {
    if (error instanceof Ended && error.how === 'lost') return observer.ended(task, 'Lost', seconds())
    const status = await conclude(jobs, kind, task, log, error, extra)
    observer.ended(task, status, seconds())
  } finally {
    await leave(registry, claimed)
  }
}

async function conclude(
  jobs: Jobs,
  kind: JobKind,
  task: Task,
  log: TaskLog,
  error: Error | undefined,
  extra: Task['extra'],
): Promise<Status | 'Retry' | 'Lost'> {
  const { registry } = jobs
  const endAs = async (status: Status, message: string) => {
    await log.flush()
    const ended = await endTask(jobs, task, { status, message, extra })
    return ended ? status : 'Lost'
  }
  if (!error) return endAs('Success', '')
  if (error instanceof Ended && error.how === 'stopped') return endAs('Stopped', 'stopped')
  log.add(error.message, 'ERROR')
  if (error instanceof JobFailed || task.attempts >= kind.attempts) return endAs('Error', error.message)
  const usual = kind.retryAfterSeconds * 2 ** (task.attempts - 1)
  const asked = error instanceof TryLater ? Math.ceil(error.seconds) : 0
  const wait = Math.min(LONGEST_RETRY_SECONDS, Math.max(usual, asked))
  log.add(`attempt ${task.attempts} of ${kind.attempts} failed: the next follows in ${wait} s`)
  await log.flush()
  const waiting = await changeTask(registry, task, (now) => ({
    ...now,
    status: 'Pending',
    message: error.message.slice(0, 2000),
    dueAtMs: registry.clock.nowMs() + wait * 1000,
    leaseUntilMs: 0,
    ticket: randomUUID(),
    extra: { ...now.extra, ...extra },
  }))
  if (!waiting) return 'Lost'
  await dispatchTasks(jobs.dispatch, [waiting], Math.min(wait, 900))
  return 'Retry'
}

/** Runs the job until it ends, or has to. */
async function run(
  jobs: Runner,
  kind: JobKind,
  claimed: Claimed,
  log: TaskLog,
): Promise<{ error?: Error; extra: Task['extra'] }> {
  const { registry, leaseMs = LEASE_MS } = jobs
  const { task, execution } = claimed
  const abort = new AbortController()
  let extra: Task['extra'] = {}
  const context: JobContext = {
    registry,
    execution,
    task,
    deliveryId: jobId(task),
    signal: abort.signal,
    log: (line) => log.add(line),
    show: (shown) => {
      extra = { ...extra, ...shown }
    },
    save: async (state) => {
      if (!(await changeTask(registry, task, (now) => ({ ...now, state })))) throw lost()
    },
    add: (tasks) => addTasks(jobs, execution, tasks),
  }
  const pulse = setInterval(() => void keepAlive().catch(() => {}), leaseMs / 6) // the next may come through
  async function keepAlive(): Promise<void> {
    await log.flush()
    const kept = await beat(registry, claimed, extra, leaseMs)
    if (kept === 'lost') abort.abort(lost())
    if (kept === 'stopping') abort.abort(new Ended('stopped', 'stopped'))
  }
  const late = setTimeout(
    () => abort.abort(new Ended('late', `it took longer than ${kind.timeoutSeconds} s`)),
    kind.timeoutSeconds * 1000,
  )
  try {
    await Promise.race([kind.run(context), givenUp(abort.signal)])
    return { extra }
  } catch (error) {
    // What a job throws because it was aborted is told as why it was.
    const reason = abort.signal.aborted ? abort.signal.reason : error
    return { error: reason instanceof Error ? reason : new Error(String(reason)), extra }
  } finally {
    clearInterval(pulse)
    clearTimeout(late)
  }
}

/** Rejects some time after the signal, for jobs that do not heed it. */
async function givenUp(signal: AbortSignal): Promise<never> {
  await new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', resolve, { once: true })
  })
  await sleep(GRACE_MS, undefined, { ref: false })
  throw signal.reason
}

function lost(): Ended {
  return new Ended('lost', 'another worker has the task')
}
