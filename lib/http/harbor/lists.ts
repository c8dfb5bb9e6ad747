// Lists of the management API: filtered, sorted and cut into pages in memory; for collections that people make by hand.
import { RegistryError } from '../../oci/errors.ts'
import type { HttpRequest, HttpResponse } from '../message.ts'
import { answer } from './answers.ts'
import { type Filter, parseQuery, parseSort, type Sort, type Term } from './query.ts'

export type Row = Record<string, unknown>

export interface Page {
  number: number
  /** 0: everything. */
  size: number
}

const SIZE = 10
const SIZE_LIMIT = 100

/** `page=0&page_size=0` is everything: harbor-cli looks names up so. @throws 422 for what is no number */
export function pageOf({ query }: HttpRequest): Page {
  const page = whole(query.get('page') || '1', 'page')
  const size = whole(query.get('page_size') || String(SIZE), 'page_size')
  if (size > SIZE_LIMIT)
    throw unprocessable(`page_size in query should be less than or equal to ${SIZE_LIMIT}`)
  return size === 0 ? { number: 1, size: 0 } : { number: Math.max(page, 1), size }
}

function whole(text: string, name: string): number {
  if (!/^\d{1,9}$/.test(text)) throw unprocessable(`${name} in query must be a whole number`)
  return Number(text)
}

/** @throws 422 for what is neither true nor false */
export function flagInQuery({ query }: HttpRequest, name: string, otherwise: boolean): boolean {
  const value = query.get(name)
  if (!value) return otherwise
  if (['true', '1'].includes(value)) return true
  if (['false', '0'].includes(value)) return false
  throw unprocessable(`${name} in query must be true or false`)
}

/**
 * A list whose rows are all at hand: `q`, `sort`, `page`.
 * @param aliases fields of `q` and `sort` by the row's own
 * @param shown what is sent of a row
 */
export function listAnswer(
  request: HttpRequest,
  rows: Row[],
  aliases: Record<string, string> = {},
  shown: (row: Row) => Row = (row) => row,
): HttpResponse {
  const named = <T extends { field: string }>(each: T): T => ({
    ...each,
    field: aliases[each.field] ?? each.field,
  })
  const filters = parseQuery(request.query.get('q')).map(named)
  const kept = rows.filter((row) => filters.every((filter) => fits(row, filter)))
  const sorted = sortedBy(kept, parseSort(request.query.get('sort')).map(named))
  const page = pageOf(request)
  const from = (page.number - 1) * page.size
  const cut = page.size === 0 ? sorted : sorted.slice(from, from + page.size)
  return pageAnswer(request, page, sorted.length, cut.map(shown))
}

/** One page of a list that was cut elsewhere. @param total of the whole list */
export function pageAnswer(request: HttpRequest, page: Page, total: number, rows: unknown[]): HttpResponse {
  const links = [
    ...(page.number > 1 && page.size > 0 ? [link(request, page.number - 1, 'prev')] : []),
    ...(page.size > 0 && page.number * page.size < total ? [link(request, page.number + 1, 'next')] : []),
  ]
  return answer(200, rows, {
    'X-Total-Count': String(total),
    ...(links.length > 0 ? { Link: links.join(' , ') } : {}),
  })
}

function link({ path, query }: HttpRequest, page: number, rel: string): string {
  const asked = new URLSearchParams(query)
  asked.set('page', String(page))
  return `<${path}?${asked}>; rel="${rel}"`
}

export function fits(row: Row, { field, term }: Filter): boolean {
  return matches(row[field], term)
}

function matches(value: unknown, term: Term): boolean {
  if (Array.isArray(value))
    return term.kind === 'all'
      ? term.values.every((each) => value.includes(each))
      : value.some((each) => matches(each, term))
  const text = value === undefined || value === null ? '' : String(value)
  switch (term.kind) {
    case 'exact':
      return text === term.value
    case 'fuzzy':
      return text.toLowerCase().includes(term.value.toLowerCase())
    case 'range':
      return (
        (term.from === undefined || compare(value, term.from) >= 0) &&
        (term.to === undefined || compare(value, term.to) <= 0)
      )
    case 'any':
      return term.values.includes(text)
    case 'all':
      return term.values.every((each) => each === text)
  }
}

/** Numbers as numbers, times as times, the rest as text. */
function compare(one: unknown, other: unknown): number {
  if (typeof one === 'number') return one - Number(other)
  const times = [Date.parse(String(one)), Date.parse(String(other).replace(' ', 'T'))] as const
  if (/^\d{4}-\d\d-\d\d/.test(String(one)) && !Number.isNaN(times[1])) return times[0] - times[1]
  return String(one ?? '') < String(other ?? '') ? -1 : Number(String(one ?? '') > String(other ?? ''))
}

export function sortedBy(rows: Row[], sorts: Sort[]): Row[] {
  if (sorts.length === 0) return rows
  return rows.toSorted((one, other) => {
    for (const { field, descending } of sorts) {
      const order = compare(one[field], other[field])
      if (order !== 0) return descending ? -order : order
    }
    return 0
  })
}

function unprocessable(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', why, { status: 422 })
}
