// API Gateway's HTTP API (payload 2.0) to the HTTP core and back.
import { edgeClaims } from './edge-headers.ts'
import type { HttpRequest, HttpResponse } from './message.ts'

export interface GatewayEvent {
  rawPath: string
  rawQueryString: string
  headers: Record<string, string | undefined>
  requestContext: {
    requestId: string
    domainName?: string
    http: { method: string; sourceIp: string }
  }
  /** Apart from the headers, one each. */
  cookies?: string[]
  body?: string
  isBase64Encoded?: boolean
}

export interface GatewayResult {
  statusCode: number
  headers: Record<string, string>
  /** Values of Set-Cookie, which the gateway takes here. */
  cookies?: string[]
  body: string
  isBase64Encoded: boolean
}

/** What a function may answer with: 6 MB, of which base64 takes a third. */
const ANSWER_LIMIT_BYTES = 4_400_000

/**
 * @param edgeSecret shared with the edge; requests without it are refused, and without an edge there is none
 * @throws DENIED
 */
export function fromGateway(event: GatewayEvent, edgeSecret: string | undefined): HttpRequest {
  const { requestContext, headers } = event
  const claims = edgeSecret === undefined ? undefined : edgeClaims(headers, edgeSecret)
  const host = (claims ? claims.host : headers.host) ?? requestContext.domainName ?? 'localhost'
  return {
    id: claims?.requestId ?? requestContext.requestId,
    method: requestContext.http.method,
    path: event.rawPath,
    query: new URLSearchParams(event.rawQueryString),
    headers: { ...headers, ...cookieOf(event), ...lengthOf(event) },
    body: bodyOf(event),
    origin: `https://${host}`,
    address: claims?.viewer ?? requestContext.http.sourceIp,
  }
}

/** A whole body always has a length, also where the client sent it in chunks. */
function lengthOf({ body, isBase64Encoded, headers }: GatewayEvent): Record<string, string> {
  if (body === undefined || headers['content-length'] !== undefined) return {}
  return { 'content-length': String(Buffer.byteLength(body, isBase64Encoded ? 'base64' : 'utf8')) }
}

function cookieOf({ cookies }: GatewayEvent): Record<string, string> {
  return cookies === undefined ? {} : { cookie: cookies.join('; ') }
}

async function* bodyOf({ body, isBase64Encoded }: GatewayEvent): AsyncGenerator<Uint8Array> {
  if (body) yield Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')
}

/** @param method of the request: the answer to HEAD carries the body, because the gateway tells its length from it */
export async function toGateway(method: string, response: HttpResponse): Promise<GatewayResult> {
  const bytes = await bytesOf(response)
  const { status, lengthBytes } = response
  const { 'Set-Cookie': cookie, ...headers } = response.headers
  // Where there is only a length to tell it is told; a gateway that takes it away is why HEAD can be sent to the store.
  const told = method === 'HEAD' && bytes.length === 0 && lengthBytes !== undefined
  return {
    statusCode: status,
    ...(cookie === undefined ? {} : { cookies: [cookie] }),
    headers: told ? { ...headers, 'Content-Length': String(lengthBytes) } : headers,
    body: Buffer.from(bytes).toString('base64'),
    isBase64Encoded: true,
  }
}

async function bytesOf({ body = '' }: HttpResponse): Promise<Uint8Array> {
  if (typeof body === 'string') return Buffer.from(body)
  if (body instanceof Uint8Array) return body
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > ANSWER_LIMIT_BYTES)
      throw new Error(`an answer of more than ${ANSWER_LIMIT_BYTES} bytes fits no function`)
    chunks.push(Buffer.from(chunk))
  }
  return Buffer.concat(chunks)
}
