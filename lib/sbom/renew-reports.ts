// Reports of images whose packages have other vulnerabilities than they had by an older database.
import type { JobContext } from '../jobs/kinds.ts'
import type { Digest } from '../oci/digest.ts'
import { keys } from '../registry/keys.ts'
import type { Item } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import { noteScan } from '../scanning/begin.ts'
import type { Matched } from '../scanning/describer.ts'
import { type Finding, type Vulnerability, worstFirst } from '../scanning/report.ts'
import { readReport, saveReport, shortIn } from '../scanning/reports.ts'
import { type Scan, scanOf } from '../scanning/scan.ts'
import type { ScannerState } from '../scanning/scanner.ts'
import { type ChosenScanner, scannerOfRepository } from '../scanning/scanner-choice.ts'
import { TRIVY_ID } from '../scanning/scanners.ts'
import { worst } from '../scanning/severity.ts'

/** An image, and its packages by their numbers. */
export interface Rematched {
  projectId: string
  repo: string
  repository: string
  image: Digest
  packages: Uint32Array
}

/** Images looked at with one call: two items each. */
const AT_ONCE = 50
const SAVED_AT_ONCE = 8
const BUILT_IN: ChosenScanner = { id: TRIVY_ID, name: 'Trivy', disabled: false }

/** @param found vulnerabilities by the numbers of packages */
export async function renewReports(
  context: JobContext,
  images: readonly Rematched[],
  found: ReadonlyMap<number, Matched['vulnerability'][]>,
  state: ScannerState,
): Promise<{ renewed: number; left: number }> {
  const { registry, signal } = context
  const scannerOf = chosenOnce(registry)
  const counts = { renewed: 0, left: 0 }
  for (let at = 0; at < images.length; at += AT_ONCE) {
    signal.throwIfAborted()
    const some = images.slice(at, at + AT_ONCE)
    const items = await registry.metadata.batchGet(
      some.flatMap(({ repo, image }) => [keys.scan(repo, image), keys.shortReport(repo, image)]),
    )
    const changed: [Rematched, Vulnerability[], Scan | undefined][] = []
    for (const [index, each] of some.entries()) {
      const scan = scanOf(items[2 * index])
      if (isNewer(scan, state)) continue
      const now = vulnerabilitiesOf(each, found)
      if (scan?.found && (await isSame(items[2 * index + 1], now, scan))) continue
      // What another scanner reports is its own.
      if ((await scannerOf(each.repository)).id === TRIVY_ID) changed.push([each, now, scan])
      else counts.left += 1
    }
    for (let next = 0; next < changed.length; next += SAVED_AT_ONCE)
      for (const saved of await Promise.all(
        changed.slice(next, next + SAVED_AT_ONCE).map((each) => renew(context, state, ...each)),
      ))
        counts[saved ? 'renewed' : 'left'] += 1
  }
  return counts
}

/** Its last scan knew as much. */
function isNewer(scan: Scan | undefined, { databaseAtMs = 0 }: ScannerState): boolean {
  return (scan?.found?.databaseAtMs ?? -1) >= databaseAtMs
}

function vulnerabilitiesOf(
  { image, packages }: Rematched,
  found: ReadonlyMap<number, Matched['vulnerability'][]>,
): Vulnerability[] {
  const all: Vulnerability[] = []
  for (const number of packages)
    for (const each of found.get(number) ?? []) all.push({ ...each, artifact_digests: [image] })
  return worstFirst(all)
}

async function isSame(item: Item | undefined, now: Vulnerability[], { found }: Scan): Promise<boolean> {
  if (found!.summary.total !== now.length) return false
  // What did not fit is not compared: it is as many as before.
  const before = await shortIn(item)
  const known = new Set(
    now.map((each) => [each.id, each.package, each.version, each.fix_version, each.severity].join(' ')),
  )
  return before.every((each) =>
    known.has([each.id, each.package, each.version, each.fix, each.severity].join(' ')),
  )
}

/** @returns false while it is scanned, or once it is gone */
async function renew(
  { registry, execution, task, log }: JobContext,
  { databaseAtMs, ...scanner }: ScannerState,
  { projectId, repo, repository, image }: Rematched,
  vulnerabilities: Vulnerability[],
  before: Scan | undefined,
): Promise<boolean> {
  if (!(await registry.metadata.get(keys.manifest(repo, image)))) return false
  const startedAtMs = registry.clock.nowMs()
  const by = { execution: execution.number, task: task.number }
  const noted = await noteScan(registry, { id: repo }, image, BUILT_IN, by)
  if (!noted) return false
  const payload = { repository, repo, projectId, digest: image, attempt: noted.scan.attempt, tags: [] }
  const report = {
    generated_at: new Date(startedAtMs).toISOString(),
    scanner,
    severity: worst(vulnerabilities.map(({ severity }) => severity)),
    vulnerabilities,
    findings: await findingsOf(registry, before),
    ...(databaseAtMs === undefined ? {} : { databaseAtMs }),
  }
  const saved = await saveReport(registry, payload, noted.scan as Scan, report, startedAtMs)
  if (saved)
    log(
      `${repository}@${image}: ${vulnerabilities.length} vulnerabilities, before ${before?.found?.summary.total ?? 'none known'}`,
    )
  return saved
}

/** Secrets and misconfigurations are in no list of packages: those of the last scan stay. */
async function findingsOf(registry: Registry, before: Scan | undefined): Promise<Finding[]> {
  if (!before?.found || before.found.findings === 0) return []
  return (await readReport(registry, before.found))?.findings ?? []
}

function chosenOnce(registry: Registry): (repository: string) => Promise<ChosenScanner> {
  const known = new Map<string, Promise<ChosenScanner>>()
  return (repository) => {
    const chosen = known.get(repository) ?? scannerOfRepository(registry, repository)
    known.set(repository, chosen)
    return chosen
  }
}
