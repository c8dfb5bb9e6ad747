// What an artifact shows of its bill of materials: its own, or those of an index's images together.
import type { Artifact } from '../artifacts/artifact.ts'
import type { Status } from '../jobs/execution.ts'
import type { Digest } from '../oci/digest.ts'
import type { Registry } from '../registry/registry.ts'
import { attemptsOf, statusOf } from '../scanning/overview.ts'
import type { ScannerName } from '../scanning/report.ts'
import { isOver, type SbomScan, stateOfScan } from '../scanning/scan.ts'

export interface SbomOverview {
  /** Of all, `+` between them. */
  report: string
  status: Status
  startedAtMs: number
  endedAtMs?: number
  /** Of the artifact that holds it; an index's images have their own. */
  digest?: Digest
  scanner?: ScannerName
}

/** One call for a hundred images of a repository. @param artifacts of any repositories */
export function sbomOverviews(
  registry: Registry,
  artifacts: readonly Artifact[],
): Promise<(SbomOverview | undefined)[]> {
  return Promise.all(
    artifacts.map(async ({ repository, digest, references }) => {
      const images = references.length > 0 ? references.map((each) => each.digest) : [digest]
      const scans = await attemptsOf(registry, repository.id, images, 'sbom')
      return overviewOf(registry, [...scans.values()] as SbomScan[], references.length > 0)
    }),
  )
}

async function overviewOf(
  registry: Registry,
  scans: readonly SbomScan[],
  ofIndex: boolean,
): Promise<SbomOverview | undefined> {
  if (scans.length === 0) return undefined
  const states = await Promise.all(scans.map((scan) => stateOfScan(registry, scan)))
  const found = scans.find((scan) => scan.found)?.found
  const endedAtMs = Math.max(...states.map((each) => each.endedAtMs ?? 0))
  return {
    report: scans.map(({ attempt }) => attempt).join('+'),
    status: statusOf(states),
    startedAtMs: Math.min(...states.map(({ startedAtMs }) => startedAtMs)),
    ...(states.every(isOver) && endedAtMs > 0 ? { endedAtMs } : {}),
    ...(found && !ofIndex ? { digest: found.digest } : {}),
    ...(found ? { scanner: found.scanner } : {}),
  }
}
