// Executions: begun with their tasks, listed, stopped.
import { randomUUID } from 'node:crypto'
import { keys, partitions } from '../registry/keys.ts'
import { nextNumber } from '../registry/numbers.ts'
import { pagesBackwards, pagesOf } from '../registry/partitions.ts'
import type { Attributes, Item, Write } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import { changeExecution, endTask } from './ends.ts'
import {
  attributesOf,
  ENDED,
  type Execution,
  executionOf,
  type Task,
  type Trigger,
  taskOf,
  type Vendor,
} from './execution.ts'
import type { TaskSpec } from './kinds.ts'
import { type Dispatch, dispatchTasks } from './messages.ts'

/** What whoever starts and ends jobs needs. */
export interface Jobs {
  registry: Registry
  dispatch: Dispatch
  /** Written together with the first attempt's beginning. */
  began?: (registry: Registry, execution: Execution, task: Task) => Promise<Write[]>
  /** Written together with the end of a task, exactly once; the execution is as it is with that, ended itself after its last task. */
  ended?: (registry: Registry, execution: Execution, task: Task) => Promise<Write[]>
}

export interface ExecutionSpec {
  vendor: Vendor
  /** The rule it belongs to; 0 where there is none. */
  rule: number
  trigger: Trigger
  extra?: Attributes
}

/** An execution that is still to be written, with the writes that begin it. */
interface Prepared {
  execution: Execution
  tasks: Task[]
  writes: Write[]
}

const FIRST_WRITES = 60

/**
 * @param also a few writes of the same transaction: both happen or neither
 * @returns undefined when a condition of `also` does not hold
 */
export async function startExecution(
  jobs: Jobs,
  spec: ExecutionSpec,
  tasks: TaskSpec[],
  also: Write[] = [],
): Promise<Execution | undefined> {
  const prepared = await prepareExecution(jobs.registry, spec, tasks)
  // The transaction holds what makes it one; tasks beyond that are there before anybody reads of them.
  const [first, rest] = [prepared.writes.slice(0, FIRST_WRITES), prepared.writes.slice(FIRST_WRITES)]
  if (rest.length > 0) await jobs.registry.metadata.batchWrite(rest)
  const outcome = await jobs.registry.metadata.transact([...also, ...first])
  if (!outcome.ok) return undefined
  await dispatchTasks(jobs.dispatch, prepared.tasks)
  return prepared.execution
}

async function prepareExecution(
  registry: Registry,
  spec: ExecutionSpec,
  specs: TaskSpec[],
): Promise<Prepared> {
  const nowMs = registry.clock.nowMs()
  const ended = specs.length === 0
  const execution: Execution = {
    number: await nextNumber(registry, 'execution'),
    vendor: spec.vendor,
    rule: spec.rule,
    trigger: spec.trigger,
    status: ended ? 'Success' : 'Running',
    message: '',
    extra: spec.extra ?? {},
    tasks: specs.length,
    success: 0,
    error: 0,
    stopped: 0,
    startedAtMs: nowMs,
    ...(ended ? { endedAtMs: nowMs } : {}),
    stopping: false,
  }
  const { number, vendor, rule } = execution
  const tasks = await makeTasks(registry, execution, specs)
  const listing = { attributes: { v: 1, execution: number } }
  return {
    execution,
    tasks,
    writes: [
      {
        kind: 'put',
        item: { ...keys.execution(number), attributes: { ...attributesOf(execution), gen: randomUUID() } },
      },
      { kind: 'put', item: { ...keys.executionOfVendor(vendor, number), ...listing } },
      { kind: 'put', item: { ...keys.executionOfRule(vendor, rule, number), ...listing } },
      ...tasks.flatMap(taskWrites),
    ],
  }
}

