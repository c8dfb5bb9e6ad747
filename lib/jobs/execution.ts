// Executions and their tasks, as they are kept and as Harbor tells of them.
import type { Attributes, Item, Json } from '../registry/ports.ts'
import { number, text } from '../registry/registry.ts'

/** Kinds of jobs by the names Harbor's API has for them. */
export type Vendor =
  | 'GARBAGE_COLLECTION'
  | 'REPLICATION'
  | 'WEBHOOK'
  | 'SLACK'
  | 'REGISTRY_HEALTH'
  | 'PROXY_RETENTION'
  | 'IMPORT'
  | 'IMAGE_SCAN'
  | 'SCAN_ALL'
  | 'SCAN_DATA_EXPORT'
  | 'SBOM'
  | 'SBOM_READ'
  | 'REMATCH'

/** `light` ones take seconds and little memory (a function runs them), `heavy` ones the workers. */
export type Weight = 'light' | 'heavy'

export const WEIGHTS: Record<Vendor, Weight> = {
  GARBAGE_COLLECTION: 'heavy',
  REPLICATION: 'heavy',
  WEBHOOK: 'light',
  SLACK: 'light',
  REGISTRY_HEALTH: 'light',
  PROXY_RETENTION: 'heavy',
  IMPORT: 'heavy',
  IMAGE_SCAN: 'heavy',
  SCAN_ALL: 'heavy',
  SCAN_DATA_EXPORT: 'heavy',
  SBOM: 'heavy',
  SBOM_READ: 'light',
  REMATCH: 'heavy',
}

export type Trigger = 'MANUAL' | 'SCHEDULE' | 'EVENT'

/** `Pending` waits for a worker, or for its next attempt. */
export type Status = 'Pending' | 'Running' | 'Success' | 'Error' | 'Stopped'

export const ENDED: readonly Status[] = ['Success', 'Error', 'Stopped']

export interface Execution {
  number: number
  vendor: Vendor
  /** The rule it belongs to; 0 where there is none. */
  rule: number
  trigger: Trigger
  status: Status
  message: string
  extra: Attributes
  /** Tasks so far, and how those that ended did. */
  tasks: number
  success: number
  error: number
  stopped: number
  startedAtMs: number
  endedAtMs?: number
  /** Somebody stops it: no task of it begins any more. */
  stopping: boolean
}

export interface Task {
  number: number
  execution: number
  vendor: Vendor
  status: Status
  message: string
  /** What it is told to do. */
  payload: Attributes
  /** What is shown of it beside its status. */
  extra: Attributes
  /** What it kept for its next attempt. */
  state: Attributes
  /** Only so many tasks of one target run at once. */
  target: string
  attempts: number
  createdAtMs: number
  updatedAtMs: number
  startedAtMs?: number
  endedAtMs?: number
  /** Not before this. */
  dueAtMs: number
  /** Of the attempt that runs: a fresh value for each. */
  epoch: string
  /** Without a heartbeat until then its worker counts as dead. */
  leaseUntilMs: number
  /** The message that may run it: others are left-overs. */
  ticket: string
}

export function executionOf(item: Item): Execution {
  const { endedAtMs } = item.attributes
  return {
    number: number(item, 'number'),
    vendor: text(item, 'vendor') as Vendor,
    rule: number(item, 'rule'),
    trigger: text(item, 'trigger') as Trigger,
    status: text(item, 'status') as Status,
    message: text(item, 'message'),
    extra: record(item.attributes.extra),
    tasks: number(item, 'tasks'),
    success: number(item, 'success'),
    error: number(item, 'error'),
    stopped: number(item, 'stopped'),
    startedAtMs: number(item, 'startedAtMs'),
    ...(typeof endedAtMs === 'number' ? { endedAtMs } : {}),
    stopping: item.attributes.stopping === true,
  }
}

export function taskOf(item: Item): Task {
  const { startedAtMs, endedAtMs } = item.attributes
  return {
    number: number(item, 'number'),
    execution: number(item, 'execution'),
    vendor: text(item, 'vendor') as Vendor,
    status: text(item, 'status') as Status,
    message: text(item, 'message'),
    payload: record(item.attributes.payload),
    extra: record(item.attributes.extra),
    state: record(item.attributes.state),
    target: text(item, 'target'),
    attempts: number(item, 'attempts'),
    createdAtMs: number(item, 'createdAtMs'),
    updatedAtMs: number(item, 'updatedAtMs'),
    ...(typeof startedAtMs === 'number' ? { startedAtMs } : {}),
    ...(typeof endedAtMs === 'number' ? { endedAtMs } : {}),
    dueAtMs: number(item, 'dueAtMs'),
    epoch: text(item, 'epoch'),
    leaseUntilMs: number(item, 'leaseUntilMs'),
    ticket: text(item, 'ticket'),
  }
}

/** An execution or a task as attributes, with the schema's version. */
export function attributesOf(kept: Execution | Task): Attributes {
  return { v: 1, ...(kept as unknown as Attributes) }
}

/** Ids of jobs as Harbor's look: 24 hexadecimal digits. They name the execution and its task. */
export function jobId({ execution, number: task }: Pick<Task, 'execution' | 'number'>): string {
  return [execution, task].map((each) => each.toString(16).padStart(12, '0')).join('')
}

/** @returns undefined when it is no id of a job */
export function parseJobId(id: string): { execution: number; task: number } | undefined {
  if (!/^[0-9a-f]{24}$/.test(id)) return undefined
  return { execution: Number.parseInt(id.slice(0, 12), 16), task: Number.parseInt(id.slice(12), 16) }
}

function record(value: Json | undefined): Attributes {
  return (value ?? {}) as Attributes
}
