// Scans are begun: one at a time for each manifest.
import { randomUUID } from 'node:crypto'
import type { Trigger } from '../jobs/execution.ts'
import { type Jobs, startExecution, tasksOf } from '../jobs/executions.ts'
import type { TaskSpec } from '../jobs/kinds.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import type { Attributes } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import type { Repository } from '../registry/repositories.ts'
import { type Attempt, isOver, readAttempt, type ScanType, scanItem, stateOfScan, unchanged } from './scan.ts'
import type { Scannable } from './scannable.ts'
import { type ChosenScanner, requireEnabled, scannerOfRepository } from './scanner-choice.ts'

/** What a task of a scan is told. */
export interface ScanPayload {
  repository: string
  repo: string
  projectId: string
  digest: Digest
  attempt: string
  tags: string[]
}

export interface Wish {
  trigger: Trigger
  operator: string
  type: ScanType
}

const VENDORS = { vulnerability: 'IMAGE_SCAN', sbom: 'SBOM' } as const

/**
 * @returns the execution's number; undefined while all of it is being scanned already
 * @throws REQUEST_INVALID for what no scanner looks into
 */
export async function beginScan(
  jobs: Jobs,
  wanted: Scannable,
  { trigger, operator, type }: Wish,
): Promise<number | undefined> {
  const { repository, digest, mediaType, images } = wanted
  const scanner = await scannerOfRepository(jobs.registry, repository.name)
  requireEnabled(scanner)
  if (images.length === 0)
    throw new RegistryError(
      'REQUEST_INVALID',
      `the configured scanner ${scanner.name} does not support scanning artifact with mime type ${mediaType}`,
    )
  const noted = await Promise.all(
    images.map((image) => noteScan(jobs.registry, repository, image, scanner, { type })),
  )
  const fresh = noted.filter((each) => each !== undefined)
  if (fresh.length === 0) return undefined
  const tasks = fresh.map(({ image, scan }) =>
    scanTask(repository, image, scan, image === digest ? wanted.tags : []),
  )
  const extra = { artifact: { repository_name: repository.name, digest }, operator }
  const begun = await startExecution(jobs, { vendor: VENDORS[type], rule: 0, trigger, extra }, tasks)
  await noteTasks(jobs.registry, repository.id, begun!.number, fresh, type)
  return begun!.number
}

export interface NotedScan {
  image: Digest
  scan: Attempt
}

interface Noted {
  /** The one that will have a task for it, where that is known. */
  execution?: number
  task?: number
  type?: ScanType
}

/** @returns undefined while another scan of it goes on */
export async function noteScan(
  registry: Registry,
  { id }: Pick<Repository, 'id'>,
  image: Digest,
  scanner: ChosenScanner,
  { execution = 0, task = 0, type = 'vulnerability' }: Noted = {},
): Promise<NotedScan | undefined> {
  const before = await readAttempt(registry, id, image, type)
  if (before && !isOver(await stateOfScan(registry, before))) return undefined
  const scan: Attempt = {
    attempt: randomUUID(),
    execution,
    task,
    begunAtMs: registry.clock.nowMs(),
    ...(scanner.registration ? { scanner: scanner.name } : {}),
    done: false,
    ...(before?.found ? { found: before.found } : {}),
  }
  const outcome = await registry.metadata.transact([
    {
      kind: 'put',
      item: scanItem(id, image, scan, type),
      if: before ? unchanged(before) : { kind: 'absent' },
    },
  ])
  return outcome.ok ? { image, scan } : undefined
}

export function scanTask(
  { id, name, projectId }: Pick<Repository, 'id' | 'name' | 'projectId'>,
  digest: Digest,
  { attempt }: Attempt,
  tags: string[],
): TaskSpec {
  const payload: ScanPayload = { repository: name, repo: id, projectId, digest, attempt, tags }
  return {
    payload: payload as unknown as Attributes,
    extra: { artifact: `${name}@${digest}`, report: attempt },
  }
}

/** Each scan is told which task does it, so that its state can be seen before it is done. */
async function noteTasks(
  registry: Registry,
  repo: string,
  execution: number,
  noted: NotedScan[],
  type: ScanType,
): Promise<void> {
  const byAttempt = new Map(noted.map((each) => [each.scan.attempt, each]))
  for await (const task of tasksOf(registry, execution)) {
    const found = byAttempt.get((task.payload as unknown as ScanPayload).attempt)
    if (found) await noteTask(registry, repo, found, task, type)
  }
}

/** @returns undefined once another attempt has begun */
export async function noteTask(
  registry: Registry,
  repo: string,
  { image, scan }: NotedScan,
  task: { number: number; execution: number },
  type: ScanType,
): Promise<Attempt | undefined> {
  const now = { ...scan, execution: task.execution, task: task.number }
  const outcome = await registry.metadata.transact([
    { kind: 'put', item: scanItem(repo, image, now, type), if: unchanged(scan) },
  ])
  if (outcome.ok) return now
  // The job that does it was quicker.
  const there = await readAttempt(registry, repo, image, type)
  return there?.attempt === scan.attempt ? there : undefined
}
