// A scanner: a program or service that pulls an artifact from this registry and says what is wrong with it.
import type { Digest } from '../oci/digest.ts'
import type { Report, ScannerName } from './report.ts'

export interface ScanTarget {
  /** Of this registry, as the scanner reaches it: `https://registry.example.com`. */
  origin: string
  /** `library/app`. */
  repository: string
  digest: Digest
  /** A bearer token that lets pull this repository, and nothing else, for half an hour. */
  token: string
}

/** With the media type of its manifest. */
export interface ImageTarget extends ScanTarget {
  mediaType: string
}

export interface ScannerState extends ScannerName {
  /** When its vulnerability database was made; absent before it has one. */
  databaseAtMs?: number
}

export interface ScanContext {
  /** Aborted when the scan is stopped or takes too long. */
  signal: AbortSignal
  log(line: string): void
}

export interface Scanner {
  /** @throws ScannerError when it is not there */
  state(signal: AbortSignal): Promise<ScannerState>
  /** @throws ScannerError */
  scan(target: ImageTarget, context: ScanContext): Promise<Report & { databaseAtMs?: number }>
}

/** Why a scan failed, for whoever asked for it. */
export class ScannerError extends Error {
  /** Another attempt would fail the same way. */
  readonly final: boolean
  constructor(message: string, options: { final?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.final = options.final ?? false
  }
}
