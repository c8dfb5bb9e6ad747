// Whole reports are objects of the blob store, compressed; what lists and searches need of them is metadata.
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Digest } from '../oci/digest.ts'
import { candidateWrite } from '../registry/candidates.ts'
import { keys } from '../registry/keys.ts'
import { objectKeys } from '../registry/object-keys.ts'
import type { Attributes, Item, Outcome, Write } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import { allBytes, inOnePiece } from '../registry/stored-bytes.ts'
import type { ScanPayload } from './begin.ts'
import { type Report, summaryOf, type Vulnerability } from './report.ts'
import { type Found, type Scan, type ShortVulnerability, scanItem, unchanged } from './scan.ts'
import { transactScanTotals } from './scan-totals.ts'
import { type FoundIn, forgetVulnerabilities, noteVulnerabilities } from './vulnerability-rows.ts'

const zip = promisify(gzip)
const unzip = promisify(gunzip)
/** Of an unpacked report. */
const LIMIT_BYTES = 512 * 1024 * 1024
/** What an item's bytes hold; the worst are kept, and it is said that there are more. */
const SHORT_BYTES = 60 * 1024
const SHORT_LIMIT = 5000
/** Others may change the listing of a scan meanwhile. */
const ATTEMPTS = 5

/**
 * What a scan found: its report is stored first, and shown in one transaction.
 * @returns false once another scan of the manifest has begun: then nothing is kept
 */
export async function saveReport(
  registry: Registry,
  payload: ScanPayload,
  scan: Scan,
  report: Report & { databaseAtMs?: number },
  startedAtMs: number,
): Promise<boolean> {
  const { repo, digest } = payload
  const { databaseAtMs, ...document } = report
  const object = objectKeys.report(repo, randomUUID())
  const packed = await zip(JSON.stringify(document))
  await registry.blobs.put(object, inOnePiece(packed))
  const found: Found = {
    scanner: report.scanner,
    ...(databaseAtMs === undefined ? {} : { databaseAtMs }),
    startedAtMs,
    endedAtMs: registry.clock.nowMs(),
    summary: summaryOf(report.vulnerabilities),
    findings: report.findings.length,
    object,
  }
  const before = await rowsBefore(registry, repo, digest)
  const short = await shortOf(report.vulnerabilities)
  const outcome = await showReport(registry, payload, { scan, found, short })
  const ids = new Set(short.kept.map(({ id }) => id))
  const listed = report.vulnerabilities.filter(({ id }) => ids.has(id))
  // Should this process die here, the task's next attempt scans again.
  if (outcome.ok) await noteVulnerabilities(registry, whereOf(payload), listed, before)
  else await registry.metadata.batchWrite([noLonger(registry, object)])
  return outcome.ok
}

async function showReport(
  registry: Registry,
  payload: ScanPayload,
  { scan, found, short }: { scan: Scan; found: Found; short: Short },
): Promise<Outcome> {
  const { repo, projectId, digest } = payload
  const writes: Write[] = [
    { kind: 'put', item: scanItem(repo, digest, { ...scan, done: true, found }), if: unchanged(scan) },
    { kind: 'put', item: shortItem(repo, digest, short) },
    { kind: 'put', if: { kind: 'absent' }, item: objectItem(registry, found.object, payload) },
    ...(scan.found ? [noLonger(registry, scan.found.object)] : []),
  ]
  for (let attempt = 1; ; attempt++) {
    const listed = await registry.metadata.get(keys.scanned(projectId, repo, digest))
    const after = { item: listing(payload, found), summary: found.summary }
    const outcome = await transactScanTotals(registry, payload, writes, listed, after)
    // Where the listing alone had changed it was forgotten just then.
    if (outcome.ok || outcome.failed.includes(0) || attempt === ATTEMPTS) return outcome
  }
}

