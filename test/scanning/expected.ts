// What a report in Harbor's format has to say of what trivy found: as Harbor's adapter takes it over
// (goharbor/harbor-scanner-trivy pkg/scan/transformer.go).
import type { Finding } from './trivy.ts'

export const TITLES: Record<string, string> = {
  CRITICAL: 'Critical',
  HIGH: 'High',
  MEDIUM: 'Medium',
  LOW: 'Low',
  UNKNOWN: 'Unknown',
}

export const expected = (each: Finding, digest: string) => ({
  id: each.VulnerabilityID,
  package: each.PkgName,
  version: each.InstalledVersion,
  fix_version: each.FixedVersion ?? '',
  severity: TITLES[each.Severity],
  description: each.Description ?? '',
  links: each.PrimaryURL ? [each.PrimaryURL] : (each.References ?? []),
  artifact_digests: [digest],
})

export const byId = (a: { id: string; package: string }, b: { id: string; package: string }) =>
  `${a.id} ${a.package}` < `${b.id} ${b.package}` ? -1 : 1

/** How many there are of each severity. */
export function countsOf(found: Finding[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { Severity } of found) counts[TITLES[Severity]!] = (counts[TITLES[Severity]!] ?? 0) + 1
  return counts
}
