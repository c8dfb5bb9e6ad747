// What `trivy --format json` writes, as a report in Harbor's native format: the fields that Harbor's own adapter takes over
// (goharbor/harbor-scanner-trivy pkg/scan/transformer.go).
import * as z from 'zod/mini'
import type { Digest } from '../oci/digest.ts'
import type { Matched } from './describer.ts'
import { type Finding, type Report, type ScannerName, type Vulnerability, worstFirst } from './report.ts'
import { ScannerError } from './scanner.ts'
import { type Severity, severityNamed, worst } from './severity.ts'

const LINKS_LIMIT = 50
/** The shape this was written for. */
const SCHEMA_VERSION = 2

const text = z.catch(z.string(), '')
/** As trivy has it, and Harbor's adapter of trivy hands it on. */
export const cvss = z.object({
  V2Score: z.optional(z.number()),
  V3Score: z.optional(z.number()),
  V2Vector: z.optional(z.string()),
  V3Vector: z.optional(z.string()),
})
const vulnerability = z.object({
  VulnerabilityID: z.string(),
  PkgName: z.string(),
  PkgIdentifier: z.optional(z.object({ BOMRef: text })),
  InstalledVersion: text,
  FixedVersion: text,
  Status: text,
  Severity: text,
  Description: text,
  PrimaryURL: text,
  References: z.optional(z.array(z.string())),
  CweIDs: z.optional(z.array(z.string())),
  CVSS: z.optional(z.record(z.string(), cvss)),
})
const finding = {
  secret: z.object({ RuleID: text, Severity: text, Title: text, StartLine: z.optional(z.number()) }),
  misconfiguration: z.object({ ID: text, Severity: text, Title: text, Status: text }),
}
const document = z.object({
  SchemaVersion: z.number(),
  Results: z.optional(
    z.array(
      z.object({
        Target: text,
        Vulnerabilities: z.optional(z.nullable(z.array(vulnerability))),
        Secrets: z.optional(z.nullable(z.array(finding.secret))),
        Misconfigurations: z.optional(z.nullable(z.array(finding.misconfiguration))),
      }),
    ),
  ),
})

type Found = z.infer<typeof vulnerability>
type Result = NonNullable<z.infer<typeof document>['Results']>[number]

/** @throws ScannerError for what is no report of this shape */
export function reportIn(
  json: string,
  { digest, scanner, atMs }: { digest: Digest; scanner: ScannerName; atMs: number },
): Report {
  const results = resultsIn(json)
  const vulnerabilities = worstFirst(
    results.flatMap(({ Vulnerabilities }) =>
      (Vulnerabilities ?? []).map((each) => ({ ...vulnerabilityOf(each), artifact_digests: [digest] })),
    ),
  )
  return {
    generated_at: new Date(atMs).toISOString(),
    scanner,
    severity: worst(vulnerabilities.map(({ severity }) => severity)),
    vulnerabilities,
    findings: results.flatMap(findingsOf),
  }
}

/** What is known of the components of a bill of materials. @throws ScannerError for what is no report of this shape */
export function matchesIn(json: string): Matched[] {
  return resultsIn(json).flatMap(({ Vulnerabilities }) =>
    (Vulnerabilities ?? []).map((each) => ({
      ref: each.PkgIdentifier?.BOMRef ?? '',
      vulnerability: vulnerabilityOf(each),
    })),
  )
}

function resultsIn(json: string): Result[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch (error) {
    throw new ScannerError(`trivy wrote no JSON: ${(error as Error).message}`, { cause: error })
  }
  const read = document.safeParse(parsed)
  if (!read.success) {
    const [issue] = read.error.issues
    throw new ScannerError(`trivy’s report has another shape: ${issue?.path.join('.')}: ${issue?.message}`, {
      final: true,
    })
  }
  if (read.data.SchemaVersion !== SCHEMA_VERSION)
    throw new ScannerError(
      `trivy’s report has schema ${read.data.SchemaVersion}, expected ${SCHEMA_VERSION}`,
      { final: true },
    )
  return read.data.Results ?? []
}

function vulnerabilityOf(found: Found): Matched['vulnerability'] {
  const preferred = preferredCvss(found.CVSS)
  return {
    id: found.VulnerabilityID,
    package: found.PkgName,
    version: found.InstalledVersion,
    fix_version: found.FixedVersion,
    severity: severityNamed(found.Severity),
    description: found.Description,
    links: found.PrimaryURL === '' ? (found.References ?? []).slice(0, LINKS_LIMIT) : [found.PrimaryURL],
    ...(preferred ? { preferred_cvss: preferred } : {}),
    cwe_ids: found.CweIDs ?? [],
    status: found.Status,
    vendor_attributes: found.CVSS ? { CVSS: found.CVSS } : {},
  }
}

/** NVD's own, else any. */
export function preferredCvss(
  scores: Record<string, z.infer<typeof cvss>> | undefined,
): Vulnerability['preferred_cvss'] {
  const preferred = scores?.nvd ?? Object.values(scores ?? {})[0]
  if (!preferred) return undefined
  const { V2Score, V3Score, V2Vector, V3Vector } = preferred
  return {
    ...(V3Score === undefined ? {} : { score_v3: V3Score }),
    ...(V2Score === undefined ? {} : { score_v2: V2Score }),
    ...(V3Vector === undefined ? {} : { vector_v3: V3Vector }),
    ...(V2Vector === undefined ? {} : { vector_v2: V2Vector }),
  }
}

function findingsOf({ Target, Secrets, Misconfigurations }: Result): Finding[] {
  const one = (
    kind: Finding['kind'],
    id: string,
    severity: string,
    title: string,
    line?: number,
  ): Finding => ({
    kind,
    id,
    severity: severityNamed(severity) as Severity,
    title,
    target: Target,
    ...(line === undefined ? {} : { line }),
  })
  return [
    ...(Secrets ?? []).map((each) => one('secret', each.RuleID, each.Severity, each.Title, each.StartLine)),
    ...(Misconfigurations ?? [])
      .filter(({ Status }) => Status !== 'PASS')
      .map((each) => one('misconfiguration', each.ID, each.Severity, each.Title)),
  ]
}
