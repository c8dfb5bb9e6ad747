// Severities by Harbor's names, and how vulnerabilities are counted by them.

/** Worst first. */
export const SEVERITIES = ['Critical', 'High', 'Medium', 'Low', 'Negligible', 'Unknown', 'None'] as const

export type Severity = (typeof SEVERITIES)[number]

/** @param name in upper or lower case; what is not known is `Unknown` */
export function severityNamed(name: string): Severity {
  const lower = name.toLowerCase()
  return SEVERITIES.find((each) => each.toLowerCase() === lower) ?? 'Unknown'
}

/** Higher is worse; as in Harbor, what is unknown is below what is negligible. */
export function severityRank(severity: Severity): number {
  return SEVERITIES.length - 1 - SEVERITIES.indexOf(severity)
}

export function worst(severities: Iterable<Severity>): Severity {
  let found: Severity = 'None'
  for (const each of severities) if (severityRank(each) > severityRank(found)) found = each
  return found
}
