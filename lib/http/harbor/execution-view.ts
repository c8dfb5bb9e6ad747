// Executions and tasks as the API shows them, whatever kind they are of.
import type { Execution, Task } from '../../jobs/execution.ts'
import { tasksOf } from '../../jobs/executions.ts'
import type { Registry } from '../../registry/registry.ts'
import { time } from './answers.ts'
import type { Row } from './lists.ts'

/** @public */
export function executionView(execution: Execution): Row {
  const { tasks, success, error, stopped, endedAtMs } = execution
  return {
    id: execution.number,
    vendor_type: execution.vendor,
    vendor_id: execution.rule,
    status: execution.status,
    status_message: execution.message,
    trigger: execution.trigger,
    extra_attrs: execution.extra,
    metrics: {
      task_count: tasks,
      success_task_count: success,
      error_task_count: error,
      stopped_task_count: stopped,
      running_task_count: tasks - success - error - stopped,
    },
    start_time: time(execution.startedAtMs),
    ...(endedAtMs === undefined ? {} : { end_time: time(endedAtMs) }),
  }
}

/** @public */
export function taskView(task: Task): Row {
  return {
    id: task.number,
    execution_id: task.execution,
    status: task.status,
    status_message: task.message,
    run_count: task.attempts,
    extra_attrs: task.extra,
    creation_time: time(task.createdAtMs),
    update_time: time(task.updatedAtMs),
    ...(task.startedAtMs === undefined ? {} : { start_time: time(task.startedAtMs) }),
    ...(task.endedAtMs === undefined ? {} : { end_time: time(task.endedAtMs) }),
  }
}

/** What is shown of an execution is read in memory: that many tasks, or executions, at most. */
export const SHOWN = 5000

export async function tasksShown(registry: Registry, execution: number): Promise<Task[]> {
  return atMost(tasksOf(registry, execution), SHOWN)
}

export async function atMost<T>(all: AsyncIterable<T>, limit: number): Promise<T[]> {
  const found: T[] = []
  for await (const each of all) {
    found.push(each)
    if (found.length === limit) break
  }
  return found
}
