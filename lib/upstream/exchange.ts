// One request to another registry: authorised as it asks, failures as errors, its rate limit noted.
import type { HttpClient, Incoming } from '../outbound/http-client.ts'
import type { Authorization } from './authorization.ts'
import { failureOf, sent } from './failures.ts'
import { limitsIn, type RateLimits } from './rate-limits.ts'
import { UpstreamError } from './upstream-error.ts'

export interface RegistryRequest {
  method: string
  /** Below the registry's base URL, e.g. `/v2/library/app/tags/list?n=100`, or a URL of its own. */
  path: string | URL
  /** `repository:library/app:pull`; empty for the base endpoint. */
  scope: string
  /** With the login itself, whatever the protocol asks for: other APIs of the same host. */
  basic?: boolean
  headers?: Record<string, string>
  /** A body in pieces cannot be sent twice: it goes out only once the login is known to be wanted. */
  body?: string | Uint8Array | AsyncIterable<Uint8Array>
  /** Statuses besides 2xx that are answers and no failures. */
  expected?: number[]
}

export class Exchange {
  readonly #client: HttpClient
  readonly #authorization: Authorization
  readonly #base: URL
  readonly #onLimits: (limits: RateLimits) => void

  constructor(
    client: HttpClient,
    authorization: Authorization,
    base: URL,
    onLimits: (limits: RateLimits) => void,
  ) {
    this.#client = client
    this.#authorization = authorization
    this.#base = base
    this.#onLimits = onLimits
  }

  /** @throws UpstreamError unless the status is a success, or expected */
  async send(request: RegistryRequest): Promise<Incoming> {
    let header = await (request.basic
      ? this.#authorization.basic()
      : this.#authorization.header(request.scope))
    for (let again = true; ; again = false) {
      const answer = await this.#once(request, header)
      const limits = limitsIn(answer.headers)
      if (limits) this.#onLimits(limits)
      if (answer.status >= 200 && answer.status < 300) {
        refuseWebPage(request, answer)
        return answer
      }
      if (request.expected?.includes(answer.status)) return answer
      if (answer.status === 401 && again && !request.basic) {
        const challenge = answer.headers['www-authenticate']
        const next = await this.#authorization.answer(challenge, request.scope, header)
        if (next !== undefined && isRepeatable(request)) {
          answer.discard()
          header = next
          continue
        }
      }
      throw await failureOf(answer)
    }
  }

  #once({ method, path, headers = {}, body }: RegistryRequest, authorization: string | undefined) {
    // Locations of uploads are the upstream's own and may be anywhere; the login is for its own host.
    const url = typeof path === 'string' ? below(this.#base, path) : path
    const own = url.origin === this.#base.origin
    return sent(this.#client, {
      method,
      url,
      headers: { ...headers, ...(own && authorization ? { authorization } : {}) },
      ...(body === undefined ? {} : { body }),
    })
  }
}

/** A login page, a web server's greeting: it says yes to everything. Blobs, whatever they are, tell by their digest. */
function refuseWebPage({ method, path }: RegistryRequest, answer: Incoming): void {
  if (!answer.headers['content-type']?.startsWith('text/html')) return
  if (method === 'GET' && String(path).includes('/blobs/')) return
  answer.discard()
  throw new UpstreamError(
    'lying',
    `${answer.url.host} answers ${method} with a web page: it is no registry`,
    {
      status: answer.status,
    },
  )
}

function isRepeatable({ body }: RegistryRequest): boolean {
  return body === undefined || typeof body === 'string' || body instanceof Uint8Array
}

/** The base may have a path of its own: `https://host/artifactory/api/docker/images`. */
function below(base: URL, path: string): URL {
  return new URL(`${base.origin}${base.pathname.replace(/\/$/, '')}${path}`)
}
