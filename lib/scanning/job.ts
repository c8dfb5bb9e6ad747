// A scan as a job: the scanner pulls the image with a token for it alone, and what it finds is kept.
import { type JobContext, JobFailed, type JobKind } from '../jobs/kinds.ts'
import type { Registry } from '../registry/registry.ts'
import { noteTask, type ScanPayload } from './begin.ts'
import type { Describer } from './describer.ts'
import { saveReport } from './reports.ts'
import { readScan, type Scan } from './scan.ts'
import { type Scanner, ScannerError } from './scanner.ts'
import { noteScannerState, stateIn } from './scanners.ts'

export interface Scanning {
  scanner: Scanner
  /** Says what images are made of; absent where the scanner does not. */
  describer?: Describer
  /** Of this registry, as the scanner reaches it. */
  origin(): string
  /** Lets pull one repository for half an hour. */
  token(repository: string): Promise<string>
  /** Of one scan at most. */
  timeoutSeconds: number
  /** Scans at once, over all processes. */
  atOnce: number
}

/** @param scanning undefined where nothing is to be scanned */
export function imageScan(scanning: Scanning | undefined): JobKind {
  return {
    attempts: 3,
    retryAfterSeconds: 20,
    timeoutSeconds: (scanning?.timeoutSeconds ?? 300) + 60,
    atOnce: scanning?.atOnce ?? 2,
    run: (context) => scanOne(scanning, context, context.task.payload as unknown as ScanPayload),
  }
}

/** @throws JobFailed where another attempt would not help */
export async function scanOne(
  scanning: Scanning | undefined,
  context: JobContext,
  payload: ScanPayload,
): Promise<void> {
  const { registry, log, show, signal } = context
  if (!scanning) throw new JobFailed('no scanner is configured')
  const scan = await scanOfTask(registry, context, payload)
  if (!scan) return log('another scan of it has begun: this one is left')
  const startedAtMs = registry.clock.nowMs()
  const { repository, digest } = payload
  const token = await scanning.token(repository)
  try {
    const report = await scanning.scanner.scan(
      { origin: scanning.origin(), repository, digest, token },
      { signal, log },
    )
    await noteScannerState(registry, stateIn(report))
    const kept = await saveReport(registry, payload, scan, report, startedAtMs)
    if (!kept) return log('another scan of it has begun: what this one found is dropped')
    log(
      `${report.vulnerabilities.length} vulnerabilities, the worst ${report.severity}; ${report.findings.length} other findings`,
    )
    show({ vulnerabilities: report.vulnerabilities.length, severity: report.severity })
  } catch (error) {
    if (error instanceof ScannerError && error.final) throw new JobFailed(error.message)
    throw error
  }
}

/** @returns undefined once another has begun, or the manifest is gone */
async function scanOfTask(
  registry: Registry,
  { task }: JobContext,
  { repo, digest, attempt }: ScanPayload,
): Promise<Scan | undefined> {
  const scan = await readScan(registry, repo, digest)
  if (scan?.attempt !== attempt) return undefined
  if (scan.task !== 0) return scan
  return (await noteTask(registry, repo, { image: digest, scan }, task, 'vulnerability')) as Scan | undefined
}
