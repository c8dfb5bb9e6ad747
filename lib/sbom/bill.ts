// What is read in a bill of materials: SPDX or CycloneDX as JSON, of whichever program.
import { isObject } from '../oci/descriptor.ts'
import { parsePackageUrl } from './package-url.ts'

export interface Package {
  /** Without its namespace. */
  name: string
  /** With its epoch and release. */
  version: string
  purl: string
  /** Of the package URL: `deb`, `npm`, … */
  type: string
  namespace: string
  /** What trivy calls its type: `debian`, `node-pkg`, … */
  kind?: string
  /** The source package of a distribution's package, where it says so. */
  source?: string
  sourceVersion?: string
}

export interface Bill {
  /** The distribution: `debian` `12.11`. */
  system?: { name: string; version: string }
  packages: Package[]
}

type Json = Record<string, unknown>

const TRIVY = 'aquasecurity:trivy:'
const NAME_LIMIT = 300
const VERSION_LIMIT = 200
const BUILT_FROM = 'built package from: '

/** @returns undefined for what is neither SPDX nor CycloneDX */
export function readBill(bytes: Uint8Array): Bill | undefined {
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
  if (!isObject(json)) return undefined
  if (typeof json.spdxVersion === 'string') return ofSpdx(json)
  return json.bomFormat === 'CycloneDX' ? ofCycloneDx(json) : undefined
}

function ofSpdx(json: Json): Bill {
  const found = objects(json.packages)
  const system = found.find((each) => each.primaryPackagePurpose === 'OPERATING-SYSTEM')
  return billOf(
    system && { name: text(system.name), version: text(system.versionInfo) },
    found.map((each) => {
      const notes = objects(each.annotations).map(({ comment }) => text(comment))
      const [source, sourceVersion] = text(each.sourceInfo).startsWith(BUILT_FROM)
        ? text(each.sourceInfo).slice(BUILT_FROM.length).split(' ')
        : []
      return {
        purl: text(objects(each.externalRefs).find((one) => one.referenceType === 'purl')?.referenceLocator),
        version: text(each.versionInfo),
        kind: notes.find((note) => note.startsWith('PkgType: '))?.slice('PkgType: '.length),
        source,
        sourceVersion,
      }
    }),
  )
}

function ofCycloneDx(json: Json): Bill {
  const found = components(objects(json.components))
  const system = found.find((each) => each.type === 'operating-system')
  return billOf(
    system && { name: text(system.name), version: text(system.version) },
    found.map((each) => {
      const properties = new Map(objects(each.properties).map(({ name, value }) => [text(name), text(value)]))
      const own = (name: string) => properties.get(`${TRIVY}${name}`)
      const [epoch, version, release] = [own('SrcEpoch'), own('SrcVersion'), own('SrcRelease')]
      return {
        purl: text(each.purl),
        version: text(each.version),
        kind: own('PkgType'),
        source: own('SrcName'),
        sourceVersion: version && `${epoch ? `${epoch}:` : ''}${version}${release ? `-${release}` : ''}`,
      }
    }),
  )
}

/** Components have components. */
function components(found: Json[], depth = 0): Json[] {
  if (depth > 20) return []
  return found.flatMap((each) => [each, ...components(objects(each.components), depth + 1)])
}

interface Raw {
  purl: string
  version: string
  kind: string | undefined
  source: string | undefined
  sourceVersion: string | undefined
}

/** Each package once; those without a package URL, or with one that nobody would write, are left out. */
function billOf(system: Bill['system'], raw: Raw[]): Bill {
  const packages = new Map<string, Package>()
  for (const { purl, version: given, kind, source, sourceVersion } of raw) {
    const url = parsePackageUrl(purl)
    if (!url || purl.length > 2 * NAME_LIMIT) continue
    const { type, namespace, name } = url
    const version = given === '' ? url.version : given
    if (name.length > NAME_LIMIT || version.length > VERSION_LIMIT) continue
    packages.set(`${purl} ${version}`, {
      name,
      version,
      purl,
      type,
      namespace,
      ...(kind ? { kind } : {}),
      ...(source ? { source: source.slice(0, NAME_LIMIT) } : {}),
      ...(source && sourceVersion ? { sourceVersion } : {}),
    })
  }
  return { ...(system?.name ? { system } : {}), packages: [...packages.values()] }
}

function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
