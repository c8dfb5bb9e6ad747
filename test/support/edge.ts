// The edge's functions as they are built, and requests as CloudFront hands them over.
import type { EdgeRequest, EdgeValue } from '../../lib/edge/request.ts'
import { viewerRequestCode, viewerResponseCode } from '../../lib/infra/constructs/edge-code.ts'
import { issueSessionToken, type Session } from '../../lib/registry/session-token.ts'
import { loadEdgeFunction } from './cloudfront-runtime.ts'

export const HOST = 'registry.example'
export const NAME = 'library/app'
export const NOW_S = Math.floor(Date.now() / 1000)
export const HEX = 'ab'.repeat(32)

/** Session keys of the edge's store; `old` still verifies. */
export const KEYS = { abcd: 'c2VjcmV0LW9uZQ', '0123': 'c2VjcmV0LXR3bw' }
const keyOf = (currentId: string) => ({
  currentId,
  secrets: new Map(Object.entries(KEYS).map(([id, secret]) => [id, Buffer.from(secret)])),
})

export interface EdgeSetup {
  ingest?: boolean
  /** `on`, `off` or the only repository; null for no entry. */
  direct?: string | null
}

export function edge({ ingest = true, direct = 'on' }: EdgeSetup = {}) {
  const store: Record<string, string> = { ...KEYS, ...(direct === null ? {} : { direct }) }
  const read = (key: string) => {
    const value = store[key]
    if (value === undefined) throw new Error('KeyNotFound')
    return value
  }
  return {
    request: loadEdgeFunction(
      sabotaged(viewerRequestCode({ ingest: 'ingest', blobs: 'blobs' }, ingest)),
      read,
    ),
    response: loadEdgeFunction(viewerResponseCode(), read),
  }
}

const SABOTAGES: Record<string, [string, string]> = {
  'edge-any-token': ['difference===0', 'true'],
  'edge-headers': ['let headers={};', 'let headers=request.headers;'],
}

function sabotaged(code: string): string {
  const [from, to] = SABOTAGES[process.env.SABOTAGE ?? ''] ?? ['', '']
  if (!code.includes(from)) throw new Error(`the built function has no ${from}`)
  return code.replace(from, to)
}

export function token(session: Partial<Session> & { keyId?: string; name?: string } = {}): string {
  const { keyId = 'abcd', name = NAME, ...rest } = session
  return issueSessionToken(keyOf(keyId), name, {
    id: 'session0',
    repositoryId: 'repo1',
    expiresAtEpochSeconds: NOW_S + 3600,
    limitBytes: 10 * 2 ** 30,
    patched: false,
    ...rest,
  })
}

export function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `Bearer ${part({ alg: 'ES256' })}.${part({ exp: NOW_S + 60, ...claims })}.c2ln`
}

export const access = (...actions: string[]) => ({ access: [{ type: 'repository', name: NAME, actions }] })

/** @param target path and query, as on the request line */
export function request(
  method: string,
  target: string,
  headers: Record<string, string | string[]> = {},
): EdgeRequest {
  const [uri, query = ''] = target.split('?') as [string, string?]
  const values = (pairs: [string, string][]) => {
    const found: Record<string, EdgeValue> = {}
    for (const [name, value] of pairs) {
      const known = found[name]
      if (!known) found[name] = { value }
      else known.multiValue = [...(known.multiValue ?? [{ value: known.value }]), { value }]
    }
    return found
  }
  const query2 = query === '' ? [] : query.split('&').map((pair) => pair.split(/=(.*)/s, 2))
  return {
    method,
    uri,
    querystring: values(query2.map(([name, value = '']) => [name!, value] as [string, string])),
    headers: values(
      Object.entries({ host: HOST, ...headers }).flatMap(([name, value]) =>
        [value].flat().map((each) => [name.toLowerCase(), each] as [string, string]),
      ),
    ),
    cookies: {},
  }
}

export const event = (made: EdgeRequest) => ({
  request: made,
  viewer: { ip: '192.0.2.7' },
  context: { requestId: 'req-1' },
})
