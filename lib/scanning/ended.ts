// The end of a scan is an event of its project; written with the end of its task, so that it is told of once.
import type { Execution, Task } from '../jobs/execution.ts'
import { projectOf } from '../oci/reference.ts'
import { noticeWrite } from '../registry/outbox.ts'
import type { Attributes, Write } from '../registry/ports.ts'
import { findProject } from '../registry/projects.ts'
import type { Registry } from '../registry/registry.ts'
import type { ScanPayload } from './begin.ts'
import { REPORT_TYPE } from './report.ts'
import { type Attempt, readAttempt, readScan, type SbomScan } from './scan.ts'

const TYPES = { Success: 'scan.completed', Error: 'scan.failed', Stopped: 'scan.stopped' } as const

/** Only where a webhook policy of the project asks for it. */
export async function scanEnded(registry: Registry, execution: Execution, task: Task): Promise<Write[]> {
  const type = Object.hasOwn(TYPES, task.status) ? TYPES[task.status as keyof typeof TYPES] : undefined
  const payload = task.payload as unknown as Partial<ScanPayload>
  if (!['IMAGE_SCAN', 'SCAN_ALL', 'SBOM'].includes(task.vendor) || !type || payload.digest === undefined)
    return []
  const { repository, repo, projectId, digest, tags, attempt } = payload as ScanPayload
  const project = await findProject(registry, projectOf(repository))
  if (project?.id !== projectId || !project.notices?.includes(type)) return []
  const actor = { principal: String(execution.extra.operator ?? ''), requestId: `scan-${execution.number}` }
  const facts = {
    type,
    digest,
    tags,
    cause: 'scan',
    details:
      task.vendor === 'SBOM'
        ? {
            scan: { scan_type: 'sbom' },
            sbom_overview: sbomWebhook(await readAttempt(registry, repo, digest, 'sbom'), attempt, task),
          }
        : {
            scan: { scan_type: 'vulnerability' },
            scan_overview: { [REPORT_TYPE]: await scanWebhook(registry, payload as ScanPayload, task) },
          },
  }
  return [noticeWrite(registry, { id: repo, name: repository, projectId }, facts, actor)]
}

async function scanWebhook(
  registry: Registry,
  { repo, digest, attempt }: ScanPayload,
  task: Task,
): Promise<Attributes> {
  const scan = await readScan(registry, repo, digest)
  return scan?.attempt === attempt ? overviewWebhook(scan.found, task) : { status: task.status }
}

function sbomWebhook(scan: Attempt | undefined, attempt: string, task: Task): Attributes {
  const found = scan?.attempt === attempt && scan.done ? (scan as SbomScan).found : undefined
  return {
    ...overviewWebhook(undefined, task),
    ...(found ? { sbom_digest: found.digest, scanner: { ...found.scanner } } : {}),
  }
}

type ScanFound = NonNullable<Awaited<ReturnType<typeof readScan>>>['found']

function overviewWebhook(found: ScanFound, { status, startedAtMs, endedAtMs }: Task): Attributes {
  const [start, end] = [startedAtMs ?? 0, endedAtMs ?? startedAtMs ?? 0]
  return {
    scan_status: status,
    start_time: new Date(start).toISOString(),
    end_time: new Date(end).toISOString(),
    duration: Math.round((end - start) / 1000),
    ...(found && status === 'Success'
      ? {
          severity: found.summary.severity,
          scanner: { ...found.scanner },
          summary: {
            total: found.summary.total,
            fixable: found.summary.fixable,
            summary: { ...found.summary.counts } as Attributes,
          },
        }
      : {}),
  }
}
