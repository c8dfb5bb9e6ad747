// Exports of what scans found: begun, looked at, fetched once.
import type { Execution } from '../jobs/execution.ts'
import {
  executionsOf,
  forgetExecution,
  type Jobs,
  readExecution,
  startExecution,
} from '../jobs/executions.ts'
import { candidateWrite } from '../registry/candidates.ts'
import { keys } from '../registry/keys.ts'
import type { Attributes } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import { checkPatterns, type ExportCriteria } from './export-criteria.ts'
import { type ExportFile, KEPT_MS } from './export-job.ts'

const VENDOR = 'SCAN_DATA_EXPORT'
/** Of one person; the newest are shown. */
const SHOWN = 100

export interface Export {
  execution: Execution
  /** The project's number. */
  project: number
  user: string
  /** Until it was fetched, or for a day. */
  file?: ExportFile
}

/** @throws REQUEST_INVALID for patterns that cannot be meant */
export async function beginExport(
  jobs: Jobs,
  criteria: ExportCriteria,
  by: { user: string; userNumber: number; project: number; name: string },
): Promise<number> {
  checkPatterns(criteria)
  const extra = { project_ids: [by.project], job_name: by.name, user_name: by.user }
  const begun = await startExecution(
    jobs,
    { vendor: VENDOR, rule: by.userNumber, trigger: 'MANUAL', extra },
    [{ payload: criteria as unknown as Attributes }],
  )
  return begun!.number
}

/** @returns undefined where there is none of that number */
export async function readExport(registry: Registry, number: number): Promise<Export | undefined> {
  const execution = await readExecution(registry, number)
  if (execution?.vendor !== VENDOR) return undefined
  return (await withFiles(registry, [execution]))[0]
}

/** The newest first. */
export async function exportsOf(registry: Registry, userNumber: number): Promise<Export[]> {
  const executions: Execution[] = []
  for await (const each of executionsOf(registry, VENDOR, userNumber)) {
    executions.push(each)
    if (executions.length === SHOWN) break
  }
  return withFiles(registry, executions)
}

/** What was fetched whole is there no more. */
export async function removeExport(registry: Registry, { execution, file }: Export): Promise<void> {
  await forgetExecution(registry, execution)
  if (file)
    await registry.metadata.batchWrite([
      candidateWrite(registry.clock.nowMs(), { kind: 'object', object: file.object }),
    ])
}

async function withFiles(registry: Registry, executions: Execution[]): Promise<Export[]> {
  const files = executions.map(({ extra }) => extra.file as unknown as ExportFile | undefined)
  const items = await registry.metadata.batchGet(
    executions.flatMap((_, index) => (files[index] ? [keys.object(files[index].object)] : [])),
  )
  const there = new Set(items.flatMap((item) => (item?.attributes.state === 'live' ? [item.pk] : [])))
  const sinceMs = registry.clock.nowMs() - KEPT_MS
  return executions.map((execution, index) => {
    const { extra, endedAtMs } = execution
    const file = files[index]
    const isThere = file && there.has(keys.object(file.object).pk) && (endedAtMs ?? Infinity) > sinceMs
    return {
      execution,
      project: (extra.project_ids as number[])[0]!,
      user: String(extra.user_name),
      ...(isThere ? { file } : {}),
    }
  })
}
