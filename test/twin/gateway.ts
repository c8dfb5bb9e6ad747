// API Gateway's HTTP API in front of MiniStack's: the same routes and functions, with the limits MiniStack does not have.
import { Readable } from 'node:stream'
import { holds } from './limits.ts'
import { collect, type Origin, type OriginAnswer, passOn } from './origin.ts'

const BODY_LIMIT_BYTES = 10 * 2 ** 20
const HEADERS_LIMIT_BYTES = 10_240
const EVENT_LIMIT_BYTES = 6 * 2 ** 20
const WAIT_MS = 30_000

export interface Gateway {
  origin: Origin
  /** Bodies that went into functions. */
  readonly bytesIn: number
}

/** @param apiId of the API in MiniStack */
export function startGateway(ministack: string, apiId: string, waitMs = WAIT_MS): Gateway {
  let bytesIn = 0
  const origin: Origin = async (request) => {
    const line = `${request.method} ${request.target} HTTP/1.1`
    const headerBytes = Object.entries(request.headers).flatMap(([name, value]) =>
      [value].flat().map((each) => name.length + each.length + 4),
    )
    if (
      holds('gateway-headers') &&
      headerBytes.reduce((sum, each) => sum + each, line.length) > HEADERS_LIMIT_BYTES
    )
      return refuse(431, 'Request Header Fields Too Large')
    const limit = holds('gateway-body') ? BODY_LIMIT_BYTES : Number.POSITIVE_INFINITY
    const body = request.body ? await collect(request.body, limit) : Buffer.alloc(0)
    if (!body) return refuse(413, 'Request Entity Too Large')
    const eventBytes =
      Math.ceil(body.length / 3) * 4 + JSON.stringify(request.headers).length + request.target.length
    if (holds('function-event') && eventBytes > EVENT_LIMIT_BYTES) return refuse(413, 'Request Too Long')
    bytesIn += body.length
    const { 'transfer-encoding': _, ...headers } = request.headers
    // By path, because MiniStack takes /v2/ itself for its own registry.
    const target = `/_aws/execute-api/${apiId}/$default${request.target}`
    const host = `${apiId}.execute-api.us-east-1.amazonaws.com`
    const answer = passOn(ministack, {
      ...request,
      target,
      headers: { ...headers, host, 'content-length': String(body.length) },
      body: Readable.from([body]),
    })
    const slow = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), waitMs).unref())
    const got = await (holds('gateway-time') ? Promise.race([answer, slow]) : answer)
    if (!got) return refuse(503, 'Service Unavailable')
    return mangle(request.method, got)
  }
  return {
    origin,
    get bytesIn() {
      return bytesIn
    },
  }
}

/** What the gateway does to an answer on its way. */
async function mangle(method: string, { status, headers, body }: OriginAnswer): Promise<OriginAnswer> {
  const sent = { ...headers }
  if (holds('challenge') && sent['www-authenticate'] !== undefined) {
    sent['x-amzn-remapped-www-authenticate'] = sent['www-authenticate']
    delete sent['www-authenticate']
  }
  const given = sent['x-twin-length']
  delete sent['x-twin-length']
  delete sent['transfer-encoding']
  delete sent.connection
  delete sent['keep-alive']
  if (method === 'HEAD') {
    if (holds('head-length') && given !== undefined) sent['content-length'] = String(given)
    return { status, headers: sent, body }
  }
  const bytes = (await collect(body))!
  if (holds('function-answer') && Math.ceil(bytes.length / 3) * 4 > EVENT_LIMIT_BYTES)
    return refuse(500, 'Internal Server Error')
  return {
    status,
    headers: { ...sent, 'content-length': String(bytes.length) },
    body: Readable.from([bytes]),
  }
}

function refuse(status: number, message: string): OriginAnswer {
  const body = Buffer.from(JSON.stringify({ message }))
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) }
  return { status, headers, body: Readable.from([body]) }
}
