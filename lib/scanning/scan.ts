// The scan of a manifest: how its last one goes, and what the last that succeeded found.
import { ENDED, type Status } from '../jobs/execution.ts'
import { readExecution, readTask } from '../jobs/executions.ts'
import type { Digest } from '../oci/digest.ts'
import { keys } from '../registry/keys.ts'
import type { Attributes, Condition, Item, Key } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import type { ScannerName, Summary } from './report.ts'

/** What is looked for, by Harbor's names: vulnerabilities, or what the image is made of. */
export type ScanType = 'vulnerability' | 'sbom'

interface Times {
  startedAtMs: number
  endedAtMs: number
}

export interface Attempt<Result extends Times = Times> {
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
  found?: Result
}

export type Scan = Attempt<Found>

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
  /** As the scanner says it; absent where it says nothing. */
  status?: string
  /** CVSS 3; absent where it has none. */
  score?: number
}

/** A bill of materials that was made and attached. */
export interface FoundSbom extends Times {
  scanner: ScannerName
  /** Of the artifact that holds it. */
  digest: Digest
  packages: number
}

/** How the last attempt to make a bill of materials goes, and what the last that succeeded made. */
export type SbomScan = Attempt<FoundSbom>

/** A scan, and how its job stands. */
export interface ScanState<Result extends Times = Times> {
  scan: Attempt<Result>
  status: Status
  startedAtMs: number
  endedAtMs?: number
}

/** So long a job may take to appear after its scan was noted. */
const BEGINS_WITHIN_MS = 60_000

const KEYS: Record<ScanType, (repo: string, digest: Digest) => Key> = {
  vulnerability: keys.scan,
  sbom: keys.sbom,
}

export function scanKey(repo: string, digest: Digest, type: ScanType): Key {
  return KEYS[type](repo, digest)
}

export function scanOf(item: Item | undefined): Scan | undefined {
  return item && (item.attributes.scan as unknown as Scan)
}

export function scanItem(
  repo: string,
  digest: Digest,
  scan: Attempt,
  type: ScanType = 'vulnerability',
): Item {
  const { attempt, task } = scan
  const attributes = { v: 1, attempt, task, scan: scan as unknown as Attributes }
  return { ...scanKey(repo, digest, type), attributes }
}

/** That no other attempt has begun, nor a job for this one. */
export function unchanged({ attempt, task }: Attempt): Condition {
  return { kind: 'equals', attributes: { attempt, task } }
}

/** One read. @returns undefined where none was ever begun */
export async function readScan(registry: Registry, repo: string, digest: Digest): Promise<Scan | undefined> {
  return scanOf(await registry.metadata.get(keys.scan(repo, digest)))
}

/** The same of either type. */
export async function readAttempt(
  registry: Registry,
  repo: string,
  digest: Digest,
  type: ScanType,
): Promise<Attempt | undefined> {
  const item = await registry.metadata.get(scanKey(repo, digest, type))
  return item && (item.attributes.scan as unknown as Attempt)
}

/** One read more unless it is done. */
export async function stateOfScan<Result extends Times>(
  registry: Registry,
  scan: Attempt<Result>,
): Promise<ScanState<Result>> {
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
async function statusBefore(registry: Registry, { execution, task, begunAtMs }: Attempt): Promise<Status> {
  // So old that its job is forgotten.
  if (task !== 0) return 'Error'
  if (execution !== 0) {
    const found = await readExecution(registry, execution)
    return found && found.endedAtMs === undefined ? 'Pending' : 'Error'
  }
  // After that the process that began it has died before its job was there.
  return registry.clock.nowMs() - begunAtMs < BEGINS_WITHIN_MS ? 'Pending' : 'Error'
}

export function isOver({ status }: Pick<ScanState, 'status'>): boolean {
  return ENDED.includes(status)
}
