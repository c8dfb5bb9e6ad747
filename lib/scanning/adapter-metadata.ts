// What a scanner says of itself (`GET /api/v1/metadata` of Harbor's scanner API).
import * as z from 'zod/mini'
import { GENERIC_REPORT_TYPE, REPORT_TYPE } from './report.ts'
import { ScannerError, type ScannerState } from './scanner.ts'

const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const SBOM_REPORT_TYPE = 'application/vnd.security.sbom.report+json; version=1.0'
/** Harbor's newer one is preferred. */
const REPORT_TYPES = [REPORT_TYPE, GENERIC_REPORT_TYPE]
const DATABASE_UPDATED = 'harbor.scanner-adapter/vulnerability-database-updated-at'
const AUTHORIZATION_TYPE = 'harbor.scanner-adapter/registry-authorization-type'

const short = z.string().check(z.maxLength(512))
const types = z.array(short).check(z.maxLength(100))
const metadata = z.object({
  scanner: z.object({ name: short, vendor: short, version: short }),
  capabilities: z
    .array(z.object({ type: z.optional(short), consumes_mime_types: types, produces_mime_types: types }))
    .check(z.maxLength(100)),
  properties: z.optional(z.nullable(z.record(short, z.string().check(z.maxLength(4096))))),
})

export type AdapterMetadata = z.infer<typeof metadata>

/** @throws ScannerError, for what Harbor takes for none too, in its words */
export function metadataIn(json: string): AdapterMetadata {
  const refuse = (why: string) => new ScannerError(why, { final: true })
  const read = metadata.safeParse(parsed(json, 'metadata'))
  if (!read.success) {
    const [issue] = read.error.issues
    throw refuse(`its metadata have another shape: ${issue?.path.join('.')}: ${issue?.message}`)
  }
  const { scanner, capabilities } = read.data
  if (scanner.name === '' || scanner.vendor === '' || scanner.version === '')
    throw refuse('invalid scanner in metadata')
  if (capabilities.length === 0) throw refuse('invalid capabilities in metadata')
  for (const { consumes_mime_types: consumes, produces_mime_types: produces } of capabilities) {
    if (!has(consumes, DOCKER_MANIFEST)) throw refuse(`missing ${DOCKER_MANIFEST} in consumes_mime_types`)
    if (![...REPORT_TYPES, SBOM_REPORT_TYPE].some((each) => has(produces, each)))
      throw refuse(`missing ${REPORT_TYPES.join(' or ')} in produces_mime_types`)
  }
  return read.data
}

/** @throws ScannerError */
export function parsed(json: string, what: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    const begin = JSON.stringify(json.slice(0, 60))
    throw new ScannerError(`its ${what} is no JSON: ${begin}`, { final: true, cause })
  }
}

/** @returns the type of report to ask for, as the scanner writes it; undefined when it cannot look into such manifests */
export function reportTypeFor({ capabilities }: AdapterMetadata, mediaType: string): string | undefined {
  const fitting = capabilities.filter(
    ({ type, consumes_mime_types: consumes }) =>
      (type === undefined || type === '' || type === 'vulnerability') && has(consumes, mediaType),
  )
  const produced = fitting.flatMap((each) => each.produces_mime_types)
  for (const wanted of REPORT_TYPES) {
    const found = produced.find((each) => same(each, wanted))
    if (found !== undefined) return found
  }
  return undefined
}

/** As Harbor shows it; a scanner of the older API looks for vulnerabilities. */
export function capabilitiesOf({ capabilities }: AdapterMetadata): Record<string, boolean> {
  const named = capabilities.map(({ type }) => type ?? '')
  if (named.every((each) => each === '')) return { support_vulnerability: true, support_sbom: false }
  return {
    support_vulnerability: named.includes('vulnerability'),
    support_sbom: named.includes('sbom'),
  }
}

export function stateIn({ scanner, properties }: AdapterMetadata): ScannerState {
  const updated = Date.parse(properties?.[DATABASE_UPDATED] ?? '')
  return { ...scanner, ...(Number.isNaN(updated) ? {} : { databaseAtMs: updated }) }
}

/** How it wants to log in to this registry. Where it does not say, Harbor takes Basic. */
export function wantsBearer({ properties }: AdapterMetadata): boolean {
  return properties?.[AUTHORIZATION_TYPE] === 'Bearer'
}

function has(types: readonly string[], wanted: string): boolean {
  return types.some((each) => same(each, wanted))
}

/** `a/b;version=1` is `a/b; version=1`. */
function same(one: string, other: string): boolean {
  const plain = (type: string) => type.toLowerCase().replace(/[\s"]/g, '')
  return plain(one) === plain(other)
}
