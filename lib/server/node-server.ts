// Carries the HTTP core on Node's HTTP server. Its defaults would break uploads: no request timeout here, an idle
// timeout of our own instead, and a keep-alive that is configured to outlast a load balancer's.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { newId } from '../registry/registry.ts'
import { passed } from './garbage.ts'

const HEADERS_TIMEOUT_MS = 60_000
/** A body, or a reader, that does not move for this long is given up. */
const IDLE_MS = 120_000
/** After the body is in: a commit may have to read tens of GiB back. */
const WORK_MS = 1_800_000
const HEADER_LIMIT_BYTES = 32 * 1024
/** Of a refused request's body, read so that the client gets to see the answer. */
const DISCARD_LIMIT_BYTES = 64 * 1024 * 1024
const DISCARD_LIMIT_MS = 30_000

export type Handler = (request: HttpRequest) => Promise<HttpResponse>

export interface ServerHooks {
  begun(): void
  /** Once for each request, when its answer ended or broke off. */
  ended(
    request: HttpRequest,
    status: number,
    facts: { seconds: number; sentBytes: number; receivedBytes: number },
  ): void
  failed(request: HttpRequest, error: unknown): void
}

export interface TlsFiles {
  cert: string | Buffer
  key: string | Buffer
}

/**
 * @param keepAliveMs how long a connection may wait for its next request
 * @param tls serves HTTPS with it; change it later with `setSecureContext`
 */
export function createNodeServer(
  handler: Handler,
  hooks: ServerHooks,
  keepAliveMs: number,
  tls: TlsFiles | undefined,
): Server {
  const options = {
    maxHeaderSize: HEADER_LIMIT_BYTES,
    requestTimeout: 0,
    headersTimeout: HEADERS_TIMEOUT_MS,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: 5000,
    noDelay: true,
  }
  const server = tls ? createTlsServer({ ...options, ...tls, minVersion: 'TLSv1.2' }) : createServer(options)
  server.setTimeout(IDLE_MS)
  const serve = (incoming: IncomingMessage, outgoing: ServerResponse, continues: boolean) => {
    void answer(handler, hooks, incoming, outgoing, { secure: tls !== undefined, continues })
  }
  server.on('request', (incoming, outgoing) => serve(incoming, outgoing, false))
  // `100 Continue` only once the body is wanted: a refused client then never sends it.
  server.on('checkContinue', (incoming, outgoing) => serve(incoming, outgoing, true))
  server.on('clientError', refuseBroken)
  return server
}

async function answer(
  handler: Handler,
  hooks: ServerHooks,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  connection: { secure: boolean; continues: boolean },
): Promise<void> {
  const startedAt = performance.now()
  const counted = { receivedBytes: 0, sentBytes: 0 }
  const request = requestOf(incoming, outgoing, connection, counted)
  hooks.begun()
  let answering = false
  // A body that nobody reads ends after the answer, and would undo the time its connection has until the next request.
  incoming.once('end', () => answering || incoming.socket.setTimeout(WORK_MS))
  try {
    const response = await handler(request)
    answering = true
    incoming.socket.setTimeout(IDLE_MS)
    await send(incoming, outgoing, response, counted, connection.continues)
  } catch (error) {
    // The answer has begun: all that is left is to break it off, so that nobody takes it for whole.
    if (!outgoing.destroyed) hooks.failed(request, error)
    outgoing.destroy()
  }
  const seconds = (performance.now() - startedAt) / 1000
  hooks.ended(request, outgoing.statusCode, { seconds, ...counted })
}

function requestOf(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { secure, continues }: { secure: boolean; continues: boolean },
  counted: { receivedBytes: number },
): HttpRequest {
  const url = incoming.url ?? '/'
  const mark = url.indexOf('?')
  const headers = incoming.headers as Record<string, string | undefined>
  return {
    id: newId(),
    method: incoming.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    headers,
    body: bodyOf(incoming, outgoing, continues, counted),
    address: incoming.socket.remoteAddress ?? '',
    origin: `${secure ? 'https' : 'http'}://${headers.host ?? 'localhost'}`,
  }
}

