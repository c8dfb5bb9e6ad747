// The scan of a manifest: how its last one goes, and what the last that succeeded found.
import type { Digest } from '../oci/digest.ts'
import { keys } from '../registry/keys.ts'
import type { Attributes, Item } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import type { ScannerName, Summary } from './report.ts'

export type ScanStatus = 'Pending' | 'Running' | 'Success' | 'Error' | 'Stopped'

export interface Scan {
  status: ScanStatus
  /** Of the job that does it, or did it. */
  execution: number
  task: number
  startedAtMs: number
  endedAtMs?: number
  /** Why it failed. */
  message: string
  /** Of the last scan that succeeded: kept while the next one runs, and when it fails. */
  found?: Found
}

export interface Found {
  scanner: ScannerName
  /** When the scanner's database was made. */
  databaseAtMs?: number
  atMs: number
  summary: Summary
  /** Secrets and misconfigurations. */
  findings: number
  /** Where the whole report is. */
  object: string
  reportBytes: number
}

/** A vulnerability in short, as policies look at it: worst first in lists. */
export interface ShortVulnerability {
  id: string
  package: string
  version: string
  fix: string
  severity: string
}

export function scanOf(item: Item | undefined): Scan | undefined {
  return item && (item.attributes.scan as unknown as Scan)
}

export function scanItem(repo: string, digest: Digest, scan: Scan, attempt: string): Item {
  return {
    ...keys.scan(repo, digest),
    attributes: { v: 1, attempt, scan: scan as unknown as Attributes },
  }
}

/** One read. @returns undefined where none was ever begun */
export async function readScan(registry: Registry, repo: string, digest: Digest): Promise<Scan | undefined> {
  return scanOf(await registry.metadata.get(keys.scan(repo, digest)))
}
