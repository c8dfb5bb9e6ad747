// What somebody asks for: `log4j-core<2.17`, `org.apache.logging.log4j:log4j-core>=2.0<2.17`, `pkg:npm/minimist`.
import { RegistryError } from '../oci/errors.ts'
import { parsePackageUrl } from './package-url.ts'
import { compareVersions } from './versions/compare.ts'

type Operator = '<' | '<=' | '=' | '>=' | '>'

interface Bound {
  operator: Operator
  version: string
}

const HOLDS: Record<Operator, (order: number) => boolean> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '=': (order) => order === 0,
  '>=': (order) => order >= 0,
  '>': (order) => order > 0,
}

export interface PackageQuery {
  /** As asked. */
  text: string
  name: string
  /** Any, where it is undefined. */
  namespace?: string
  type?: string
  /** All of them have to hold. */
  bounds: Bound[]
}

const QUERY = /^([^<>=]+)((?:(?:<=|>=|==?|<|>)[^<>=]+)*)$/

/** @throws REQUEST_INVALID */
export function parsePackageQuery(text: string): PackageQuery {
  const match = QUERY.exec(text.replaceAll(/\s/g, ''))
  if (!match)
    throw new RegistryError(
      'REQUEST_INVALID',
      `${JSON.stringify(text.slice(0, 200))} is no package: write NAME, NAME<VERSION, or NAME>=VERSION<VERSION`,
    )
  const [, named, bounded] = match as unknown as [string, string, string]
  const bounds = [...bounded.matchAll(/(<=|>=|==?|<|>)([^<>=]+)/g)].map(
    ([, operator, version]) => ({ operator: operator === '==' ? '=' : operator, version }) as Bound,
  )
  const url = named.startsWith('pkg:') ? parsePackageUrl(named) : undefined
  if (named.startsWith('pkg:') && !url)
    throw new RegistryError('REQUEST_INVALID', `${JSON.stringify(named.slice(0, 200))} is no package URL`)
  if (!url) return { text, ...nameIn(named), bounds }
  const { type, namespace, name, version } = url
  if (version !== '') bounds.push({ operator: '=', version })
  return { text, type, name, ...(namespace === '' ? {} : { namespace }), bounds }
}

/** Maven writes `group:artifact`, npm and Go `scope/name`. */
function nameIn(named: string): { name: string; namespace?: string } {
  const at = Math.max(named.lastIndexOf(':'), named.lastIndexOf('/'))
  return at <= 0 ? { name: named } : { name: named.slice(at + 1), namespace: named.slice(0, at) }
}

export function matches(
  { type, namespace, bounds }: PackageQuery,
  found: { type: string; namespace: string; version: string },
): boolean {
  if (type !== undefined && type !== found.type) return false
  if (namespace !== undefined && namespace.toLowerCase() !== found.namespace.toLowerCase()) return false
  return bounds.every(({ operator, version }) =>
    HOLDS[operator](compareVersions(found.type, found.version, version)),
  )
}
