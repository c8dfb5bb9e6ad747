// A Harbor made of its recorded answers: paged, counted and linked as Harbor's are, with its ways of refusing. Its
// registry is Debian's docker-registry. What it answers is compared with Harbor's own swagger file.
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { judge } from '../../harbor/contract.ts'
import { type DockerRegistry, startDockerRegistry } from '../../support/docker-registry.ts'
import { listsOf, OBJECTS, type Peers } from './lists.ts'

export interface RecordedHarbor {
  url: string
  host: string
  /** Where images are pushed. */
  behind: DockerRegistry
  /** Rows by path; tests change them. */
  lists: Record<string, object[]>
  /** What of its answers Harbor's file does not allow. */
  breaches: string[]
  /** Request targets under /api, as they came. */
  asked: string[]
  stop(): Promise<void>
}

export const LOGIN = { user: 'admin', password: 'Harbor-recorded-1' }

const BASE = '/api/v2.0'
const PAGE = 10
const PAGE_LIMIT = 100

export async function startRecordedHarbor(peers: Peers): Promise<RecordedHarbor> {
  const behind = await startDockerRegistry()
  const harbor = { behind, lists: listsOf(peers), breaches: [] as string[], asked: [] as string[] }
  const server = createServer((incoming, response) => {
    if (incoming.url!.startsWith('/v2/')) return forward(behind, incoming, response)
    harbor.asked.push(incoming.url!)
    const { status, headers, body } = answer(harbor.lists, incoming)
    const exchange = { method: 'GET', path: incoming.url!, status, headers, body: withoutNulls(body) }
    harbor.breaches.push(...judge(exchange).breaches.map((each) => `${incoming.url} ${each}`))
    response.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    ...harbor,
    url: `http://${host}`,
    host,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await behind.stop()
    },
  }
}

interface Answered {
  status: number
  headers: Record<string, string>
  body: string
}

function answer(lists: Record<string, object[]>, { url, headers }: IncomingMessage): Answered {
  const target = new URL(url!, 'http://harbor')
  const [user, password] = loginIn(headers.authorization)
  if (user.startsWith('robot$') && target.pathname === `${BASE}/users/current`)
    return refused(412, 'PRECONDITION', `get current user not available for security context: ${user}`)
  if (user !== LOGIN.user || password !== LOGIN.password) return refused(401, 'UNAUTHORIZED', 'unauthorized')
  const path = target.pathname.slice(BASE.length)
  if (path === '/users/current')
    return json({ user_id: 1, username: user, sysadmin_flag: true, admin_role_in_auth: false })
  if (OBJECTS[path]) return json(OBJECTS[path])
  const rows = lists[narrowed(path, target.searchParams)]
  if (rows) return page(target, rows)
  // Project 1 and 9 have no rules, labels and robots; repositories that nobody has are not there.
  if (/\/artifacts$/.test(path)) return refused(404, 'NOT_FOUND', `${path} not found`)
  return page(target, [])
}

/** The path, with what of the query chooses other rows. */
function narrowed(path: string, query: URLSearchParams): string {
  if (path === '/labels') {
    const project = query.get('project_id')
    return `/labels?scope=${query.get('scope')}${project ? `&project_id=${project}` : ''}`
  }
  return path === '/robots' && query.has('q') ? `/robots?q=${query.get('q')}` : path
}

/** Links have their queries unescaped, as Harbor's. */
function page(target: URL, rows: object[]): Answered {
  const [number, size] = [
    Number(target.searchParams.get('page') ?? 1),
    Number(target.searchParams.get('page_size') ?? PAGE),
  ]
  if (size > PAGE_LIMIT)
    return refused(422, 'UNPROCESSABLE_ENTITY', 'page_size in query should be less than or equal to 100')
  const at = (wanted: number) => {
    const query = new URLSearchParams(target.searchParams)
    query.set('page', String(wanted))
    return decodeURIComponent(`${target.pathname}?${query}`)
  }
  const links = [
    ...(number > 1 && (number - 1) * size < rows.length ? [`<${at(number - 1)}>; rel="prev"`] : []),
    ...(number * size < rows.length ? [`<${at(number + 1)}>; rel="next"`] : []),
  ]
  const more = {
    'x-total-count': String(rows.length),
    ...(links.length > 0 ? { link: links.join(' , ') } : {}),
  }
  return json(rows.slice((number - 1) * size, number * size), 200, more)
}

function refused(status: number, code: string, message: string): Answered {
  return json({ errors: [{ code, message }] }, status)
}

function json(body: unknown, status = 200, headers: Record<string, string> = {}): Answered {
  const type = { 'content-type': 'application/json; charset=utf-8' }
  return { status, headers: { ...type, ...headers }, body: JSON.stringify(body) }
}

function loginIn(header = ''): [string, string] {
  const text = Buffer.from(header.replace(/^Basic /, ''), 'base64').toString()
  const colon = text.indexOf(':')
  return [text.slice(0, colon), text.slice(colon + 1)]
}

/** Go writes lists that were never made as null, whatever the swagger file says. */
function withoutNulls(body: string): string {
  return JSON.stringify(JSON.parse(body), (_, value) => (value === null ? undefined : value))
}

function forward({ host }: DockerRegistry, incoming: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = incoming
  const onward = request(`http://${host}${url}`, { method, headers: { ...headers, host } }, (answered) => {
    response.writeHead(answered.statusCode!, answered.headers)
    answered.pipe(response)
  })
  onward.on('error', () => response.destroy())
  incoming.pipe(onward)
}
