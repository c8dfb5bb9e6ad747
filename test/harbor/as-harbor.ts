// An HTTP client for the tests of Harbor's API: no answer passes that Harbor's own clients could not read.
import { type Answer, clientOf } from '../api/client.ts'
import { heard } from './heard.ts'
import { BASE_PATH } from './swagger.ts'

export interface HarborAnswer extends Answer {
  /** The body, parsed. Undefined when it is empty or no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: answers have every shape, and this one's has been checked
  json: any
}

export interface HarborOptions {
  headers?: Record<string, string>
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it is, instead of `json`. */
  body?: Uint8Array | string
}

export interface Harbor {
  /**
   * @param path below the base path (`/projects?page=2`), or with it
   * @throws when the answer is not one that Harbor's swagger file describes
   */
  (method: string, path: string, options?: HarborOptions): Promise<HarborAnswer>
  url: string
}

/** A user's name and password, or a whole Authorization header; without either the caller is anonymous. */
export type Login = string | { user: string; password: string }

/** A client of `url` whose every exchange is compared with Harbor's description and recorded. */
export function asHarbor(url: string, login?: Login): Harbor {
  const send = clientOf(url, login === undefined ? undefined : authorizationOf(login))
  const harbor = async (method: string, path: string, options: HarborOptions = {}) => {
    const target = path.startsWith('/api/') ? path : `${BASE_PATH}${path}`
    const body = options.body ?? (options.json === undefined ? undefined : JSON.stringify(options.json))
    const type = options.json === undefined ? {} : { 'content-type': 'application/json' }
    const headers = { ...type, ...options.headers }
    const answer = await send(method, target, body === undefined ? { headers } : { headers, body })
    const { status } = answer
    if (target.startsWith(`${BASE_PATH}/`)) {
      const breaches = heard({ method, path: target, status, headers: answer.headers, body: answer.body })
      if (breaches.length > 0)
        throw new Error(`${breaches.join('\n')}\n${answer.body.toString().slice(0, 2000)}`)
    }
    return { ...answer, json: parsed(answer) }
  }
  return Object.assign(harbor, { url })
}

function authorizationOf(login: Login): string {
  if (typeof login === 'string') return login
  return `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`
}

function parsed({ body }: Answer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}
