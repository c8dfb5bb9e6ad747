// Who runs a task: one attempt at a time takes it with a lease, and with it a place within each limit.
import { randomUUID } from 'node:crypto'
import { keys } from '../registry/keys.ts'
import type { Key } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import { changeTask, replaced } from './ends.ts'
import { ENDED, type Execution, executionOf, type Task, taskOf } from './execution.ts'
import type { Jobs } from './executions.ts'
import { type JobKinds, kindOf } from './kinds.ts'
import type { TaskMessage } from './messages.ts'
import { keepPlace, leavePlace, limitsOf, placesOf, takePlace } from './places.ts'

/** A worker without a heartbeat for so long counts as dead. */
export const LEASE_MS = 30_000
const PAUSED_SECONDS = 30
const LOSSES = 10

export interface Claimed {
  task: Task
  execution: Execution
  places: Key[]
}

export type Claim =
  | { kind: 'claimed'; claimed: Claimed }
  /** Nothing to do: it ended, or another message runs it. */
  | { kind: 'over' }
  /** It was stopped before it began. */
  | { kind: 'stopped'; task: Task }
  /** Its last attempt died. */
  | { kind: 'exhausted'; task: Task }
  | { kind: 'later'; seconds: number }

export async function claim(
  registry: Registry,
  kinds: JobKinds,
  message: TaskMessage,
  leaseMs = LEASE_MS,
  began: Jobs['began'] = undefined,
): Promise<Claim> {
  for (let loss = 0; loss < LOSSES; loss++) {
    const found = await claimOnce(registry, kinds, message, leaseMs, began)
    if (found) return found
  }
  return { kind: 'later', seconds: 1 }
}

/** @returns undefined when another was faster */
async function claimOnce(
  registry: Registry,
  kinds: JobKinds,
  message: TaskMessage,
  leaseMs: number,
  began: Jobs['began'],
): Promise<Claim | undefined> {
  const [taskItem, executionItem] = await registry.metadata.batchGet([
    keys.task(message.execution, message.task),
    keys.execution(message.execution),
  ])
  if (!taskItem || !executionItem) return { kind: 'over' }
  const [task, execution] = [taskOf(taskItem), executionOf(executionItem)]
  const nowMs = registry.clock.nowMs()
  if (ENDED.includes(task.status) || task.ticket !== message.ticket) return { kind: 'over' }
  // The same message twice, or its worker is dead and that cannot be known yet.
  if (task.status === 'Running' && task.leaseUntilMs > nowMs) return later(task.leaseUntilMs - nowMs)
  if (execution.stopping) return { kind: 'stopped', task }
  if (task.dueAtMs > nowMs) return later(task.dueAtMs - nowMs)
  const kind = kindOf(kinds, task.vendor)
  if (task.attempts >= kind.attempts) return { kind: 'exhausted', task }

  const limits = limitsOf(kind, task)
  const [paused, ...held] = await registry.metadata.batchGet([
    keys.pausedVendor(task.vendor),
    ...limits.flatMap(placesOf),
  ])
  if (paused) return { kind: 'later', seconds: PAUSED_SECONDS }
  const epoch = randomUUID()
  const leaseUntilMs = nowMs + leaseMs
  let read = 0
  const places = limits.map((limit) => {
    const items = held.slice(read, read + limit.places)
    read += limit.places
    return takePlace(registry, limit, items, epoch, leaseUntilMs)
  })
  const taken = places.filter((place) => place !== undefined)
  if (taken.length < places.length) return { kind: 'later', seconds: 1 + Math.floor(Math.random() * 3) }
  const claimed: Task = {
    ...task,
    status: 'Running',
    attempts: task.attempts + 1,
    epoch,
    leaseUntilMs,
    updatedAtMs: nowMs,
    startedAtMs: task.startedAtMs ?? nowMs,
  }
  const told = began && claimed.attempts === 1 ? await began(registry, execution, claimed) : []
  const outcome = await registry.metadata.transact([replaced(taskItem, claimed), ...taken, ...told])
  if (!outcome.ok) return undefined
  if (told.length > 0) registry.onEvent()
  return {
    kind: 'claimed',
    claimed: {
      task: claimed,
      execution,
      places: taken.map((place) => {
        const { pk, sk } = (place as { item: Key }).item
        return { pk, sk }
      }),
    },
  }
}

export type Pulse = 'kept' | 'lost' | 'stopping'

/** Renews the lease. @param extra shown of the task from now on */
export async function beat(
  registry: Registry,
  { task, places }: Claimed,
  extra: Task['extra'],
  leaseMs = LEASE_MS,
): Promise<Pulse> {
  const nowMs = registry.clock.nowMs()
  const leaseUntilMs = nowMs + leaseMs
  const kept = await changeTask(registry, task, (now) => ({
    ...now,
    leaseUntilMs,
    updatedAtMs: nowMs,
    extra: { ...now.extra, ...extra },
  }))
  if (!kept) return 'lost'
  const [execution] = await Promise.all([
    registry.metadata.get(keys.execution(task.execution)),
    // A place that was lost is taken by another: a limit exceeded for a moment is no harm.
    ...places.map((place) => registry.metadata.transact([keepPlace(place, task.epoch, leaseUntilMs)])),
  ])
  return execution && executionOf(execution).stopping ? 'stopping' : 'kept'
}

export async function leave(registry: Registry, { task, places }: Claimed): Promise<void> {
  await Promise.all(places.map((place) => registry.metadata.transact([leavePlace(place, task.epoch)])))
}

function later(ms: number): Claim {
  return { kind: 'later', seconds: Math.min(900, Math.max(1, Math.ceil(ms / 1000))) }
}
