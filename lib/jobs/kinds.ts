// Kinds of jobs: what each does, how often it is tried, and how many of it may run at once.
import type { Attributes } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import type { Execution, Task, Vendor } from './execution.ts'

export interface TaskSpec {
  payload: Attributes
  /** Shown beside its status. */
  extra?: Attributes
  /** Tasks of one target share its limit; the kind's other tasks are not held up by it. */
  target?: string
}

export interface JobContext {
  registry: Registry
  execution: Execution
  task: Task
  /** The same at every attempt: receivers recognise by it what they have already. */
  deliveryId: string
  /** Aborted when the job is stopped, takes too long, or another worker has it. */
  signal: AbortSignal
  /** A line of the task's log. */
  log(line: string): void
  /** What is shown of the running task; written with the next heartbeat. */
  show(extra: Attributes): void
  /** Kept for the next attempt, durably when it resolves. */
  save(state: Attributes): Promise<void>
  /** Further tasks of this execution, which ends after the last of them. */
  add(tasks: TaskSpec[]): Promise<void>
}

export interface JobKind {
  /** Attempts until it counts as failed; a worker's death is an attempt too. */
  attempts: number
  /** Before the second attempt; doubled before each next one. */
  retryAfterSeconds: number
  /** Then an attempt counts as failed. */
  timeoutSeconds: number
  /** Tasks at once, over all processes. */
  atOnce: number
  /** Tasks of one target at once. */
  atOncePerTarget?: number
  /** At least once, so what it does must be recognised by its delivery id. @throws JobFailed; TryLater, or anything: it is tried again */
  run(context: JobContext): Promise<void>
}

export type JobKinds = Partial<Record<Vendor, JobKind>>

/** The next attempt is to come no sooner than this, and within the hour all the same. */
export class TryLater extends Error {
  readonly seconds: number

  constructor(message: string, seconds: number, options?: ErrorOptions) {
    super(message, options)
    this.seconds = seconds
  }
}

/** No further attempt would help. */
export class JobFailed extends Error {}

export function kindOf(kinds: JobKinds, vendor: Vendor): JobKind {
  const kind = kinds[vendor]
  if (!kind) throw new TypeError(`there are no jobs of kind ${vendor}`)
  return kind
}
