// A scan as a job: the scanner pulls the image with a token for it alone, and what it finds is kept.
import { type JobContext, JobFailed, type JobKind } from '../jobs/kinds.ts'
import { RegistryError } from '../oci/errors.ts'
import { findManifest } from '../registry/manifests.ts'
import type { Registry } from '../registry/registry.ts'
import type { RegisteredScanner } from './adapter.ts'
import { noteTask, type ScanPayload } from './begin.ts'
import type { Describer } from './describer.ts'
import type { Registration } from './registration.ts'
import { saveReport } from './reports.ts'
import { readScan, type Scan } from './scan.ts'
import { type Scanner, ScannerError } from './scanner.ts'
import { requireEnabled, scannerOfRepository } from './scanner-choice.ts'
import { noteScannerState, stateIn } from './scanners.ts'

export interface Scanning {
  /** The built-in one; absent where there is none. */
  scanner?: Scanner
  /** One that administrators registered. @throws UNAVAILABLE when its credential cannot be opened */
  registered(registration: Registration): RegisteredScanner
  /** Says what images are made of; absent where the built-in scanner does not. */
  describer?: Describer
  /** Of this registry, as it listens: for the built-in scanner, and for those that are told so. */
  origin(): string
  /** The same as everybody else reaches it. */
  externalOrigin(): string
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
  try {
    const { scanner, origin, own } = await scannerFor(scanning, registry, repository)
    const { mediaType } = (await findManifest(registry, repository, { kind: 'digest', digest })).record
    const token = await scanning.token(repository)
    const report = await scanner.scan({ origin, repository, digest, mediaType, token }, { signal, log })
    if (own) await noteScannerState(registry, stateIn(report))
    const kept = await saveReport(registry, payload, scan, report, startedAtMs)
    if (!kept) return log('another scan of it has begun: what this one found is dropped')
    log(
      `${report.vulnerabilities.length} vulnerabilities, the worst ${report.severity}; ${report.findings.length} other findings`,
    )
    show({ vulnerabilities: report.vulnerabilities.length, severity: report.severity })
  } catch (error) {
    const final =
      error instanceof ScannerError ? error.final : error instanceof RegistryError && error.status < 500
    if (final) throw new JobFailed((error as Error).message)
    throw error
  }
}

/** As the project has it at this moment. @throws JobFailed where there is none to ask */
async function scannerFor(
  scanning: Scanning,
  registry: Registry,
  repository: string,
): Promise<{ scanner: Scanner; origin: string; own: boolean }> {
  const chosen = await scannerOfRepository(registry, repository)
  requireEnabled(chosen)
  const { registration } = chosen
  if (registration) {
    const origin = addressFor(scanning, registration)
    return { scanner: scanning.registered(registration), origin, own: false }
  }
  if (!scanning.scanner) throw new JobFailed('no scanner is configured')
  return { scanner: scanning.scanner, origin: scanning.origin(), own: true }
}

/** Of this registry, for that scanner. */
export function addressFor(
  scanning: Pick<Scanning, 'origin' | 'externalOrigin'>,
  { useInternalAddr }: Registration,
): string {
  return useInternalAddr ? scanning.origin() : scanning.externalOrigin()
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
