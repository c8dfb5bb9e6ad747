// HTTP requests to hosts that people name in settings: guarded addresses, bounded waiting, redirects by our own rules.
// Node's own client: it has the hooks for both, and a function's bundle stays small.
import * as http from 'node:http'
import * as https from 'node:https'
import { isIP } from 'node:net'
import { getCACertificates } from 'node:tls'
import type { AddressGuard } from './address-guard.ts'
import { explained, OutboundError } from './outbound-error.ts'

export interface HttpClientOptions {
  guard: AddressGuard
  /** PEM certificates trusted besides the usual ones. */
  caCertificate?: string
  /** Take any certificate. */
  insecure?: boolean
  /** To a connection with its TLS. Default 10 s. */
  connectMs?: number
  /** To the head of the answer, once the request was sent. Default 60 s; of a HEAD at most 10 s. */
  answerMs?: number
  /** Between two pieces of a body. Default 30 s. */
  idleMs?: number
}

export interface Outgoing {
  method: string
  url: URL
  /** Names in lower case. */
  headers?: Record<string, string>
  body?: string | Uint8Array | AsyncIterable<Uint8Array>
}

export interface Incoming {
  status: number
  /** Names in lower case. */
  headers: http.IncomingHttpHeaders
  /** Where it came from, after redirects. */
  url: URL
  /** Has to be read to its end, or discarded. @throws OutboundError */
  body: AsyncIterable<Uint8Array>
  discard(): void
}

/** It only asks, and has nothing to prepare. */
const HEAD_MS = 10_000
const REDIRECTS_LIMIT = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])
const SOCKETS = 64
/** Never for another host. */
const SECRETS = ['authorization', 'cookie']

export class HttpClient {
  readonly #options: HttpClientOptions
  readonly #agents: { http: http.Agent; https: https.Agent }

  constructor(options: HttpClientOptions) {
    this.#options = options
    const { guard, caCertificate, insecure } = options
    const common = { keepAlive: true, maxSockets: SOCKETS, lookup: guard.lookup }
    this.#agents = {
      http: new http.Agent(common),
      https: new https.Agent({
        ...common,
        rejectUnauthorized: !insecure,
        ...(caCertificate ? { ca: [...getCACertificates('default'), caCertificate] } : {}),
      }),
    }
  }

  /** Follows redirects of GET and HEAD, each checked as the first. @throws OutboundError */
  async request(outgoing: Outgoing): Promise<Incoming> {
    let { url, headers = {} } = outgoing
    for (let redirects = 0; ; redirects++) {
      const answer = await this.exchange({ ...outgoing, url, headers })
      const { location } = answer.headers
      const follow = outgoing.method === 'GET' || outgoing.method === 'HEAD'
      if (!follow || !REDIRECTS.has(answer.status) || location === undefined) return answer
      answer.discard()
      if (redirects === REDIRECTS_LIMIT)
        throw new OutboundError('broken', `${url.host} redirects more than ${REDIRECTS_LIMIT} times`)
      const next = redirected(url, location)
      if (next.origin !== url.origin)
        headers = Object.fromEntries(Object.entries(headers).filter(([name]) => !SECRETS.includes(name)))
      url = next
    }
  }

  /** One request and its answer, whatever that is. @throws OutboundError */
  async exchange(outgoing: Outgoing): Promise<Incoming> {
    try {
      return await this.#send(outgoing)
    } catch (error) {
      // A connection that was kept may have been closed by the other side just now; nothing was answered on it.
      if (!(error instanceof StaleConnection) || outgoing.body !== undefined) throw error
      return this.#send(outgoing)
    }
  }

  #send({ method, url, headers = {}, body }: Outgoing): Promise<Incoming> {
    const { guard, connectMs = 10_000, idleMs = 30_000, ...patience } = this.#options
    const answerMs = Math.min(patience.answerMs ?? 60_000, method === 'HEAD' ? HEAD_MS : Infinity)
    const secure = checkedProtocol(url)
    // An address needs no looking up, so nothing else would see it.
    const literal = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(literal)) guard.check(literal)
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        clearTimeout(timer)
        const { message, failure } = explained(error, url.host)
        const stale = request.reusedSocket && failure === 'broken'
        reject(
          stale ? new StaleConnection(failure, message, error) : new OutboundError(failure, message, error),
        )
      }
      const silent = (what: string, ms: number) => () =>
        request.destroy(new OutboundError('silent', `${url.host} ${what} for ${ms / 1000} s`))
      const request = (secure ? https : http).request(url, {
        method,
        agent: secure ? this.#agents.https : this.#agents.http,
        headers: { 'user-agent': 'entrepot', ...headers },
      })
      let timer = setTimeout(silent('took no connection', connectMs), connectMs)
      const await_ = (what: string, ms: number) => {
        clearTimeout(timer)
        timer = setTimeout(silent(what, ms), ms)
      }
      request.on('socket', (socket) => {
        const ready = () => await_('gave no answer', answerMs)
        if (!socket.connecting) return ready()
        socket.once(secure ? 'secureConnect' : 'connect', ready)
      })
      request.on('error', fail)
      request.on('response', (incoming) => {
        clearTimeout(timer)
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          url,
          body: bodyOf(incoming, url.host, idleMs),
          discard: () => incoming.destroy(),
        })
      })
      if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) request.end(body)
      else
        sendChunks(request, body, () => await_('took nothing', answerMs)).catch((error) => {
          request.destroy(error as Error)
        })
    })
  }

  close(): void {
    this.#agents.http.destroy()
    this.#agents.https.destroy()
  }
}

class StaleConnection extends OutboundError {}

async function sendChunks(
  request: http.ClientRequest,
  body: AsyncIterable<Uint8Array>,
  sent: () => void,
): Promise<void> {
  for await (const chunk of body) {
    if (request.destroyed) return
    await new Promise<void>((resolve, reject) =>
      request.write(chunk, (error) => (error ? reject(error) : resolve())),
    )
    sent()
  }
  request.end()
}

async function* bodyOf(
  incoming: http.IncomingMessage,
  host: string,
  idleMs: number,
): AsyncGenerator<Uint8Array> {
  const silent = new OutboundError('silent', `${host} sent nothing more for ${idleMs / 1000} s`)
  const destroy = () => incoming.destroy(silent)
  let timer = setTimeout(destroy, idleMs)
  try {
    for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
      clearTimeout(timer)
      yield chunk
      // Only waiting for the other side counts, not for whoever reads.
      timer = setTimeout(destroy, idleMs)
    }
  } catch (error) {
    throw explained(error, host)
  } finally {
    clearTimeout(timer)
  }
}

/** @returns whether it is HTTPS. @throws OutboundError `forbidden` for any other protocol than HTTP */
function checkedProtocol({ protocol }: URL): boolean {
  if (protocol === 'https:') return true
  if (protocol === 'http:') return false
  throw new OutboundError('forbidden', `${protocol} is neither http nor https`)
}

function redirected(from: URL, location: string): URL {
  let next: URL
  try {
    next = new URL(location, from)
  } catch (cause) {
    throw new OutboundError('broken', `${from.host} redirects to what is no URL`, cause)
  }
  if (from.protocol === 'https:' && next.protocol !== 'https:')
    throw new OutboundError('forbidden', `${from.host} redirects from https to ${next.protocol}`)
  return next
}

/** The whole body. @throws OutboundError `broken` when it is larger */
export async function readBounded({ body, url }: Incoming, limitBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > limitBytes)
      throw new OutboundError('broken', `${url.host} answers with more than ${limitBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
