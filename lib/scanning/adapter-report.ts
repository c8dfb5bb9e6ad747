// A report of a scanner with Harbor's scanner API, read as what somebody else wrote: bounded, and of the artifact that was
// asked for.
import * as z from 'zod/mini'
import type { Digest } from '../oci/digest.ts'
import { parsed } from './adapter-metadata.ts'
import { type Report, type ScannerName, type Vulnerability, worstFirst } from './report.ts'
import { ScannerError } from './scanner.ts'
import { severityNamed, worst } from './severity.ts'
import { cvss, preferredCvss } from './trivy-report.ts'

const LINKS_LIMIT = 50
const SBOM_LIMIT_BYTES = 64 * 1024 * 1024

/** Identifiers are parts of keys. */
const name = z.string().check(z.minLength(1), z.maxLength(255))
const text = z.catch(z.string().check(z.maxLength(1024)), '')
const long = z.catch(z.string(), '')
const score = z.optional(z.nullable(z.number()))
const vector = z.optional(z.nullable(z.string()))
const vulnerability = z.object({
  id: name,
  package: name,
  version: text,
  fix_version: text,
  severity: text,
  status: text,
  description: long,
  links: z.catch(z.array(z.string()), []),
  preferred_cvss: z.optional(
    z.nullable(z.object({ score_v3: score, score_v2: score, vector_v3: vector, vector_v2: vector })),
  ),
  cwe_ids: z.catch(z.array(z.string()), []),
  vendor_attributes: z.optional(z.nullable(z.record(z.string(), z.unknown()))),
})
const document = z.object({
  generated_at: z.optional(z.string()),
  artifact: z.optional(
    z.nullable(z.object({ repository: z.optional(z.string()), digest: z.optional(z.string()) })),
  ),
  scanner: z.optional(z.nullable(z.object({ name, vendor: text, version: text }))),
  vulnerabilities: z.optional(z.nullable(z.array(vulnerability))),
  sbom: z.optional(z.nullable(z.record(z.string(), z.unknown()))),
})

type Found = z.infer<typeof vulnerability>

export interface ExpectedReport {
  repository: string
  digest: Digest
  /** As its metadata say it. */
  scanner: ScannerName
  atMs: number
}

/** @throws ScannerError for what is none, or of something else */
export function adapterReportIn(json: string, expected: ExpectedReport): Report {
  const { vulnerabilities: found, generated_at, scanner } = documentIn(json, expected)
  // An object of anything would pass for a report without findings.
  if (found === undefined && generated_at === undefined)
    throw new ScannerError('its report has neither vulnerabilities nor generated_at', { final: true })
  const vulnerabilities = worstFirst((found ?? []).map((each) => vulnerabilityOf(each, expected.digest)))
  const generated = Date.parse(generated_at ?? '')
  return {
    generated_at: new Date(Number.isNaN(generated) ? expected.atMs : generated).toISOString(),
    scanner: scanner ?? expected.scanner,
    severity: worst(vulnerabilities.map(({ severity }) => severity)),
    vulnerabilities,
    findings: [],
  }
}

/** @returns the bill of materials in it. @throws ScannerError */
export function adapterSbomIn(
  json: string,
  expected: ExpectedReport,
): { document: Uint8Array; scanner: ScannerName } {
  const { sbom, scanner } = documentIn(json, expected)
  if (!sbom) throw new ScannerError('its report has no sbom', { final: true })
  const bytes = Buffer.from(JSON.stringify(sbom))
  if (bytes.length > SBOM_LIMIT_BYTES)
    throw new ScannerError(
      `the bill of materials has ${bytes.length} bytes, more than the ${SBOM_LIMIT_BYTES} that are kept`,
      { final: true },
    )
  return { document: bytes, scanner: scanner ?? expected.scanner }
}

/** Of the artifact that was asked for. @throws ScannerError */
function documentIn(json: string, expected: ExpectedReport): z.infer<typeof document> {
  const read = document.safeParse(parsed(json, 'report'))
  if (!read.success) {
    const [issue] = read.error.issues
    throw new ScannerError(`its report has another shape: ${issue?.path.join('.')}: ${issue?.message}`, {
      final: true,
    })
  }
  requireSame(read.data.artifact, expected)
  return read.data
}

function requireSame(
  artifact: z.infer<typeof document>['artifact'],
  { repository, digest }: ExpectedReport,
): void {
  const { repository: name = repository, digest: of = digest } = artifact ?? {}
  if (name !== repository || of !== digest)
    throw new ScannerError(
      `its report is of another artifact: ${name.slice(0, 255)}@${of.slice(0, 140)} instead of ${repository}@${digest}`,
      { final: true },
    )
}

function vulnerabilityOf(found: Found, digest: Digest): Vulnerability {
  const preferred = given(found) ?? preferredCvss(vendorsIn(found))
  return {
    id: found.id,
    package: found.package,
    version: found.version,
    fix_version: found.fix_version,
    severity: severityNamed(found.severity),
    description: found.description,
    links: found.links.filter((each) => /^https?:\/\//i.test(each)).slice(0, LINKS_LIMIT),
    artifact_digests: [digest],
    ...(preferred ? { preferred_cvss: preferred } : {}),
    cwe_ids: found.cwe_ids,
    status: found.status,
    vendor_attributes: found.vendor_attributes ?? {},
  }
}

/** Without what is null. */
function given({ preferred_cvss: scores }: Found): Vulnerability['preferred_cvss'] {
  const present = Object.entries(scores ?? {}).filter(([, value]) => value !== null && value !== '')
  return present.length > 0 ? Object.fromEntries(present) : undefined
}

/** Where Harbor's adapter of trivy puts them. */
function vendorsIn({ vendor_attributes: vendors }: Found) {
  const read = z.record(z.string(), cvss).safeParse(vendors?.CVSS)
  return read.success ? read.data : undefined
}
