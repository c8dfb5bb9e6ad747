// Harbor's query language for lists (v2.14, lib/q): q=k=v,k=~v,k=[min~max],k={a b},k=(a b) and sort=k1,-k2.
import { RegistryError } from '../oci/errors.ts'

export type Criterion =
  | { kind: 'exact'; value: string }
  /** Contains it, in upper or lower case. */
  | { kind: 'fuzzy'; value: string }
  /** Inclusive; at least one end is given. */
  | { kind: 'range'; min?: string; max?: string }
  | { kind: 'any'; values: string[] }
  | { kind: 'all'; values: string[] }

/** By field, in snake case. */
export type Query = ReadonlyMap<string, Criterion>

export interface Sort {
  field: string
  descending: boolean
}

/** @throws REQUEST_INVALID saying which part cannot be understood */
export function parseQuery(text: string): Query {
  const query = new Map<string, Criterion>()
  if (text === '') return query
  for (const part of unescaped(text).split(',')) {
    const equals = part.indexOf('=')
    if (equals < 1 || equals === part.length - 1)
      throw new RegistryError(
        'REQUEST_INVALID',
        `invalid query ${shown(part)}: the query string must contain "=" and the key/value cannot be empty`,
      )
    query.set(snakeCase(part.slice(0, equals)), criterion(part.slice(equals + 1)))
  }
  return query
}

/** Fields that cannot be sorted by are left to whoever sorts: Harbor ignores them. */
export function parseSort(text: string): Sort[] {
  if (text === '') return []
  return text.split(',').map((each) => {
    const descending = each.startsWith('-')
    return { field: snakeCase(descending ? each.slice(1) : each), descending }
  })
}

/** Some clients escape the value once more than the URL needs. A plus stays one: media types have them. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function criterion(value: string): Criterion {
  const inner = value.slice(1, -1)
  const list = () => inner.split(' ').map(bare).filter(Boolean)
  const closed = (end: string) => {
    if (value.length < 2 || !value.endsWith(end))
      throw new RegistryError(
        'REQUEST_INVALID',
        `invalid query string value: ${shown(value)} must end with ${end}`,
      )
  }
  switch (value[0]) {
    case '~':
      if (value.length < 2)
        throw new RegistryError('REQUEST_INVALID', 'invalid query string value: nothing follows the "~"')
      return { kind: 'fuzzy', value: value.slice(1) }
    case '[':
      closed(']')
      return range(inner)
    case '{':
      closed('}')
      return { kind: 'any', values: list() }
    case '(':
      closed(')')
      return { kind: 'all', values: list() }
    default:
      return { kind: 'exact', value: value.startsWith('\\') ? value.slice(1) : value }
  }
}

function range(text: string): Criterion {
  const ends = text.split('~')
  const [min = '', max = ''] = ends.map(bare)
  if (ends.length !== 2 || (min === '' && max === ''))
    throw new RegistryError(
      'REQUEST_INVALID',
      `invalid query string value: a range is [min~max], ${shown(text)} is not`,
    )
  return { kind: 'range', ...(min === '' ? {} : { min }), ...(max === '' ? {} : { max }) }
}

function bare(text: string): string {
  return text.trim().replace(/^["']+|["']+$/g, '')
}

function snakeCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])[A-Z]/g, '_$&').toLowerCase()
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}
