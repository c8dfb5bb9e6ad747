// What an artifact shows of its scans: its own, or those of an index's images together.
import type { Status } from '../jobs/execution.ts'
import type { Digest } from '../oci/digest.ts'
import type { Registry } from '../registry/registry.ts'
import { addSummaries, type Report, type ScannerName, type Summary } from './report.ts'
import { readReport } from './reports.ts'
import {
  type Attempt,
  isOver,
  type Scan,
  type ScanState,
  type ScanType,
  scanKey,
  scanOf,
  stateOfScan,
} from './scan.ts'
import { worst } from './severity.ts'

export interface Overview {
  /** Of all its scans, `+` between them. */
  report: string
  status: Status
  startedAtMs: number
  endedAtMs?: number
  /** Of 100. */
  completePercent: number
  summary?: Summary
  scanner: ScannerName
}

/** Until one has said its name. */
const SCANNER: ScannerName = { name: 'Trivy', vendor: 'Aqua Security', version: '' }
const READ_AT_ONCE = 100

/** One call for a hundred of them, and one more for each that is not done. */
export async function scansOf(
  registry: Registry,
  repo: string,
  digests: readonly Digest[],
): Promise<Map<Digest, Scan>> {
  return (await attemptsOf(registry, repo, digests, 'vulnerability')) as Map<Digest, Scan>
}

/** The same of either type. */
export async function attemptsOf(
  registry: Registry,
  repo: string,
  digests: readonly Digest[],
  type: ScanType,
): Promise<Map<Digest, Attempt>> {
  const found = new Map<Digest, Attempt>()
  for (let at = 0; at < digests.length; at += READ_AT_ONCE) {
    const some = digests.slice(at, at + READ_AT_ONCE)
    const items = await registry.metadata.batchGet(some.map((digest) => scanKey(repo, digest, type)))
    for (const [index, digest] of some.entries()) {
      const scan = scanOf(items[index])
      if (scan) found.set(digest, scan)
    }
  }
  return found
}

/** @returns undefined where nothing was scanned */
export async function overviewOf(registry: Registry, scans: readonly Scan[]): Promise<Overview | undefined> {
  if (scans.length === 0) return undefined
  const states = await Promise.all(scans.map((scan) => stateOfScan(registry, scan)))
  const ended = states.map(({ endedAtMs }) => endedAtMs).filter((at) => at !== undefined)
  const found = scans.map((scan) => scan.found).filter((each) => each !== undefined)
  const newest = found.toSorted((a, b) => b.endedAtMs - a.endedAtMs)[0]
  return {
    report: scans.map(({ attempt }) => attempt).join('+'),
    status: statusOf(states),
    startedAtMs: Math.min(...states.map(({ startedAtMs }) => startedAtMs)),
    ...(ended.length === states.length ? { endedAtMs: Math.max(...ended) } : {}),
    completePercent: Math.floor((100 * states.filter(isOver).length) / states.length),
    ...(newest ? { summary: addSummaries(found.map(({ summary }) => summary)) } : {}),
    scanner: newest?.scanner ?? unsaid(scans[0]!),
  }
}

function unsaid({ scanner }: Scan): ScannerName {
  return scanner === undefined ? SCANNER : { name: scanner, vendor: '', version: '' }
}

/** As in Harbor: what still goes on comes first, then what failed. */
export function statusOf(states: Pick<ScanState, 'status'>[]): Status {
  const order: Status[] = ['Running', 'Pending', 'Error', 'Stopped', 'Success']
  return order.find((status) => states.some((each) => each.status === status))!
}

/** The whole reports of what was found, as one. @returns undefined where nothing was */
export async function reportOf(registry: Registry, scans: readonly Scan[]): Promise<Report | undefined> {
  let all: Report | undefined
  for (const { found } of scans) {
    const report = found && (await readReport(registry, found))
    if (report) all = all ? merged(all, report) : report
  }
  return all
}

/** One entry for a vulnerability of several images, with all their digests. */
function merged(one: Report, other: Report): Report {
  const byKey = new Map(one.vulnerabilities.map((each) => [keyOf(each), each]))
  for (const each of other.vulnerabilities) {
    const same = byKey.get(keyOf(each))
    const artifact_digests = [...(same?.artifact_digests ?? []), ...each.artifact_digests]
    byKey.set(keyOf(each), { ...each, artifact_digests })
  }
  const newer = other.generated_at > one.generated_at ? other : one
  return {
    generated_at: newer.generated_at,
    scanner: newer.scanner,
    severity: worst([one.severity, other.severity]),
    vulnerabilities: [...byKey.values()],
    findings: [...one.findings, ...other.findings],
  }
}

function keyOf({ id, package: name, version }: Report['vulnerabilities'][number]): string {
  return `${id}|${name}|${version}`
}
