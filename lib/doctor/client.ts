// A registry seen from outside: plain requests, as a client makes them.
import { createHash } from 'node:crypto'

export interface Answer {
  status: number
  headers: Headers
  body: Buffer
}

export interface Login {
  user: string
  password: string
}

export interface Ask {
  headers?: Record<string, string>
  body?: Uint8Array | AsyncIterable<Uint8Array>
  /** Follow redirects; default true. */
  follow?: boolean
  /** Without the Bearer token. */
  anonymous?: boolean
}

export type Asker = (method: string, path: string, ask?: Ask) => Promise<Answer>

/** However long an answer takes: gateways give up at 30 seconds themselves. */
const TIMEOUT_MS = 60_000

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** @param token sent as Bearer where a request is not anonymous */
export function askerOf(url: string, token: () => string | undefined): Asker {
  return async (method, path, { headers = {}, body, follow = true, anonymous = false } = {}) => {
    const bearer = anonymous ? undefined : token()
    const answer = await fetch(new URL(path, url), {
      method,
      headers: { ...(bearer ? { authorization: `Bearer ${bearer}` } : {}), ...headers },
      redirect: follow ? 'follow' : 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: body as RequestInit['body'], duplex: 'half' }),
    } as RequestInit)
    return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) }
  }
}

/** @returns a token for pulls, pushes and deletions in that repository. @throws Error saying what the registry answered */
export async function logIn(
  url: string,
  challenge: string,
  login: Login | undefined,
  name: string,
): Promise<string> {
  const realm = /realm="([^"]+)"/.exec(challenge)?.[1]
  if (!realm) throw new Error(`the challenge names no realm: ${challenge}`)
  const endpoint = new URL(realm, url)
  endpoint.searchParams.set('service', /service="([^"]*)"/.exec(challenge)?.[1] ?? '')
  endpoint.searchParams.set('scope', `repository:${name}:pull,push,delete`)
  const headers = login
    ? { authorization: `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}` }
    : undefined
  const answer = await fetch(endpoint, {
    ...(headers ? { headers } : {}),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const body = (await answer.json().catch(() => ({}))) as { token?: string }
  if (!answer.ok || !body.token) throw new Error(`the token endpoint answered ${answer.status}`)
  return body.token
}
