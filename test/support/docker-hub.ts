// An imitation of Docker Hub in front of any registry: its token service, rate limits, and the host that blobs are sent to.
// It keeps an access log of its own, and fails in every way a test asks for.
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Logged {
  /** `token`, `registry`, or the host that blobs are redirected to. */
  at: 'token' | 'registry' | 'cdn'
  method: string
  /** With its query. */
  path: string
  status: number
}

/** What a path answers instead of what it should. */
export type Fault =
  | { kind: 'status'; status: number; headers?: Record<string, string>; body?: string }
  /** Takes the request and says nothing. */
  | { kind: 'silence'; asked?: () => void }
  /** The body has another byte in it. */
  | { kind: 'altered' }
  /** The body is shorter than its announced length. */
  | { kind: 'short' }
  /** No length is announced, and the body does not end. */
  | { kind: 'endless' }
  /** The connection breaks after half of the body. */
  | { kind: 'cut' }
  /** Nothing is sent before the promise is kept. */
  | { kind: 'slow'; until: Promise<unknown> }
  | { kind: 'redirect'; location: string }

export interface DockerHub {
  /** `http://127.0.0.1:PORT` */
  url: string
  /** Of its token service, `http://127.0.0.1:PORT`. */
  tokenUrl: string
  log: Logged[]
  /** Authorization headers that the token service was sent. */
  logins: string[]
  /** Successful GETs of manifests and blobs, by path, as the registry itself answered them; redirected ones once. */
  fetched(): Map<string, number>
  /** Answers for paths that match, until it is taken away. @returns takes it away */
  break(path: RegExp, fault: Fault): () => void
  /** Tokens given so far are void. */
  expireTokens(): void
  /** Manifests left in the window; more are answered 429. */
  remaining: number
  stop(): Promise<void>
}

export interface DockerHubOptions {
  /** The registry behind it, open to everybody. */
  origin: string
  /** The only login; anonymous pulls are let in besides, unless `private`. */
  login?: { name: string; password: string }
  private?: boolean
  /** Manifests in six hours. */
  limit?: number
  /** GETs of blobs are sent to another host with a signed URL, as Docker Hub does. */
  redirectBlobs?: boolean
  /** Where clients are sent for tokens; to `tokenUrl` when absent. */
  realm?: string
}

const SERVICE = 'registry.docker.io'
const WINDOW_SECONDS = 21_600
const TOKEN_SECONDS = 300
const MANIFEST = /^\/v2\/.+\/manifests\//
const BLOB = /^\/v2\/.+\/blobs\/sha256:/

