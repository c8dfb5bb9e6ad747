// A registry whose jobs are run by hand: messages lie in a list, and the clock is turned.
import type { Task, Vendor } from '../../../lib/jobs/execution.ts'
import { type ExecutionSpec, readExecution, tasksOf } from '../../../lib/jobs/executions.ts'
import type { JobKind, JobKinds } from '../../../lib/jobs/kinds.ts'
import { type Runner, runTask } from '../../../lib/jobs/run-task.ts'
import { type TestRegistry, testRegistry } from '../registry.ts'

export interface JobPlace {
  registry: TestRegistry
  runner: Runner
  /** What was sent and not taken yet. */
  messages: { body: string; dueAtMs: number }[]
  outcomes: string[]
  /** Runs what is due until nothing is; turns the clock to what is not. */
  drain(): Promise<void>
  /** Runs the message that was sent first. */
  runFirst(): Promise<void>
}

export const USUAL: JobKind = {
  attempts: 3,
  retryAfterSeconds: 10,
  timeoutSeconds: 600,
  atOnce: 10,
  run: async () => {},
}

export const SPEC: ExecutionSpec = { vendor: 'REPLICATION', rule: 7, trigger: 'MANUAL' }

export async function jobPlace(kinds: Partial<Record<Vendor, Partial<JobKind>>>): Promise<JobPlace> {
  const registry = await testRegistry()
  const messages: JobPlace['messages'] = []
  const outcomes: string[] = []
  const runner: Runner = {
    registry,
    kinds: Object.fromEntries(
      Object.entries(kinds).map(([vendor, kind]) => [vendor, { ...USUAL, ...kind }]),
    ) as JobKinds,
    dispatch: async (_weight, bodies, delaySeconds = 0) => {
      const dueAtMs = registry.clock.now + delaySeconds * 1000
      messages.push(...bodies.map((body) => ({ body, dueAtMs })))
    },
  }
  const observer = {
    began: () => {},
    ended: (_task: Task, status: string) => {
      outcomes.push(status)
    },
  }
  const run = ({ body }: { body: string }) => runTask(runner, body, observer)
  return {
    registry,
    runner,
    messages,
    outcomes,
    runFirst: () => run(messages.shift()!),
    drain: async () => {
      while (messages.length > 0) {
        messages.sort((one, other) => one.dueAtMs - other.dueAtMs)
        const next = messages.shift()!
        registry.clock.now = Math.max(registry.clock.now, next.dueAtMs)
        await run(next)
      }
    },
  }
}

export async function statusOf({ registry }: JobPlace, execution: number): Promise<string | undefined> {
  return (await readExecution(registry, execution))?.status
}

export async function tasksIn({ registry }: JobPlace, execution: number): Promise<Task[]> {
  const found: Task[] = []
  for await (const task of tasksOf(registry, execution)) found.push(task)
  return found
}
