// CloudFront, driven by the synthesised template: behaviours, functions, origins, what it does to errors.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { EdgeResponse } from '../../lib/edge/apply.ts'
import type { EdgeRequest, EdgeValue } from '../../lib/edge/request.ts'
import { type EdgeFunction, loadEdgeFunction } from '../support/cloudfront-runtime.ts'
import { type Behaviour, behaviourFor, type Edge } from './distribution.ts'
import { edgeRequestOf, headersOf, targetOf } from './edge-event.ts'
import { holds } from './limits.ts'
import type { Origin, OriginAnswer } from './origin.ts'

export interface RunningEdge {
  port: number
  /** Body bytes of requests to upload paths, as viewers sent them. */
  readonly uploadBytes: number
  /** Requests by where they went. */
  readonly went: Record<string, number>
  close(): Promise<void>
}

export interface EdgeOptions {
  edge: Edge
  origins: Record<string, Origin>
  /** Headers that the distribution adds for an origin, with their secrets filled in. */
  originHeaders: Record<string, Record<string, string>>
  readKey(key: string): Promise<string>
  tls: { key: string; cert: string }
}

type Incoming = IncomingMessage | Http2ServerRequest
type Outgoing = ServerResponse | Http2ServerResponse

/** A window that does not slow large uploads down on loopback. */
const WINDOW_BYTES = 8 * 2 ** 20
const KEPT_ERRORS_MS = 10_000
/** Of the distribution's, to viewers. */
const OWN_HEADERS = { 'x-cache': 'Miss from cloudfront', via: '1.1 twin.cloudfront.net (CloudFront)' }
const STRIPPED = ['connection', 'keep-alive', 'transfer-encoding', 'proxy-connection', 'upgrade']

