// Lists of another registry, a page at a time as it gives them.
import { isName, isTag } from '../oci/reference.ts'
import { readBounded } from '../outbound/http-client.ts'
import { asUpstreamError } from './failures.ts'
import type { Upstream } from './upstream.ts'
import { UpstreamError } from './upstream-error.ts'

const PAGE = 1000
const PAGE_LIMIT_BYTES = 16 * 1024 * 1024
/** Beyond these it is going round in circles. */
const PAGES_LIMIT = 10_000

/** Tags, in its order; what is no tag is left out. @throws UpstreamError `absent` when there is no such repository */
export async function* upstreamTags(upstream: Upstream, repository: string): AsyncGenerator<string[]> {
  const first = `/v2/${upstream.at(repository)}/tags/list?n=${PAGE}`
  for await (const { entries } of pages(upstream, first, upstream.pullScope(repository), 'tags'))
    yield entries.filter(isTag)
}

export interface UpstreamPage {
  entries: string[]
  more: boolean
}

/** One page of its tags as a client asked for it, also of a registry that gives all of them whatever is asked. @throws UpstreamError */
export async function upstreamTagsPage(
  upstream: Upstream,
  repository: string,
  { limit, after }: { limit: number; after?: string },
): Promise<UpstreamPage> {
  const query = new URLSearchParams({ n: String(limit), ...(after === undefined ? {} : { last: after }) })
  const path = `/v2/${upstream.at(repository)}/tags/list?${query}`
  for await (const { entries, more } of pages(upstream, path, upstream.pullScope(repository), 'tags'))
    return pageOf(entries.filter(isTag), more, limit, after)
  return { entries: [], more: false }
}

function pageOf(entries: string[], more: boolean, limit: number, after: string | undefined): UpstreamPage {
  const from = after === undefined ? 0 : entries.indexOf(after) + 1
  const end = from + limit
  return { entries: entries.slice(from, end), more: more || end < entries.length }
}

/** Names of repositories. @throws UpstreamError, also where the provider has no catalog */
export async function* upstreamCatalog(upstream: Upstream): AsyncGenerator<string[]> {
  if (!upstream.provider.catalog)
    throw new UpstreamError(
      'absent',
      `${upstream.provider.description} lists no repositories: name them without patterns`,
    )
  const first = `/v2/_catalog?n=${PAGE}`
  for await (const { entries } of pages(upstream, first, 'registry:catalog:*', 'repositories'))
    yield entries.filter(isName)
}

async function* pages(
  upstream: Upstream,
  first: string,
  scope: string,
  name: 'tags' | 'repositories',
): AsyncGenerator<UpstreamPage> {
  const seen = new Set<string>()
  let path: string | URL | undefined = first
  while (path !== undefined) {
    if (seen.has(String(path)) || seen.size === PAGES_LIMIT)
      throw new UpstreamError('lying', `${upstream.host} gives a list that has no end`)
    seen.add(String(path))
    const answer = await upstream.exchange.send({ method: 'GET', path, scope })
    const body = await readBounded(answer, PAGE_LIMIT_BYTES).catch((error) => {
      throw asUpstreamError(error)
    })
    path = nextIn(answer.headers.link, answer.url)
    yield { entries: textsIn(parsed(body, upstream.host), name), more: path !== undefined }
  }
}

/** Its next page, at the same place: a list leads nowhere else. @throws UpstreamError */
function nextIn(link: string | string[] | undefined, from: URL): URL | undefined {
  const match = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(String(link ?? ''))
  if (!match) return undefined
  const next = URL.canParse(match[1]!, from.href) ? new URL(match[1]!, from) : undefined
  // Behind a proxy that ends TLS some registries name themselves with http.
  if (next?.host !== from.host)
    throw new UpstreamError('lying', `${from.host} names a next page that is not its own`)
  next.protocol = from.protocol
  return next
}

function parsed(body: Buffer, host: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // said below
  }
  throw new UpstreamError('lying', `${host} answered with a list that is no JSON`)
}

/** Registries write an empty list as null. */
function textsIn(page: Record<string, unknown>, name: string): string[] {
  const list = page[name] ?? []
  return Array.isArray(list) ? list.filter((each): each is string => typeof each === 'string') : []
}
