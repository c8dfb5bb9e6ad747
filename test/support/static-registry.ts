// A registry that serves what a test gives it, of any size, and notes what it is asked. It shares no code with ours.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface StaticRegistry {
  url: string
  /** `GET /v2/app/manifests/v1`, in their order. */
  log: string[]
  /** Answers everything 503 meanwhile. */
  down: boolean
  /** By `name@digest` or `name:tag`. */
  manifests: Map<string, { bytes: Buffer; mediaType: string }>
  blobs: Map<string, Buffer>
  /** In the order they are listed. */
  repositories: readonly string[]
  tags: readonly string[]
  /** Entries of a page at most, whatever the client asks for; all at once where that is undefined. */
  pageSize: number | undefined
  stop(): Promise<void>
}

export const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

export async function startStaticRegistry(): Promise<StaticRegistry> {
  const server = createServer((request, response) => {
    registry.log.push(`${request.method} ${request.url}`)
    answer(registry, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const registry: StaticRegistry = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    log: [],
    down: false,
    manifests: new Map(),
    blobs: new Map(),
    repositories: [],
    tags: [],
    pageSize: 1000,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return registry
}

function answer(registry: StaticRegistry, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url!, 'http://x')
  if (registry.down) send(response, 503, '{"errors":[{"code":"UNKNOWN","message":"down"}]}')
  else if (url.pathname === '/v2/') send(response, 200, '{}')
  else if (url.pathname === '/v2/_catalog') sendList(registry, response, url, 'repositories')
  else if (url.pathname.endsWith('/tags/list')) sendList(registry, response, url, 'tags')
  else sendContent(registry, request, response, url)
}

function sendContent(
  { manifests, blobs }: StaticRegistry,
  { method }: IncomingMessage,
  response: ServerResponse,
  { pathname }: URL,
): void {
  const [, name, kind, reference] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(pathname) ?? []
  const named = manifests.get(`${name}@${reference}`) ?? manifests.get(`${name}:${reference}`)
  const manifest = kind === 'manifests' ? named : undefined
  const bytes = kind === 'blobs' ? blobs.get(reference!) : manifest?.bytes
  if (!bytes) {
    send(response, 404, '{"errors":[{"code":"NAME_UNKNOWN","message":"not here"}]}')
    return
  }
  response.writeHead(200, {
    'content-type': manifest?.mediaType ?? 'application/octet-stream',
    'content-length': bytes.length,
    'docker-content-digest': sha256(bytes),
  })
  response.end(method === 'HEAD' ? undefined : bytes)
}

/** distribution-spec v1.1.1 §"Listing Tags": after `last`, as many as the smaller of `n` and its own limit. */
function sendList(
  registry: StaticRegistry,
  response: ServerResponse,
  url: URL,
  what: 'repositories' | 'tags',
): void {
  const all = registry[what]
  const last = url.searchParams.get('last')
  const from = last === null ? 0 : all.indexOf(last) + 1
  const size = registry.pageSize
  const page = size === undefined ? all : all.slice(from, from + size)
  const isMore = size !== undefined && from + size < all.length
  const next = `${url.pathname}?n=${size}&last=${encodeURIComponent(page.at(-1) ?? '')}`
  if (isMore) response.setHeader('Link', `<${next}>; rel="next"`)
  send(response, 200, JSON.stringify({ [what]: page }))
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}
