// Harbor's query language: `q=name=~web,size=[1~9],tag={a b}`, and `sort=name,-creation_time`.
import type { Filter, Sort, Term } from '../../artifacts/query.ts'
import { RegistryError } from '../../oci/errors.ts'

export type { Filter, Sort, Term }

const FILTERS_LIMIT = 50

/** @throws REQUEST_INVALID (400) for a part that is no `key=value` */
export function parseQuery(q: string | null): Filter[] {
  if (!q) return []
  const parts = decodedAgain(q).split(',')
  if (parts.length > FILTERS_LIMIT) throw invalid(`more than ${FILTERS_LIMIT} filters`)
  return parts
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const at = part.indexOf('=')
      const [field, value] = [part.slice(0, at).trim(), part.slice(at + 1).trim()]
      if (at < 0 || field === '' || value === '')
        throw invalid(`${JSON.stringify(part.slice(0, 80))} is not key=value`)
      return { field: snakeCase(field), term: termOf(value) }
    })
}

/** harbor-cli encodes twice. A failure means that it was encoded once. */
function decodedAgain(q: string): string {
  try {
    return decodeURIComponent(q)
  } catch {
    return q
  }
}

function termOf(value: string): Term {
  if (value.startsWith('\\')) return { kind: 'exact', value: value.slice(1) }
  if (value === '~') throw invalid('nothing follows the ~')
  if (value.startsWith('~')) return { kind: 'fuzzy', value: value.slice(1) }
  for (const [open, close] of ['[]', '{}', '()'] as const)
    if (value.startsWith(open!) && !(value.length > 1 && value.endsWith(close!)))
      throw invalid(`${value.slice(0, 80)} does not end with ${close}`)
  if (value.startsWith('[')) return rangeOf(value)
  if (value.startsWith('{')) return { kind: 'any', values: valuesOf(value) }
  if (value.startsWith('(')) return { kind: 'all', values: valuesOf(value) }
  return { kind: 'exact', value: unquoted(value) }
}

function rangeOf(value: string): Term {
  const ends = value.slice(1, -1).split('~')
  const [from = '', to = ''] = ends.map((end) => unquoted(end.trim()))
  if (ends.length !== 2 || (from === '' && to === '')) throw invalid(`${value.slice(0, 80)} is not [from~to]`)
  return { kind: 'range', ...(from === '' ? {} : { from }), ...(to === '' ? {} : { to }) }
}

function valuesOf(list: string): string[] {
  return [...list.slice(1, -1).matchAll(/'[^']*'|"[^"]*"|\S+/g)].map(([each]) => unquoted(each))
}

function unquoted(text: string): string {
  return /^(['"]).*\1$/s.test(text) && text.length > 1 ? text.slice(1, -1) : text
}

/** `ProjectID` and `project_id` are the same column. */
function snakeCase(field: string): string {
  return field
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
}

export function parseSort(sort: string | null): Sort[] {
  if (!sort) return []
  return sort
    .split(',')
    .slice(0, 10)
    .map((each) => each.trim())
    .filter((each) => each !== '' && each !== '-')
    .map((each) => ({ field: snakeCase(each.replace(/^-/, '')), descending: each.startsWith('-') }))
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', `invalid query: ${why}`)
}
