// Tasks whose message was lost, or whose worker died after its message was gone: given a new message.
import { randomUUID } from 'node:crypto'
import { keys, partitions } from '../registry/keys.ts'
import { pagesOf } from '../registry/partitions.ts'
import type { Item } from '../registry/ports.ts'
import { number, type Registry } from '../registry/registry.ts'
import { changeTask } from './ends.ts'
import { ENDED, type Task, taskOf, type Vendor, WEIGHTS } from './execution.ts'
import type { Jobs } from './executions.ts'
import { dispatchTasks } from './messages.ts'

/** A message may wait its turn so long before another is sent for its task. */
const OVERDUE_MS = 300_000
const LEASE_OVER_MS = 60_000

/** @returns messages sent */
export async function recoverTasks(jobs: Jobs): Promise<number> {
  let sent = 0
  for (const vendor of Object.keys(WEIGHTS) as Vendor[])
    for await (const page of pagesOf(jobs.registry.metadata, { pk: partitions.openTasks(vendor) }))
      sent += await recoverPage(jobs, page)
  return sent
}

async function recoverPage(jobs: Jobs, page: Item[]): Promise<number> {
  const { registry } = jobs
  const tasks = await openTasksOf(registry, page)
  let sent = 0
  for (const task of tasks) {
    if (!isLost(registry, task)) continue
    const again = await changeTask(registry, task, (now) => ({
      ...now,
      ticket: randomUUID(),
      updatedAtMs: registry.clock.nowMs(),
    }))
    if (!again) continue
    await dispatchTasks(jobs.dispatch, [again])
    sent += 1
  }
  return sent
}

async function openTasksOf(registry: Registry, page: Item[]): Promise<Task[]> {
  const items = await registry.metadata.batchGet(
    page.map((open) => keys.task(number(open, 'execution'), Number(open.sk))),
  )
  return items
    .filter((item): item is Item => item !== undefined)
    .map(taskOf)
    .filter(({ status }) => !ENDED.includes(status))
}

function isLost(registry: Registry, task: Task): boolean {
  const nowMs = registry.clock.nowMs()
  if (task.status === 'Running') return task.leaseUntilMs + LEASE_OVER_MS < nowMs
  return Math.max(task.dueAtMs, task.updatedAtMs) + OVERDUE_MS < nowMs
}
