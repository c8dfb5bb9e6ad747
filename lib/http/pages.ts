// Pagination of lists: `n`, `last` and the Link header (distribution-spec v1.1.1 §"Listing Tags", RFC 8288).
import { RegistryError } from '../oci/errors.ts'

/** Given when `n` is absent, and the most a page has. */
const PAGE_LIMIT = 10_000
const LAST_LIMIT_CHARACTERS = 512

export interface PageRequest {
  limit: number
  after?: string
}

/** @throws PAGINATION_NUMBER_INVALID unless `n` is a whole number; a large one gets the largest page there is */
export function parsePage(query: URLSearchParams): PageRequest {
  const n = query.get('n')
  if (n !== null && !/^\d{1,15}$/.test(n))
    throw new RegistryError(
      'PAGINATION_NUMBER_INVALID',
      `n=${JSON.stringify(n.slice(0, 40))} is not a number of results: use 0 to ${PAGE_LIMIT}`,
    )
  const last = query.get('last')
  const limit = n === null ? PAGE_LIMIT : Math.min(Number(n), PAGE_LIMIT)
  return last === null ? { limit } : { limit, after: last.slice(0, LAST_LIMIT_CHARACTERS) }
}

/** Reads one more than the page has, to know whether another follows. */
export async function readPage(
  page: PageRequest,
  read: (page: PageRequest) => Promise<string[]>,
): Promise<{ entries: string[]; more: boolean }> {
  if (page.limit === 0) return { entries: [], more: false }
  const found = await read({ ...page, limit: page.limit + 1 })
  return { entries: found.slice(0, page.limit), more: found.length > page.limit }
}

/** @param parameters of the next page's request, in order */
export function linkToNext(path: string, parameters: Record<string, string>): Record<string, string> {
  const query = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  return { Link: `<${path}?${query.join('&')}>; rel="next"` }
}