export async function startDockerHub(options: DockerHubOptions): Promise<DockerHub> {
  const { origin, login, limit = 100, redirectBlobs = true } = options
  const log: Logged[] = []
  const faults = new Set<{ path: RegExp; fault: Fault }>()
  const tokens = new Map<string, string[]>()
  const signatures = new Set<string>()

  const tokenServer = await listen((incoming, outgoing) => {
    const url = new URL(incoming.url!, 'http://x')
    const given = incoming.headers.authorization
    if (given !== undefined) hub.logins.push(given)
    const wanted = login && `Basic ${Buffer.from(`${login.name}:${login.password}`).toString('base64')}`
    if ((given !== undefined && given !== wanted) || (options.private && given === undefined))
      return reply(outgoing, 401, { details: 'incorrect username or password' })
    const token = randomBytes(24).toString('base64url')
    tokens.set(token, url.searchParams.getAll('scope'))
    const issued_at = new Date().toISOString()
    reply(outgoing, 200, { token, access_token: token, expires_in: TOKEN_SECONDS, issued_at })
  }, noted('token'))
  const cdn = await listen(async (incoming, outgoing) => {
    const [path, signature = ''] = incoming.url!.split('?signature=')
    // Its own signature is all it takes: a login sent along would be refused by a store.
    if (!signatures.has(signature) || incoming.headers.authorization)
      return reply(outgoing, 403, { message: 'signature does not match' })
    await answer(path!, incoming, outgoing)
  }, noted('cdn'))
  const registry = await listen(async (incoming, outgoing) => {
    const path = incoming.url!.split('?')[0]!
    if (!allowed(incoming, path)) {
      const scope = scopeOf(path)
      const tokens = options.realm ?? `${tokenServer.url}/token`
      const realm = `Bearer realm="${tokens}",service="${SERVICE}"`
      outgoing.setHeader('WWW-Authenticate', scope === '' ? realm : `${realm},scope="${scope}"`)
      return reply(outgoing, 401, errors('UNAUTHORIZED', 'authentication required'))
    }
    if (MANIFEST.test(path)) {
      if (incoming.method === 'GET') hub.remaining -= 1
      outgoing.setHeader('ratelimit-limit', `${limit};w=${WINDOW_SECONDS}`)
      outgoing.setHeader('ratelimit-remaining', `${Math.max(hub.remaining, 0)};w=${WINDOW_SECONDS}`)
      if (hub.remaining < 0) {
        outgoing.setHeader('Retry-After', '60')
        return reply(outgoing, 429, errors('TOOMANYREQUESTS', 'You have reached your pull rate limit.'))
      }
    }
    if (redirectBlobs && incoming.method === 'GET' && BLOB.test(path) && !faultFor(path)) {
      const signature = randomBytes(12).toString('hex')
      signatures.add(signature)
      outgoing.setHeader('Location', `${cdn.url}${path}?signature=${signature}`)
      return reply(outgoing, 307, '')
    }
    await answer(incoming.url!, incoming, outgoing)
  }, noted('registry'))

  function noted(at: Logged['at']) {
    return ({ method = '', url = '' }: IncomingMessage, status: number) =>
      log.push({ at, method, path: url, status })
  }
  function allowed({ headers }: IncomingMessage, path: string): boolean {
    const scopes = tokens.get((headers.authorization ?? '').replace(/^Bearer /, ''))
    return scopes !== undefined && (path === '/v2/' || scopes.includes(scopeOf(path)))
  }
  function faultFor(path: string): Fault | undefined {
    return [...faults].findLast((each) => each.path.test(path))?.fault
  }
  async function answer(target: string, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const fault = faultFor(target)
    if (fault?.kind === 'silence') return fault.asked?.()
    if (fault?.kind === 'slow') await fault.until
    if (fault?.kind === 'redirect') {
      outgoing.setHeader('Location', fault.location)
      return reply(outgoing, 307, '')
    }
    if (fault?.kind === 'status') {
      for (const [name, value] of Object.entries(fault.headers ?? {})) outgoing.setHeader(name, value)
      return reply(
        outgoing,
        fault.status,
        fault.body ?? errors('UNKNOWN', `broken on purpose: ${fault.status}`),
      )
    }
    const { authorization: _, host: __, ...headers } = incoming.headers
    const forwarded = request(`${origin}${target}`, { method: incoming.method!, headers }, (back) => {
      const { 'content-length': length, ...rest } = back.headers
      const kept =
        fault?.kind === 'endless' ? rest : { ...rest, ...(length ? { 'content-length': length } : {}) }
      outgoing.writeHead(back.statusCode ?? 502, kept)
      // Without a body there is nothing to be broken.
      if (incoming.method === 'HEAD') {
        outgoing.end()
        return
      }
      pass(back, outgoing, fault, Number(length ?? 0)).catch(() => outgoing.destroy())
    })
    forwarded.on('error', () => outgoing.destroy())
    incoming.pipe(forwarded)
  }

  const hub: DockerHub = {
    url: registry.url,
    tokenUrl: tokenServer.url,
    log,
    logins: [],
    remaining: limit,
    fetched() {
      const counts = new Map<string, number>()
      for (const { at, method, path, status } of log) {
        const content = MANIFEST.test(path) || BLOB.test(path)
        if (at !== 'registry' || method !== 'GET' || !content || ![200, 307].includes(status)) continue
        counts.set(path, (counts.get(path) ?? 0) + 1)
      }
      return counts
    },
    break(path, fault) {
      const entry = { path, fault }
      faults.add(entry)
      return () => faults.delete(entry)
    },
    expireTokens: () => tokens.clear(),
    stop: async () => {
      for (const each of [registry, tokenServer, cdn]) await each.stop()
    },
  }
  return hub
}

async function pass(
  back: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault | undefined,
  length: number,
): Promise<void> {
  let sent = 0
  for await (const chunk of back as AsyncIterable<Buffer>) {
    const piece = Buffer.from(chunk)
    if (fault?.kind === 'altered' && sent === 0) piece[0]! ^= 1
    if (fault?.kind === 'cut' && sent + piece.length > length / 2) {
      outgoing.write(piece.subarray(0, Math.max(0, Math.floor(length / 2) - sent)), () => outgoing.destroy())
      return
    }
    if (fault?.kind === 'short' && sent + piece.length >= length) {
      outgoing.write(piece.subarray(0, -1), () => outgoing.destroy())
      return
    }
    sent += piece.length
    outgoing.write(piece)
  }
  const more = () => {
    if (outgoing.destroyed) return
    outgoing.write(Buffer.alloc(64 * 1024), (error) => error || setImmediate(more))
  }
  if (fault?.kind === 'endless') more()
  else outgoing.end()
}

/** Docker Hub asks for exactly the repository of the request. */
function scopeOf(path: string): string {
  const name = /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\//.exec(path)?.[1]
  return name === undefined ? '' : `repository:${name}:pull`
}

function errors(code: string, message: string): object {
  return { errors: [{ code, message }] }
}

function reply(outgoing: ServerResponse, status: number, body: object | string): void {
  if (typeof body === 'object') outgoing.setHeader('Content-Type', 'application/json')
  outgoing.writeHead(status)
  outgoing.end(typeof body === 'object' ? JSON.stringify(body) : body)
}

async function listen(
  handle: (incoming: IncomingMessage, outgoing: ServerResponse) => unknown,
  note: (incoming: IncomingMessage, status: number) => void,
): Promise<{ url: string; stop(): Promise<void> }> {
  const server: Server = createServer((incoming, outgoing) => {
    // Noted as its head goes out: a client that has the answer finds it in the log.
    const { writeHead } = outgoing
    outgoing.writeHead = ((status: number, ...more: []) => {
      note(incoming, status)
      return writeHead.call(outgoing, status, ...more)
    }) as typeof outgoing.writeHead
    void handle(incoming, outgoing)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
