// Messages that have tasks run. A task has one message at a time, known by its ticket: others are dropped.
import { type Task, WEIGHTS, type Weight } from './execution.ts'

/** Puts messages into the queue of that weight, and wakes whoever takes them. */
export type Dispatch = (weight: Weight, bodies: string[], delaySeconds?: number) => Promise<void>

export interface TaskMessage {
  execution: number
  task: number
  ticket: string
  weight: Weight
}

export async function dispatchTasks(dispatch: Dispatch, tasks: Task[], delaySeconds = 0): Promise<void> {
  for (const weight of ['light', 'heavy'] as const) {
    const bodies = tasks
      .filter(({ vendor }) => WEIGHTS[vendor] === weight)
      .map(({ execution, number, ticket }) => JSON.stringify({ execution, task: number, ticket, weight }))
    if (bodies.length > 0) await dispatch(weight, bodies, delaySeconds)
  }
}

/** @returns undefined when it is no message of ours */
export function parseTaskMessage(body: string): TaskMessage | undefined {
  try {
    const { execution, task, ticket, weight } = JSON.parse(body) as Record<string, unknown>
    if (!Number.isSafeInteger(execution) || !Number.isSafeInteger(task) || typeof ticket !== 'string')
      return undefined
    if (weight !== 'light' && weight !== 'heavy') return undefined
    return { execution: execution as number, task: task as number, ticket, weight }
  } catch {
    return undefined
  }
}
