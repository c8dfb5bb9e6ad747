// An export as a job: report after report is read, and what is wanted of it written on, so that one report is in memory.
import { randomUUID } from 'node:crypto'
import { changeExecution } from '../jobs/ends.ts'
import { type JobContext, JobFailed, type JobKind } from '../jobs/kinds.ts'
import type { Digest } from '../oci/digest.ts'
import { candidateWrite } from '../registry/candidates.ts'
import { globOf } from '../registry/glob.ts'
import { keys, partitions } from '../registry/keys.ts'
import { objectKeys } from '../registry/object-keys.ts'
import { pagesOf } from '../registry/partitions.ts'
import type { Attributes } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import { csvLine } from './csv.ts'
import { artifactTest, type ExportCriteria } from './export-criteria.ts'
import type { Report } from './report.ts'
import { readReport } from './reports.ts'
import { readScan } from './scan.ts'

/** Then a collection may remove it. */
export const KEPT_MS = 86_400_000
const LIMIT_BYTES = 2 * 1024 ** 3
const CHUNK_CHARACTERS = 256 * 1024
const COLUMNS = [
  ...['Repository', 'Artifact Digest', 'CVE', 'Package', 'Current Version', 'Fixed in version', 'Severity'],
  ...['CWE Ids', 'Additional Data', 'Scanner'],
]

/** What is kept of an export that has found something. */
export interface ExportFile {
  object: string
  sizeBytes: number
  lines: number
}

export function vulnerabilityExport(): JobKind {
  return {
    attempts: 3,
    retryAfterSeconds: 10,
    timeoutSeconds: 3600,
    atOnce: 2,
    run: exportOne,
  }
}

async function exportOne({ registry, task, execution, signal, log, show }: JobContext): Promise<void> {
  const criteria = task.payload as unknown as ExportCriteria
  const counted = { lines: 0 }
  const chunks = chunksOf(registry, criteria, counted, signal)
  const first = await chunks.next()
  if (first.done) {
    log('nothing was found, or matched')
    return noteResult(registry, execution.number, { status_message: 'No vulnerabilities found or matched' })
  }
  const object = objectKeys.export(criteria.projectId, randomUUID())
  const sizeBytes = await registry.blobs.put(object, following(first.value, chunks))
  const nowMs = registry.clock.nowMs()
  const attributes = {
    v: 1,
    state: 'live',
    gen: registry.newId(),
    kind: 'export',
    execution: execution.number,
  }
  await registry.metadata.batchWrite([
    { kind: 'put', item: { ...keys.object(object), attributes } },
    candidateWrite(nowMs + KEPT_MS, { kind: 'object', object }),
  ])
  const file: ExportFile = { object, sizeBytes, lines: counted.lines }
  await noteResult(registry, execution.number, { file: { ...file } })
  log(`${counted.lines} vulnerabilities, ${sizeBytes} bytes`)
  show({ lines: counted.lines })
}

async function noteResult(registry: Registry, execution: number, more: Attributes): Promise<void> {
  await changeExecution(registry, execution, (now) => ({ ...now, extra: { ...now.extra, ...more } }))
}

async function* following(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first
  yield* rest
}

/** Nothing at all where no vulnerability matches. */
async function* chunksOf(
  registry: Registry,
  criteria: ExportCriteria,
  counted: { lines: number },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let text = ''
  let bytes = 0
  for await (const line of linesOf(registry, criteria, signal)) {
    if (counted.lines === 0) text = csvLine(COLUMNS)
    counted.lines += 1
    text += line
    if (text.length < CHUNK_CHARACTERS) continue
    const chunk = Buffer.from(text)
    text = ''
    bytes += chunk.length
    if (bytes > LIMIT_BYTES) throw new JobFailed(`there is more than ${LIMIT_BYTES} bytes of it: export less`)
    yield chunk
  }
  if (text !== '') yield Buffer.from(text)
}

async function* linesOf(
  registry: Registry,
  criteria: ExportCriteria,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const isExported = artifactTest(registry, criteria)
  const ofCve = globOf(criteria.cves)
  for await (const page of pagesOf(registry.metadata, { pk: partitions.scanned(criteria.projectId) }))
    for (const { sk, attributes } of page) {
      signal.throwIfAborted()
      const [repo, digest] = sk.split('#') as [string, Digest]
      const repository = attributes.repository as string
      if (!(await isExported(repository, repo, digest))) continue
      const found = (await readScan(registry, repo, digest))?.found
      const report = found && (await readReport(registry, found))
      if (report) yield* linesOfReport(report, repository, digest, ofCve)
    }
}

function* linesOfReport(
  { vulnerabilities, scanner }: Report,
  repository: string,
  digest: Digest,
  ofCve: (id: string) => boolean,
): Generator<string> {
  for (const each of vulnerabilities)
    if (ofCve(each.id))
      yield csvLine([
        ...[repository, digest, each.id, each.package, each.version, each.fix_version, each.severity],
        ...[(each.cwe_ids ?? []).join(','), JSON.stringify(each.vendor_attributes ?? {}), scanner.name],
      ])
}
