// Which scanner there is, and what it said last of itself.
import { keys } from '../registry/keys.ts'
import type { Registry } from '../registry/registry.ts'
import type { Report } from './report.ts'
import type { ScannerState } from './scanner.ts'

/** Stable: Terraform and scripts keep it. */
export const TRIVY_ID = '5c3b1c0e-7b4c-4d38-9f3d-0c3f1d1b7a11'

export interface KnownScanner extends ScannerState {
  /** It has scanned something here. */
  known: boolean
}

const SILENT: KnownScanner = { name: 'Trivy', vendor: 'Aqua Security', version: 'unknown', known: false }

/** What it looks into, and what it writes. */
export const CONSUMES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]

export async function readScannerState(registry: Registry): Promise<KnownScanner> {
  const item = await registry.metadata.get(keys.scannerState)
  const state = item?.attributes.state as unknown as ScannerState | undefined
  return state ? { ...state, known: true } : SILENT
}

/** As its last report tells it. */
export function stateIn({ scanner, databaseAtMs }: Report & { databaseAtMs?: number }): ScannerState {
  return { ...scanner, ...(databaseAtMs === undefined ? {} : { databaseAtMs }) }
}

export async function noteScannerState(registry: Registry, state: ScannerState): Promise<void> {
  const attributes = { v: 1, state: { ...state } }
  await registry.metadata.batchWrite([{ kind: 'put', item: { ...keys.scannerState, attributes } }])
}
