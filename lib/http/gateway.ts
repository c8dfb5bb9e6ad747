// API Gateway's HTTP API (payload 2.0) to the HTTP core and back.
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { RegistryError } from '../oci/errors.ts'
import { edgeClaims } from './edge-headers.ts'
import { renderError } from './errors.ts'
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
/** Unpacked, in memory. */
const HELD_LIMIT_BYTES = 64 * 1024 * 1024
const zip = promisify(gzip)

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

/**
 * The answer to HEAD carries the body, because the gateway tells its length from it. One that is too large for a function
 * goes packed to clients that take it so, as browsers and Go's do.
 */
export async function toGateway(
  { requestContext, headers: asked }: Pick<GatewayEvent, 'requestContext' | 'headers'>,
  response: HttpResponse,
): Promise<GatewayResult> {
  const bytes = await bytesOf(response)
  if (bytes.length <= ANSWER_LIMIT_BYTES) return result(requestContext.http.method, response, bytes)
  const takesGzip = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(asked['accept-encoding'] ?? '')
  const packed = takesGzip ? await zip(bytes) : undefined
  if (packed && packed.length <= ANSWER_LIMIT_BYTES) {
    const headers = { ...response.headers, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' }
    return result(requestContext.http.method, { ...response, headers }, packed)
  }
  const tooLarge = new RegistryError(
    'UNSUPPORTED',
    `the answer has ${bytes.length} bytes, more than can be sent from here${packed ? '' : ' unless packed: ask with Accept-Encoding: gzip'}`,
    { status: 406 },
  )
  const refusal = renderError(tooLarge, requestContext.requestId)
  return result(requestContext.http.method, refusal, await bytesOf(refusal))
}

function result(method: string, response: HttpResponse, bytes: Uint8Array): GatewayResult {
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
    if (size > HELD_LIMIT_BYTES)
      throw new Error(`an answer of more than ${HELD_LIMIT_BYTES} bytes is held by no function`)
    chunks.push(Buffer.from(chunk))
  }
  return Buffer.concat(chunks)
}