async function* bodyOf(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  continues: boolean,
  counted: { receivedBytes: number },
): AsyncGenerator<Uint8Array> {
  if (continues) outgoing.writeContinue()
  // Not destroyed on early return: the answer still has to go out on this socket.
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    counted.receivedBytes += chunk.length
    passed(chunk.length)
    yield chunk
  }
}

async function send(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  response: HttpResponse,
  counted: { sentBytes: number; receivedBytes: number },
  /** The client sends no body before it is told to continue. */
  waits: boolean,
): Promise<void> {
  const { status, headers, body = '' } = response
  const withoutBody = incoming.method === 'HEAD' || status === 304 || status === 204
  for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value)
  if (status !== 204 && status !== 304) outgoing.setHeader('Content-Length', lengthOf(response))
  if (!incoming.complete && hasBody(incoming)) outgoing.setHeader('Connection', 'close')
  outgoing.statusCode = status
  const stillSends = !incoming.complete && !(waits && counted.receivedBytes === 0)
  if (stillSends && (withoutBody || typeof body === 'string')) {
    outgoing.flushHeaders()
    if (!withoutBody) outgoing.write(body)
    counted.sentBytes += withoutBody ? 0 : lengthOf(response)
    discardRest(incoming, () => outgoing.destroyed || outgoing.end())
  } else if (withoutBody) {
    outgoing.end()
  } else if (typeof body === 'string' || body instanceof Uint8Array) {
    counted.sentBytes += lengthOf(response)
    outgoing.end(body)
  } else {
    await sendChunks(outgoing, body, lengthOf(response), counted)
  }
}

function lengthOf({ body = '', lengthBytes }: HttpResponse): number {
  if (lengthBytes !== undefined) return lengthBytes
  if (typeof body === 'string') return Buffer.byteLength(body)
  if (body instanceof Uint8Array) return body.length
  throw new TypeError('an answer in chunks needs its length')
}

async function sendChunks(
  outgoing: ServerResponse,
  body: AsyncIterable<Uint8Array>,
  length: number,
  counted: { sentBytes: number },
): Promise<void> {
  for await (const chunk of body) {
    if (outgoing.destroyed) return // the reader went away
    // Until the callback the socket holds on to the chunk's memory.
    const written = await new Promise<boolean>((resolve) => outgoing.write(chunk, (error) => resolve(!error)))
    if (!written) return
    counted.sentBytes += chunk.length
  }
  if (counted.sentBytes !== length)
    throw new Error(`the store gave ${counted.sentBytes} bytes of a blob that has ${length}`)
  outgoing.end()
}

function hasBody(incoming: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers
  return encoding !== undefined || Number(length ?? 0) > 0
}

/**
 * A client that is still sending reads no answer on a connection that was reset, and Node closes one as soon as its
 * answer ends: let the client finish first, within bounds.
 */
function discardRest(incoming: IncomingMessage, done: () => void): void {
  let discarded = 0
  const timer = setTimeout(done, DISCARD_LIMIT_MS).unref()
  const finish = () => {
    clearTimeout(timer)
    done()
  }
  incoming.on('data', (chunk: Uint8Array) => {
    discarded += chunk.length
    if (discarded > DISCARD_LIMIT_BYTES) finish()
  })
  incoming.once('end', finish)
  incoming.once('close', finish)
  incoming.on('error', finish)
  incoming.resume()
}

function refuseBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const [status, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', `the headers are larger than ${HEADER_LIMIT_BYTES} bytes`]
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'the request’s headers took too long']
        : ['400 Bad Request', 'this is not a well-formed HTTP request']
  const body = JSON.stringify({ errors: [{ code: 'REQUEST_INVALID', message }] })
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  )
}
