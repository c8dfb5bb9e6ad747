// What a scanner says of itself (`GET /api/v1/metadata` of Harbor's scanner API). Read without a library: it is part of the
// management API's function, which has none for this.
import { scannerLogin } from '../access/tokens.ts'
import { GENERIC_REPORT_TYPE, REPORT_TYPE, type ScannerName } from './report.ts'
import { ScannerError, type ScannerState } from './scanner.ts'

const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const SBOM_REPORT_TYPE = 'application/vnd.security.sbom.report+json; version=1.0'
/** Harbor's newer one is preferred. */
const REPORT_TYPES = [REPORT_TYPE, GENERIC_REPORT_TYPE]
/** How it logs in to this registry: `Bearer`, or else Basic, as in Harbor. */
const AUTHORIZATION_TYPE = 'harbor.scanner-adapter/registry-authorization-type'
const DATABASE_UPDATED = 'harbor.scanner-adapter/vulnerability-database-updated-at'

const TEXT_LIMIT = 512
const PROPERTY_LIMIT = 4096
const LIST_LIMIT = 100

export interface Capability {
  /** `vulnerability`, `sbom`; the older API has none. */
  type?: string
  consumes_mime_types: string[]
  produces_mime_types: string[]
}

export interface AdapterMetadata {
  scanner: ScannerName
  capabilities: Capability[]
  properties: Record<string, string>
}

/** @throws ScannerError, for what Harbor takes for none too, in its words */
export function metadataIn(json: string): AdapterMetadata {
  const { scanner, capabilities, properties } = objectAt(parsed(json, 'metadata'), 'all of it')
  const { name, vendor, version } = objectAt(scanner ?? {}, 'scanner')
  if ([name, vendor, version].some((each) => each === undefined || each === ''))
    throw refused('invalid scanner in metadata')
  const found = {
    scanner: {
      name: textAt(name, 'scanner.name'),
      vendor: textAt(vendor, 'scanner.vendor'),
      version: textAt(version, 'scanner.version'),
    },
    capabilities: listAt(capabilities ?? [], 'capabilities').map(capabilityAt),
    properties: propertiesAt(properties ?? {}),
  }
  if (found.capabilities.length === 0) throw refused('invalid capabilities in metadata')
  for (const { consumes_mime_types: consumes, produces_mime_types: produces } of found.capabilities) {
    if (!has(consumes, DOCKER_MANIFEST)) throw refused(`missing ${DOCKER_MANIFEST} in consumes_mime_types`)
    if (![...REPORT_TYPES, SBOM_REPORT_TYPE].some((each) => has(produces, each)))
      throw refused(`missing ${REPORT_TYPES.join(' or ')} in produces_mime_types`)
  }
  return found
}

function capabilityAt(value: unknown, index: number): Capability {
  const at = `capabilities.${index}`
  const { type, consumes_mime_types: consumes, produces_mime_types: produces } = objectAt(value, at)
  const types = (list: unknown, name: string) =>
    listAt(list ?? [], `${at}.${name}`).map((each) => textAt(each, `${at}.${name}`))
  return {
    ...(type === undefined || type === null ? {} : { type: textAt(type, `${at}.type`) }),
    consumes_mime_types: types(consumes, 'consumes_mime_types'),
    produces_mime_types: types(produces, 'produces_mime_types'),
  }
}

function propertiesAt(value: unknown): Record<string, string> {
  const entries = Object.entries(objectAt(value, 'properties')).slice(0, LIST_LIMIT)
  return Object.fromEntries(
    entries.map(([name, each]) => [
      name.slice(0, TEXT_LIMIT),
      textAt(each, `properties.${name.slice(0, TEXT_LIMIT)}`, PROPERTY_LIMIT),
    ]),
  )
}

function objectAt(value: unknown, at: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw otherShape(at, 'an object')
}

function listAt(value: unknown, at: string): unknown[] {
  if (Array.isArray(value) && value.length <= LIST_LIMIT) return value
  throw otherShape(at, `a list of at most ${LIST_LIMIT}`)
}

function textAt(value: unknown, at: string, limit = TEXT_LIMIT): string {
  if (typeof value === 'string' && value.length <= limit) return value
  throw otherShape(at, `a text of at most ${limit} characters`)
}

function otherShape(at: string, expected: string): ScannerError {
  return refused(`its metadata have another shape: ${at} is not ${expected}`)
}

function refused(why: string): ScannerError {
  return new ScannerError(why, { final: true })
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

/** @returns undefined where it makes no bills of materials of such images */
export function sbomTypeFor({ capabilities }: AdapterMetadata, mediaType: string): string | undefined {
  const fitting = capabilities.filter(
    ({ type, consumes_mime_types: consumes }) => type === 'sbom' && has(consumes, mediaType),
  )
  const produced = fitting.flatMap((each) => each.produces_mime_types)
  return produced.find((each) => same(each, SBOM_REPORT_TYPE))
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
  const updated = Date.parse(properties[DATABASE_UPDATED] ?? '')
  return { ...scanner, ...(Number.isNaN(updated) ? {} : { databaseAtMs: updated }) }
}

/** @returns what it sends this registry to pull with that token */
export function authorizationFor({ properties }: AdapterMetadata, token: string): string {
  return properties[AUTHORIZATION_TYPE] === 'Bearer' ? `Bearer ${token}` : scannerLogin(token)
}

function has(types: readonly string[], wanted: string): boolean {
  return types.some((each) => same(each, wanted))
}

/** `a/b;version=1` is `a/b; version=1`. */
function same(one: string, other: string): boolean {
  const plain = (type: string) => type.toLowerCase().replace(/[\s"]/g, '')
  return plain(one) === plain(other)
}
