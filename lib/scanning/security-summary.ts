// How secure everything is: sums that are kept, and the worst of what there is.
import { partitions } from '../registry/keys.ts'
import type { Registry } from '../registry/registry.ts'
import { readTotals } from '../registry/totals.ts'
import { type Occurrence, occurrencesIn } from './occurrence.ts'
import type { Summary } from './report.ts'
import { summaryIn } from './scan-totals.ts'
import { SEVERITIES, type Severity } from './severity.ts'
import { dangerOf } from './vulnerability-rows.ts'

/** As many as Harbor names. */
const WORST = 5
/** Rows of each vulnerability. */
const LOOKED_AT = 100

export interface SecuritySummary {
  counts: Record<Severity, number>
  fixable: number
  total: number
  /** Artifacts with a report. */
  scanned: number
  artifacts: number
}

export interface DangerousArtifact {
  repository: string
  projectId: string
  digest: string
  summary: Summary
}

/** One read, however much there is. */
export async function securitySummary(registry: Registry): Promise<SecuritySummary> {
  const sum = await readTotals(registry)
  const counts = Object.fromEntries(SEVERITIES.map((each) => [each, sum(each)])) as Record<Severity, number>
  return {
    counts,
    fixable: sum('fixable'),
    total: Object.values(counts).reduce((all, each) => all + each, 0),
    scanned: sum('scanned'),
    artifacts: sum('artifacts'),
  }
}

/** The five with the most critical vulnerabilities, of as many those with the most that are high, and so on. */
export async function dangerousArtifacts(registry: Registry): Promise<DangerousArtifact[]> {
  const listed = await registry.metadata.query({ pk: partitions.dangerous, limit: WORST, reverse: true })
  return listed.map((item) => ({
    repository: item.attributes.repository as string,
    projectId: item.attributes.project as string,
    digest: item.sk.split('#')[2]!,
    summary: summaryIn(item),
  }))
}

/** The five with the highest scores, each once for a version of a package; of each the first hundred artifacts are looked at. */
export async function dangerousVulnerabilities(registry: Registry): Promise<Occurrence[]> {
  const worst = new Map<string, Occurrence>()
  // Some may have gone everywhere just now.
  const listed = await registry.metadata.query({
    pk: partitions.vulnerabilities,
    limit: 4 * WORST,
    reverse: true,
  })
  for (let at = 0; at < listed.length && worst.size < WORST; at += WORST) {
    const some = listed.slice(at, at + WORST).filter(({ sk }) => !sk.startsWith('000'))
    const found = await Promise.all(some.map(({ sk }) => firstOf(registry, sk)))
    for (const each of found.flat()) {
      const name = `${each.cve}|${each.name}|${each.version}`
      if (worst.size < WORST && !worst.has(name)) worst.set(name, each)
    }
  }
  return [...worst.values()]
}

async function firstOf(registry: Registry, listing: string): Promise<Occurrence[]> {
  const [danger, cve] = [listing.slice(0, listing.indexOf('#')), listing.slice(listing.indexOf('#') + 1)]
  const rows = await registry.metadata.query({ pk: partitions.vulnerable(cve), limit: LOOKED_AT })
  return rows.flatMap(occurrencesIn).filter((each) => dangerOf(each.score, each.severity) === danger)
}
