// A task that failed for good, tried again as if it were new.
import { randomUUID } from 'node:crypto'
import { keys } from '../registry/keys.ts'
import type { Item } from '../registry/ports.ts'
import { replaced } from './ends.ts'
import { type Execution, executionOf, type Task, taskOf } from './execution.ts'
import type { Jobs } from './executions.ts'
import { dispatchTasks } from './messages.ts'

const LOSSES = 20

/** @returns false when it has not failed, or is gone */
export async function retryTask(
  jobs: Jobs,
  { execution, number }: Pick<Task, 'execution' | 'number'>,
): Promise<boolean> {
  for (let loss = 0; loss < LOSSES; loss++) {
    const [taskItem, executionItem] = await jobs.registry.metadata.batchGet([
      keys.task(execution, number),
      keys.execution(execution),
    ])
    const failed = taskItem && taskOf(taskItem)
    if (!failed || !executionItem || failed.status !== 'Error') return false
    const again = renewed(failed, jobs.registry.clock.nowMs())
    const outcome = await jobs.registry.metadata.transact([
      replaced(unexpiring(taskItem), again),
      replaced(unexpiring(executionItem), reopened(executionOf(executionItem))),
      {
        kind: 'put',
        item: { ...keys.openTask(failed.vendor, number), attributes: { v: 1, execution } },
      },
    ])
    if (!outcome.ok) continue
    await dispatchTasks(jobs.dispatch, [again])
    return true
  }
  throw new Error(`execution ${execution} is changed by too many at once`)
}

function renewed({ endedAtMs: _, ...failed }: Task, nowMs: number): Task {
  return {
    ...failed,
    status: 'Pending',
    message: '',
    attempts: 0,
    dueAtMs: nowMs,
    updatedAtMs: nowMs,
    ticket: randomUUID(),
  }
}

function reopened({ endedAtMs: _, ...ended }: Execution): Execution {
  return { ...ended, status: 'Running', message: '', error: ended.error - 1, stopping: false }
}

function unexpiring({ expiresAtEpochSeconds: _, ...item }: Item): Item {
  return item
}
