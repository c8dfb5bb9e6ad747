// Whether a row is what a query asks for, and which of two comes first.
import { RegistryError } from '../oci/errors.ts'
import type { Criterion, Query, Sort } from './query.ts'

/** What a row has to be found and sorted by: text, a number, or a time in ms since 1970. */
export type Field<Row> =
  | { kind: 'text'; of: (row: Row) => string }
  | { kind: 'number'; of: (row: Row) => number }
  | { kind: 'time'; of: (row: Row) => number }

export type Fields<Row> = Record<string, Field<Row>>

/**
 * Criteria of other fields are ignored, as Harbor does.
 * @throws REQUEST_INVALID where a value is no number or time but has to be one
 */
export function matcher<Row>(query: Query, fields: Fields<Row>): (row: Row) => boolean {
  const tests = [...query].flatMap(([name, criterion]) => {
    const field = Object.hasOwn(fields, name) ? fields[name]! : undefined
    return field ? [fieldTest(name, field, criterion)] : []
  })
  return (row) => tests.every((test) => test(row))
}

function fieldTest<Row>(name: string, field: Field<Row>, criterion: Criterion): (row: Row) => boolean {
  const value = (text: string): string | number => parsedValue(name, field.kind, text)
  switch (criterion.kind) {
    case 'exact': {
      const wanted = value(criterion.value)
      return (row) => field.of(row) === wanted
    }
    case 'fuzzy': {
      const part = criterion.value.toLowerCase()
      return (row) => String(field.of(row)).toLowerCase().includes(part)
    }
    case 'any': {
      const wanted = new Set(criterion.values.map(value))
      return (row) => wanted.has(field.of(row))
    }
    case 'range': {
      const min = criterion.min === undefined ? undefined : value(criterion.min)
      const max = criterion.max === undefined ? undefined : value(criterion.max)
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
