// Requests as CloudFront hands them to a function, and back.
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { EdgeRequest, EdgeValue } from '../../lib/edge/request.ts'
import { holds } from './limits.ts'

/** Between two hops, never beyond. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'te',
  'trailer',
  'expect',
])

export function edgeRequestOf(incoming: IncomingMessage | Http2ServerRequest): EdgeRequest {
  const [uri, query = ''] = (incoming.url ?? '/').split(/\?(.*)/s, 2) as [string, string?]
  const headers: Record<string, EdgeValue> = {}
  const cookies: Record<string, EdgeValue> = {}
  for (const [rawName, value] of pairsOf(incoming)) {
    const name = rawName.toLowerCase()
    if (name === ':authority') add(headers, 'host', value)
    else if (name === 'cookie') for (const cookie of value.split('; ')) add(cookies, ...split(cookie))
    else if (!name.startsWith(':') && !HOP_BY_HOP.has(name)) add(headers, name, value)
  }
  const querystring: Record<string, EdgeValue> = {}
  for (const part of query.split('&').filter(Boolean)) {
    const [name, value] = split(part)
    add(querystring, name, holds('edge-query') ? value : decodeURIComponent(value))
  }
  return { method: incoming.method ?? 'GET', uri, querystring, headers, cookies }
}

function pairsOf(incoming: IncomingMessage | Http2ServerRequest): [string, string][] {
  const { rawHeaders } = incoming
  return Array.from({ length: rawHeaders.length / 2 }, (_, at) => [
    rawHeaders[2 * at]!,
    rawHeaders[2 * at + 1]!,
  ])
}

function split(pair: string): [string, string] {
  const at = pair.indexOf('=')
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
}

function add(values: Record<string, EdgeValue>, name: string, value: string): void {
  const known = Object.hasOwn(values, name) ? values[name] : undefined
  if (!known) values[name] = { value }
  else known.multiValue = [...(known.multiValue ?? [{ value: known.value }]), { value }]
}

/** Path and query as they go to the origin. */
export function targetOf({ uri, querystring }: EdgeRequest): string {
  const pairs = Object.entries(querystring).flatMap(([name, value]) =>
    allOf(value).map((each) => (each === '' ? name : `${name}=${each}`)),
  )
  return pairs.length === 0 ? uri : `${uri}?${pairs.join('&')}`
}

/** Names and values as Node's client takes them. */
export function headersOf({ headers, cookies }: EdgeRequest): Record<string, string | string[]> {
  const found: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers)) {
    const all = allOf(value)
    found[name] = all.length === 1 ? all[0]! : all
  }
  const jar = Object.entries(cookies).flatMap(([name, value]) =>
    allOf(value).map((each) => `${name}=${each}`),
  )
  return jar.length === 0 ? found : { ...found, cookie: jar.join('; ') }
}

function allOf({ value, multiValue }: EdgeValue): string[] {
  return multiValue ? multiValue.map((each) => each.value) : [value]
}
