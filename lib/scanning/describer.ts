// What says what an image is made of, and which vulnerabilities are known of a list of packages. It pulls no image for that.
import type { ScannerName, Vulnerability } from './report.ts'
import type { ScanContext, ScannerState, ScanTarget } from './scanner.ts'

/** Of bills of materials, both as JSON. */
export type SbomFormat = 'spdx' | 'cyclonedx'

export interface Describer {
  /** @returns the bill of materials of one image, verbatim. @throws ScannerError */
  describe(
    target: ScanTarget,
    format: SbomFormat,
    context: ScanContext,
  ): Promise<{ document: Uint8Array; scanner: ScannerName }>
  /** Its database as new as it can be had. @throws ScannerError */
  refresh(context: ScanContext): Promise<ScannerState>
  /** @param bill CycloneDX JSON, each of whose components has a `bom-ref` of its own. @throws ScannerError */
  match(bill: string, context: ScanContext): Promise<Matched[]>
}

export interface Matched {
  /** The component's `bom-ref`. */
  ref: string
  vulnerability: Omit<Vulnerability, 'artifact_digests'>
}
