// What lists are asked for: which rows, in which order. Harbor's query language says it in text.

export type Term =
  | { kind: 'exact'; value: string }
  /** Contains it, in upper or lower case. */
  | { kind: 'fuzzy'; value: string }
  /** Inclusive; an end may be missing. */
  | { kind: 'range'; from?: string; to?: string }
  | { kind: 'any' | 'all'; values: string[] }

export interface Filter {
  /** In snake case. */
  field: string
  term: Term
}

export interface Sort {
  field: string
  descending: boolean
}

/** Where a field is named twice the last one counts, as in Harbor. */
export function termOf(filters: Filter[], field: string): Term | undefined {
  return filters.findLast((each) => each.field === field)?.term
}
