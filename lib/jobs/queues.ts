// Queues as people see them: what of each kind waits, paused and stopped.
import { keys, partitions } from '../registry/keys.ts'
import { pagesOf } from '../registry/partitions.ts'
import type { Item } from '../registry/ports.ts'
import { number, type Registry } from '../registry/registry.ts'
import { endTask } from './ends.ts'
import { type Task, taskOf, type Vendor } from './execution.ts'
import type { Jobs } from './executions.ts'

export interface Waiting {
  vendor: Vendor
  count: number
  /** How long the oldest has waited. */
  oldestSeconds: number
  paused: boolean
}

export async function waitingIn(registry: Registry, vendor: Vendor): Promise<Waiting> {
  const paused = (await registry.metadata.get(keys.pausedVendor(vendor))) !== undefined
  let count = 0
  let oldestMs = Number.POSITIVE_INFINITY
  for await (const task of pendingTasks(registry, vendor)) {
    count += 1
    oldestMs = Math.min(oldestMs, task.createdAtMs)
  }
  const oldestSeconds = count === 0 ? 0 : Math.floor((registry.clock.nowMs() - oldestMs) / 1000)
  return { vendor, count, oldestSeconds, paused }
}

/** What runs goes on; what waits does until it is resumed. */
export async function pauseVendor(registry: Registry, vendor: Vendor, paused: boolean): Promise<void> {
  const key = keys.pausedVendor(vendor)
  await registry.metadata.batchWrite([
    paused ? { kind: 'put', item: { ...key, attributes: { v: 1 } } } : { kind: 'delete', key },
  ])
}

/** Everything that waits is stopped. */
export async function stopQueue(jobs: Jobs, vendor: Vendor): Promise<void> {
  for await (const task of pendingTasks(jobs.registry, vendor))
    await endTask(jobs, task, { status: 'Stopped', message: 'stopped with its queue' })
}

async function* pendingTasks(registry: Registry, vendor: Vendor): AsyncGenerator<Task> {
  for await (const page of pagesOf(registry.metadata, { pk: partitions.openTasks(vendor) })) {
    const items = await registry.metadata.batchGet(
      page.map((open) => keys.task(number(open, 'execution'), Number(open.sk))),
    )
    yield* items
      .filter((item): item is Item => item !== undefined)
      .map(taskOf)
      .filter(({ status }) => status === 'Pending')
  }
}