/** Further tasks of an execution that runs: called by one of its own tasks, so that it cannot have ended. */
export async function addTasks(jobs: Jobs, execution: Execution, specs: TaskSpec[]): Promise<void> {
  if (specs.length === 0) return
  const { registry } = jobs
  const tasks = await makeTasks(registry, execution, specs)
  // Counted before they are there: the execution must not end in between.
  await changeExecution(registry, execution.number, (now) => ({ ...now, tasks: now.tasks + specs.length }))
  await registry.metadata.batchWrite(tasks.flatMap(taskWrites))
  await dispatchTasks(jobs.dispatch, tasks)
}

async function makeTasks(registry: Registry, execution: Execution, specs: TaskSpec[]): Promise<Task[]> {
  if (specs.length === 0) return []
  const first = await nextNumber(registry, 'task', specs.length)
  const nowMs = registry.clock.nowMs()
  return specs.map((spec, index) => ({
    number: first + index,
    execution: execution.number,
    vendor: execution.vendor,
    status: 'Pending',
    message: '',
    payload: spec.payload,
    extra: spec.extra ?? {},
    state: {},
    target: spec.target ?? '',
    attempts: 0,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    dueAtMs: nowMs,
    epoch: '',
    leaseUntilMs: 0,
    ticket: randomUUID(),
  }))
}

function taskWrites(task: Task): Write[] {
  const { execution, number, vendor } = task
  return [
    {
      kind: 'put',
      item: { ...keys.task(execution, number), attributes: { ...attributesOf(task), gen: randomUUID() } },
    },
    { kind: 'put', item: { ...keys.openTask(vendor, number), attributes: { v: 1, execution } } },
  ]
}

export async function readExecution(registry: Registry, execution: number): Promise<Execution | undefined> {
  const item = await registry.metadata.get(keys.execution(execution))
  return item && executionOf(item)
}

export async function readTask(
  registry: Registry,
  execution: number,
  task: number,
): Promise<Task | undefined> {
  const item = await registry.metadata.get(keys.task(execution, task))
  return item && taskOf(item)
}

/** In the order they were made. */
export async function* tasksOf(registry: Registry, execution: number): AsyncGenerator<Task> {
  const range = { pk: partitions.execution(execution), prefix: 'T#' }
  for await (const page of pagesOf(registry.metadata, range)) yield* page.map(taskOf)
}

/** Newest first, of one rule or of all of that kind. */
export async function* executionsOf(
  registry: Registry,
  vendor: Vendor,
  rule?: number,
): AsyncGenerator<Execution> {
  const pk =
    rule === undefined ? partitions.executionsOfVendor(vendor) : partitions.executionsOfRule(vendor, rule)
  for await (const page of pagesBackwards(registry.metadata, { pk })) {
    const items = await registry.metadata.batchGet(page.map(({ sk }) => keys.execution(Number(sk))))
    yield* items.filter((item): item is Item => item !== undefined).map(executionOf)
  }
}

/** What of it waits ends at once, what runs is told to with its next heartbeat. @returns false when it had ended */
export async function stopExecution(jobs: Jobs, execution: number): Promise<boolean> {
  const now = await changeExecution(jobs.registry, execution, (each) =>
    ENDED.includes(each.status) ? undefined : { ...each, stopping: true },
  )
  if (!now) return false
  for await (const task of tasksOf(jobs.registry, execution))
    if (task.status === 'Pending')
      await endTask(jobs, task, { status: 'Stopped', message: 'stopped before it began' })
  return true
}

/** Nothing is left of one that has ended but its log, which expires. */
export async function forgetExecution(registry: Registry, execution: Execution): Promise<void> {
  const { number, vendor, rule } = execution
  for await (const page of pagesOf(registry.metadata, { pk: partitions.execution(number), prefix: 'T#' }))
    await registry.metadata.batchWrite(page.map(({ pk, sk }): Write => ({ kind: 'delete', key: { pk, sk } })))
  await registry.metadata.batchWrite([
    { kind: 'delete', key: keys.executionOfVendor(vendor, number) },
    { kind: 'delete', key: keys.executionOfRule(vendor, rule, number) },
    { kind: 'delete', key: keys.execution(number) },
  ])
}