/** @returns undefined when its object is gone */
export async function readReport(registry: Registry, { object }: Found): Promise<Report | undefined> {
  const body = await registry.blobs.open(object)
  if (!body) return undefined
  const plain = await unzip(await allBytes(body), { maxOutputLength: LIMIT_BYTES })
  return JSON.parse(plain.toString('utf8')) as Report
}

/** Nothing is left of a manifest's scans. */
export async function forgetScan(
  registry: Registry,
  { repo, projectId, digest }: Pick<ScanPayload, 'repo' | 'projectId' | 'digest'>,
  scan: Scan | undefined,
): Promise<void> {
  const ids = await rowsBefore(registry, repo, digest)
  await forgetVulnerabilities(registry, { repo, digest }, [...ids])
  await registry.metadata.batchWrite([{ kind: 'delete', key: keys.shortReport(repo, digest) }])
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const listed = await registry.metadata.get(keys.scanned(projectId, repo, digest))
    if (!listed) break
    if ((await transactScanTotals(registry, { repo, projectId, digest }, [], listed)).ok) break
  }
  await registry.metadata.batchWrite([
    ...(scan?.found ? [noLonger(registry, scan.found.object)] : []),
    { kind: 'delete', key: keys.scan(repo, digest) },
  ])
}

/** Collections leave it alone until it is a candidate: nothing links it. */
function objectItem(registry: Registry, object: string, { repo, digest }: ScanPayload): Item {
  const attributes = { v: 1, state: 'live', gen: registry.newId(), kind: 'report', repo, digest }
  return { ...keys.object(object), attributes }
}

/** The next collection frees it, and writes it into its ledger. */
function noLonger(registry: Registry, object: string): Write {
  return candidateWrite(registry.clock.nowMs(), { kind: 'object', object })
}

/** Worst first; the item says whether they are `truncated`. */
export async function shortIn(item: Item | undefined): Promise<ShortVulnerability[]> {
  if (!item?.bytes) return []
  return JSON.parse((await unzip(item.bytes)).toString('utf8')) as ShortVulnerability[]
}

interface Short {
  /** The worst ones; each of them has a row. */
  kept: ShortVulnerability[]
  bytes: Uint8Array
  truncated: boolean
}

async function shortOf(vulnerabilities: Vulnerability[]): Promise<Short> {
  const short = vulnerabilities.map(
    ({ id, package: name, version, fix_version, severity, status, preferred_cvss }): ShortVulnerability => ({
      id,
      package: name,
      version,
      fix: fix_version,
      severity,
      ...(status ? { status } : {}),
      ...(preferred_cvss?.score_v3 ? { score: preferred_cvss.score_v3 } : {}),
    }),
  )
  let kept = short.slice(0, SHORT_LIMIT)
  let bytes = await zip(JSON.stringify(kept))
  while (bytes.length > SHORT_BYTES) {
    kept = kept.slice(0, Math.floor((kept.length * 0.95 * SHORT_BYTES) / bytes.length))
    bytes = await zip(JSON.stringify(kept))
  }
  return { kept, bytes, truncated: kept.length < short.length }
}

function shortItem(repo: string, digest: Digest, { bytes, truncated }: Short): Item {
  return { ...keys.shortReport(repo, digest), attributes: { v: 1, truncated }, bytes }
}

function listing({ repo, repository, projectId, digest }: ScanPayload, { summary, endedAtMs }: Found): Item {
  const attributes: Attributes = {
    v: 1,
    repository,
    summary: summary as unknown as Attributes,
    atMs: endedAtMs,
  }
  return { ...keys.scanned(projectId, repo, digest), attributes }
}

/** Which vulnerabilities have a row of that manifest. */
async function rowsBefore(registry: Registry, repo: string, digest: Digest): Promise<Set<string>> {
  const short = await shortIn(await registry.metadata.get(keys.shortReport(repo, digest)))
  return new Set(short.map(({ id }) => id))
}

function whereOf({ repo, repository, projectId, digest }: ScanPayload): FoundIn {
  return { repo, repository, projectId, digest }
}
