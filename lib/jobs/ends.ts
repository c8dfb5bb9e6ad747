// Changes of tasks and executions: each only as it was read, so that a worker taken for dead changes nothing.
import { randomUUID } from 'node:crypto'
import { keys } from '../registry/keys.ts'
import type { Item, Write } from '../registry/ports.ts'
import { epochSeconds, type Registry } from '../registry/registry.ts'
import {
  attributesOf,
  ENDED,
  type Execution,
  executionOf,
  type Status,
  type Task,
  taskOf,
} from './execution.ts'
import type { Jobs } from './executions.ts'

const ATTEMPTS = 60
/** Executions and their logs are kept so long after their end. */
export const KEPT_SECONDS = 30 * 86_400

/**
 * @param change undefined leaves it as it is; called again when another was faster
 * @returns undefined when it is not there or was left
 */
export async function changeExecution(
  registry: Registry,
  execution: number,
  change: (now: Execution) => Execution | undefined,
): Promise<Execution | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const item = await registry.metadata.get(keys.execution(execution))
    const next = item && change(executionOf(item))
    if (!next) return undefined
    if ((await registry.metadata.transact([replaced(item, next)])).ok) return next
  }
  throw new Error(`execution ${execution} is changed by too many at once`)
}

/** @returns undefined when another attempt has the task by now, or it ended */
export async function changeTask(
  registry: Registry,
  { execution, number, epoch }: Pick<Task, 'execution' | 'number' | 'epoch'>,
  change: (now: Task) => Task,
): Promise<Task | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const item = await registry.metadata.get(keys.task(execution, number))
    const now = item && taskOf(item)
    if (!now || now.epoch !== epoch || ENDED.includes(now.status)) return undefined
    const next = change(now)
    if ((await registry.metadata.transact([replaced(item, next)])).ok) return next
  }
  throw new Error(`task ${number} is changed by too many at once`)
}

/**
 * Ends a task for good, and with the last of its tasks the execution: exactly once.
 * @returns false when another attempt has it by now, or it ended
 */
export async function endTask(
  jobs: Pick<Jobs, 'registry' | 'ended'>,
  task: Pick<Task, 'execution' | 'number' | 'epoch'>,
  end: { status: Status; message: string; extra?: Task['extra'] },
): Promise<boolean> {
  const { registry } = jobs
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const [taskItem, executionItem] = await registry.metadata.batchGet([
      keys.task(task.execution, task.number),
      keys.execution(task.execution),
    ])
    const now = taskItem && taskOf(taskItem)
    if (!now || now.epoch !== task.epoch || ENDED.includes(now.status)) return false
    const nowMs = registry.clock.nowMs()
    const expires = { expiresAtEpochSeconds: epochSeconds(registry) + KEPT_SECONDS }
    const ended: Task = {
      ...now,
      ...end,
      message: end.message.slice(0, 2000),
      extra: { ...now.extra, ...end.extra },
      updatedAtMs: nowMs,
      endedAtMs: nowMs,
      leaseUntilMs: 0,
    }
    const writes: Write[] = [
      replaced({ ...taskItem, ...expires }, ended),
      { kind: 'delete', key: keys.openTask(now.vendor, now.number) },
    ]
    const execution = executionItem && withEnd(executionOf(executionItem), end.status, nowMs)
    if (execution) writes.push(...executionWrites(executionItem, execution, expires))
    const told = (execution && (await jobs.ended?.(registry, execution, ended))) ?? []
    if ((await registry.metadata.transact([...writes, ...told])).ok) {
      if (told.length > 0) registry.onEvent()
      return true
    }
  }
  throw new Error(`execution ${task.execution} is changed by too many at once`)
}

/** @param status of the task that ends */
function withEnd(before: Execution, status: Status, nowMs: number): Execution {
  const counted: Execution = {
    ...before,
    success: before.success + Number(status === 'Success'),
    error: before.error + Number(status === 'Error'),
    stopped: before.stopped + Number(status === 'Stopped'),
  }
  if (counted.success + counted.error + counted.stopped < counted.tasks) return counted
  return {
    ...counted,
    status: counted.error > 0 ? 'Error' : counted.stopped > 0 ? 'Stopped' : 'Success',
    endedAtMs: nowMs,
  }
}

function executionWrites(
  item: Item,
  execution: Execution,
  expires: { expiresAtEpochSeconds: number },
): Write[] {
  if (execution.endedAtMs === undefined) return [replaced(item, execution)]
  const { vendor, rule, number } = execution
  const listing = { attributes: { v: 1, execution: number }, ...expires }
  return [
    replaced({ ...item, ...expires }, execution),
    { kind: 'put', item: { ...keys.executionOfVendor(vendor, number), ...listing } },
    { kind: 'put', item: { ...keys.executionOfRule(vendor, rule, number), ...listing } },
  ]
}

/** Only if it is still what was read. */
export function replaced(item: Item, next: Execution | Task): Write {
  return {
    kind: 'put',
    if: { kind: 'equals', attributes: { gen: item.attributes.gen as string } },
    item: { ...item, attributes: { ...attributesOf(next), gen: randomUUID() } },
  }
}
