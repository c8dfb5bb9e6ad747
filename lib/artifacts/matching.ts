// Whether a row is what a query asks for, and which of two comes first.
import { RegistryError } from '../oci/errors.ts'
import { type Filter, type Sort, type Term, termOf } from './query.ts'

/** What a row has to be found and sorted by: text, a number, or a time in ms since 1970. */
export type Field<Row> =
  | { kind: 'text'; of: (row: Row) => string }
  | { kind: 'number'; of: (row: Row) => number }
  | { kind: 'time'; of: (row: Row) => number }

export type Fields<Row> = Record<string, Field<Row>>

/**
 * Filters by other fields are ignored, as Harbor does.
 * @throws REQUEST_INVALID where a value is no number or time but has to be one
 */
export function matcher<Row>(filters: Filter[], fields: Fields<Row>): (row: Row) => boolean {
  const tests = Object.entries(fields).flatMap(([name, field]) => {
    const term = termOf(filters, name)
    return term ? [fieldTest(name, field, term)] : []
  })
  return (row) => tests.every((test) => test(row))
}

function fieldTest<Row>(name: string, field: Field<Row>, term: Term): (row: Row) => boolean {
  const value = (text: string): string | number => parsedValue(name, field.kind, text)
  switch (term.kind) {
    case 'exact': {
      const wanted = value(term.value)
      return (row) => field.of(row) === wanted
    }
    case 'fuzzy': {
      const part = term.value.toLowerCase()
      return (row) => String(field.of(row)).toLowerCase().includes(part)
    }
    case 'any': {
      const wanted = new Set(term.values.map(value))
      return (row) => wanted.has(field.of(row))
    }
    case 'range': {
      const min = term.from === undefined ? undefined : value(term.from)
      const max = term.to === undefined ? undefined : value(term.to)
      return (row) =>
        (min === undefined || field.of(row) >= min) && (max === undefined || field.of(row) <= max)
    }
    case 'all':
      // One field has one value; Harbor leaves these lists to fields with rules of their own.
      return () => true
  }
}

function parsedValue(name: string, kind: 'text' | 'number' | 'time', text: string): string | number {
  if (kind === 'text') return text
  const parsed = kind === 'number' ? Number(text) : timeOf(text)
  if (Number.isNaN(parsed))
    throw new RegistryError(
      'REQUEST_INVALID',
      `invalid query: ${name} is a ${kind}, ${JSON.stringify(text.slice(0, 100))} is none`,
    )
  return parsed
}

/** A time without a zone is UTC. */
function timeOf(text: string): number {
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return Number.NaN
  const zoned = /([zZ]|[+-]\d{2}:?\d{2})$/.test(text) || text.length === 10
  return Date.parse(zoned ? text : `${text}Z`)
}

/** Of the fields asked for, those that can be sorted by; `otherwise` where there is none. */
export function comparator<Row>(
  sorts: Sort[],
  fields: Fields<Row>,
  otherwise: Sort[],
): (a: Row, b: Row) => number {
  const known = sorts.filter(({ field }) => Object.hasOwn(fields, field))
  const used = known.length > 0 ? [...known, ...otherwise] : otherwise
  return (a, b) => {
    for (const { field, descending } of used) {
      const { of } = fields[field]!
      const [x, y] = [of(a), of(b)]
      if (x !== y) return x < y === descending ? 1 : -1
    }
    return 0
  }
}

export interface Page {
  /** From 1. */
  page: number
  pageSize: number
}

/** A page far beyond the end is empty. */
export function pageOf<Row>(rows: Row[], { page, pageSize }: Page): Row[] {
  return rows.slice((page - 1) * pageSize, page * pageSize)
}
