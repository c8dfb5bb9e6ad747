// The scan of a manifest: how its last one goes, and what the last that succeeded found.
import { ENDED, type Status } from '../jobs/execution.ts'
import { readExecution, readTask } from '../jobs/executions.ts'
import type { Digest } from '../oci/digest.ts'
import { keys } from '../registry/keys.ts'
import type { Attributes, Condition, Item } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import type { ScannerName, Summary } from './report.ts'

export interface Scan {
  /** Fresh for each scan; Harbor's report id. */
  attempt: string
  /** Of the job that does it; 0 until it is known. */
  execution: number
  task: number
  begunAtMs: number
  /** The name that the scanner is registered by; absent of the built-in one. */
  scanner?: string
  /** Whether what was found is of this attempt. */
  done: boolean
  /** Of the last scan that succeeded: kept while the next one runs, and when it fails. */
  found?: Found
}

export interface Found {
  scanner: ScannerName
  /** When the scanner's database was made. */
  databaseAtMs?: number
  startedAtMs: number
  endedAtMs: number
  summary: Summary
  /** Secrets and misconfigurations. */
  findings: number
  /** Where the whole report is. */
  object: string
}

/** A vulnerability in short, as policies look at it. */
export interface ShortVulnerability {
  id: string
  package: string
  version: string
  fix: string
  severity: string
}

/** A scan, and how its job stands. */
export interface ScanState {
  scan: Scan
  status: Status
  startedAtMs: number
  endedAtMs?: number
}

/** So long a job may take to appear after its scan was noted. */
const BEGINS_WITHIN_MS = 60_000

export function scanOf(item: Item | undefined): Scan | undefined {
  return item && (item.attributes.scan as unknown as Scan)
}

export function scanItem(repo: string, digest: Digest, scan: Scan): Item {
  const { attempt, task } = scan
  const attributes = { v: 1, attempt, task, scan: scan as unknown as Attributes }
  return { ...keys.scan(repo, digest), attributes }
}

/** That no other attempt has begun, nor a job for this one. */
export function unchanged({ attempt, task }: Scan): Condition {
  return { kind: 'equals', attributes: { attempt, task } }
}

/** One read. @returns undefined where none was ever begun */
export async function readScan(registry: Registry, repo: string, digest: Digest): Promise<Scan | undefined> {
  return scanOf(await registry.metadata.get(keys.scan(repo, digest)))
}

/** One read more unless it is done. */
export async function stateOfScan(registry: Registry, scan: Scan): Promise<ScanState> {
  if (scan.done && scan.found) {
    const { startedAtMs, endedAtMs } = scan.found
    return { scan, status: 'Success', startedAtMs, endedAtMs }
  }
  const task = scan.task === 0 ? undefined : await readTask(registry, scan.execution, scan.task)
  const times = {
    startedAtMs: task?.startedAtMs ?? scan.begunAtMs,
    ...(task?.endedAtMs === undefined ? {} : { endedAtMs: task.endedAtMs }),
  }
  return { scan, status: task?.status ?? (await statusBefore(registry, scan)), ...times }
}

/** Of a scan that no task has taken up. */
async function statusBefore(registry: Registry, { execution, task, begunAtMs }: Scan): Promise<Status> {
  // So old that its job is forgotten.
  if (task !== 0) return 'Error'
  if (execution !== 0) {
    const found = await readExecution(registry, execution)
    return found && found.endedAtMs === undefined ? 'Pending' : 'Error'
  }
  // After that the process that began it has died before its job was there.
  return registry.clock.nowMs() - begunAtMs < BEGINS_WITHIN_MS ? 'Pending' : 'Error'
}

export function isOver({ status }: ScanState): boolean {
  return ENDED.includes(status)
}
