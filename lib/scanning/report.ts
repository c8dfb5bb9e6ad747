// Reports in Harbor's native format (application/vnd.security.vulnerability.report; version=1.1), and their summaries.
import { type Severity, severityRank, worst } from './severity.ts'

export const REPORT_TYPE = 'application/vnd.security.vulnerability.report; version=1.1'
/** The older name of the same, for clients that ask for it alone. */
export const GENERIC_REPORT_TYPE = 'application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0'

export interface ScannerName {
  name: string
  vendor: string
  version: string
}

export interface Vulnerability {
  id: string
  package: string
  version: string
  /** Empty where no version fixes it. */
  fix_version: string
  severity: Severity
  description: string
  links: string[]
  artifact_digests: string[]
  preferred_cvss?: { score_v3?: number; score_v2?: number; vector_v3?: string; vector_v2?: string }
  cwe_ids?: string[]
  /** As the scanner says it: `fixed`, `will_not_fix`, … */
  status?: string
  vendor_attributes?: Record<string, unknown>
}

/** A secret or a misconfiguration: Harbor's report has no place for them. */
export interface Finding {
  kind: 'secret' | 'misconfiguration'
  id: string
  severity: Severity
  title: string
  /** The file, and its line where known. */
  target: string
  line?: number
}

export interface Report {
  /** ISO 8601. */
  generated_at: string
  scanner: ScannerName
  severity: Severity
  vulnerabilities: Vulnerability[]
  findings: Finding[]
}

export interface Summary {
  total: number
  fixable: number
  /** By severity; those that are zero are absent. */
  counts: Partial<Record<Severity, number>>
  severity: Severity
}

/** One entry for a vulnerability of a version of a package, as Harbor keeps them; worst first. */
export function worstFirst(found: Vulnerability[]): Vulnerability[] {
  const byKey = new Map(found.map((each) => [`${each.id}|${each.package}|${each.version}`, each]))
  return [...byKey.values()].sort(
    (a, b) => severityRank(b.severity) - severityRank(a.severity) || (a.id < b.id ? -1 : 1),
  )
}

export function summaryOf(vulnerabilities: readonly Vulnerability[]): Summary {
  const counts: Summary['counts'] = {}
  for (const { severity } of vulnerabilities) counts[severity] = (counts[severity] ?? 0) + 1
  return {
    total: vulnerabilities.length,
    fixable: vulnerabilities.filter(({ fix_version }) => fix_version !== '').length,
    counts,
    severity: worst(vulnerabilities.map(({ severity }) => severity)),
  }
}

/** Of an index: those of its images together. */
export function addSummaries(summaries: readonly Summary[]): Summary {
  const counts: Summary['counts'] = {}
  for (const summary of summaries)
    for (const [severity, count] of Object.entries(summary.counts))
      counts[severity as Severity] = (counts[severity as Severity] ?? 0) + count
  return {
    total: summaries.reduce((sum, { total }) => sum + total, 0),
    fixable: summaries.reduce((sum, { fixable }) => sum + fixable, 0),
    counts,
    severity: worst(summaries.map(({ severity }) => severity)),
  }
}