export async function startEdge(options: EdgeOptions): Promise<RunningEdge> {
  const { edge, origins, originHeaders, readKey } = options
  const functions = new Map<string, EdgeFunction>()
  for (const [id, code] of Object.entries(edge.functions))
    functions.set(
      id,
      loadEdgeFunction(code, readKey, () => holds('edge-read-only')),
    )
  const went: Record<string, number> = {}
  const keptErrors = new Map<string, { until: number; answer: OriginAnswer; bytes: Buffer }>()
  let uploadBytes = 0

  const functionFor = (behaviour: Behaviour, type: string) => {
    const found = behaviour.FunctionAssociations?.find(({ EventType }) => EventType === type)
    return found && functions.get(found.FunctionARN['Fn::GetAtt'][0])
  }

  async function serve(incoming: Incoming, outgoing: Outgoing): Promise<void> {
    const requestId = randomBytes(32).toString('base64url')
    const viewer = edgeRequestOf(incoming)
    const behaviour = behaviourFor(edge.distribution, viewer.uri)
    if (!behaviour.AllowedMethods.includes(viewer.method)) return page(outgoing, 403)
    const event = { viewer: { ip: addressOf(incoming) }, context: { requestId } }
    let request: EdgeRequest = viewer
    let target = behaviour.TargetOriginId
    const onRequest = functionFor(behaviour, 'viewer-request')
    if (onRequest) {
      const { result, origin } = await onRequest.run({ ...event, request })
      if ('statusCode' in result) {
        count('edge')
        return generated(incoming, outgoing, result)
      }
      request = result
      target = origin ?? target
    }
    count(target)
    const body = bodyOf(incoming, viewer)
    const answer = await ask(target, request, viewer.uri.includes('/blobs/uploads/') ? counted(body) : body)
    const onResponse = functionFor(behaviour, 'viewer-response')
    if (!onResponse || (answer.status >= 400 && holds('edge-errors'))) return send(outgoing, answer)
    const { result } = await onResponse.run({ ...event, request, response: edgeResponseOf(answer) })
    const made = result as unknown as EdgeResponse
    send(outgoing, { status: made.statusCode, headers: plain(made.headers), body: answer.body })
  }

  /** In a stream of its own: whoever only listened would take what comes before the origin is ready. */
  function counted(body: Readable | undefined): Readable | undefined {
    return body?.pipe(
      new Transform({
        transform(chunk: Buffer, _, done) {
          uploadBytes += chunk.length
          done(undefined, chunk)
        },
      }),
    )
  }

  function count(where: string): void {
    went[where] = (went[where] ?? 0) + 1
  }

  async function ask(id: string, request: EdgeRequest, body: Readable | undefined): Promise<OriginAnswer> {
    const { host: _, ...headers } = headersOf(request)
    const target = targetOf(request)
    const key = `${request.method} ${target}`
    const kept = keptErrors.get(key)
    if (kept && kept.until > Date.now()) return { ...kept.answer, body: Readable.from([kept.bytes]) }
    const origin = origins[id]
    if (!origin) throw new Error(`there is no origin ${id}`)
    const answer = await origin({
      method: request.method,
      target,
      headers: {
        ...headers,
        ...originHeaders[id],
        via: '2.0 twin.cloudfront.net (CloudFront)',
        'x-amz-cf-id': 'twin',
      },
      body,
    })
    return keep(key, request.method, answer)
  }

  /** Errors are kept although caching is off, unless the distribution says 0 for the code. */
  async function keep(key: string, method: string, answer: OriginAnswer): Promise<OriginAnswer> {
    if (answer.status < 400 || !['GET', 'HEAD'].includes(method) || !holds('error-cache')) return answer
    const rule = edge.distribution.CustomErrorResponses?.find(({ ErrorCode }) => ErrorCode === answer.status)
    if (rule?.ErrorCachingMinTTL === 0 || [401, 429].includes(answer.status)) return answer
    const chunks: Buffer[] = []
    for await (const chunk of answer.body) chunks.push(chunk as Buffer)
    const bytes = Buffer.concat(chunks)
    keptErrors.set(key, { until: Date.now() + KEPT_ERRORS_MS, answer, bytes })
    return { ...answer, body: Readable.from([bytes]) }
  }

  const server = createSecureServer(
    { ...options.tls, allowHTTP1: true, settings: { initialWindowSize: WINDOW_BYTES } },
    (incoming: Incoming, outgoing: Outgoing) => {
      serve(incoming, outgoing).catch((error) => {
        if (process.env.TWIN_DEBUG) console.error(incoming.method, incoming.url, error)
        page(outgoing, 502)
      })
    },
  )
  server.on('session', (session) => session.setLocalWindowSize(WINDOW_BYTES))
  const sockets = new Set<Socket>()
  server.on('secureConnection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    get uploadBytes() {
      return uploadBytes
    },
    went,
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** Where the connection comes from: this machine's 127.0.0.7 is 192.0.2.7 outside. */
function addressOf({ socket, headers }: Incoming): string {
  const said = headers['x-forwarded-for']
  if (process.env.SABOTAGE === 'edge-viewer' && said) return String(said)
  return String(socket.remoteAddress).replace(/^.*127\.0\.0\./, '192.0.2.')
}

function bodyOf(incoming: Incoming, { method, headers }: EdgeRequest): Readable | undefined {
  if (method === 'GET' || method === 'HEAD') return undefined
  const length = headers['content-length']?.value
  const http1 = incoming.httpVersionMajor === 1
  if (length === '0' || (http1 && length === undefined && headers['transfer-encoding'] === undefined))
    return undefined
  return incoming as Readable
}

function edgeResponseOf({ status, headers }: OriginAnswer) {
  const values: Record<string, EdgeValue> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) values[name] = { value: String(value) }
  return { statusCode: status, headers: values }
}

const plain = (headers: Record<string, EdgeValue>) =>
  Object.fromEntries(Object.entries(headers).map(([name, { value }]) => [name, value]))

function send(outgoing: Outgoing, { status, headers, body }: OriginAnswer): void {
  const sent: Record<string, string | string[]> = { ...OWN_HEADERS }
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !STRIPPED.includes(name)) sent[name] = value
  ;(outgoing as ServerResponse).writeHead(status, sent)
  void pipeline(body, outgoing as ServerResponse).catch(() => outgoing.destroy())
}

/** A function's own answer; what the viewer still sends is read and thrown away. */
function generated(
  incoming: Incoming,
  outgoing: Outgoing,
  { statusCode, headers, body }: EdgeResponse,
): void {
  incoming.resume()
  ;(outgoing as ServerResponse).writeHead(statusCode, {
    ...OWN_HEADERS,
    ...plain(headers),
    'x-cache': 'FunctionGeneratedResponse from cloudfront',
  })
  outgoing.end(body)
}

/** CloudFront's own pages are HTML. */
function page(outgoing: Outgoing, status: number): void {
  if (outgoing.headersSent) return void outgoing.destroy()
  ;(outgoing as ServerResponse).writeHead(status, {
    'content-type': 'text/html',
    'x-cache': 'Error from cloudfront',
  })
  outgoing.end(`<HTML><BODY><H1>${status} ERROR</H1></BODY></HTML>`)
}
