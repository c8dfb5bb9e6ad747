// The Authorization header for requests to another registry: whatever its challenges ask for, remembered while it lasts
// (distribution's docs/spec/auth/token.md; the OAuth 2 form is not needed, because every token service takes GET).
import { type HttpClient, readBounded } from '../outbound/http-client.ts'
import { parseChallenges } from './challenge.ts'
import { answered } from './failures.ts'
import { UpstreamError } from './upstream-error.ts'

export interface Login {
  name: string
  password: string
}

interface Token {
  header: string
  expiresAtMs: number
}

interface Realm {
  url: URL
  service: string | undefined
}

/** RFC 6749's `expires_in` may be missing: distribution's token specification says a minute then. */
const LIFE_SECONDS = 60
/** A token that ends while its request is on the way is of no use. */
const MARGIN_MS = 5000
const TOKENS_LIMIT = 1000
const ANSWER_LIMIT_BYTES = 256 * 1024

export class Authorization {
  readonly #client: HttpClient
  readonly #login: () => Promise<Login | undefined>
  readonly #base: URL
  readonly #nowMs: () => number
  #scheme: 'none' | 'basic' | 'bearer' = 'none'
  #realm: Realm | undefined
  readonly #tokens = new Map<string, Promise<Token>>()

  /** @param base the registry's own URL: a login goes in the clear only where it does so anyway */
  constructor(
    client: HttpClient,
    base: URL,
    login: () => Promise<Login | undefined>,
    nowMs: () => number = Date.now,
  ) {
    this.#client = client
    this.#base = base
    this.#login = login
    this.#nowMs = nowMs
  }

  /** What is known to be wanted already; undefined before the first challenge. */
  async header(scope: string): Promise<string | undefined> {
    if (this.#scheme === 'basic') return this.basic()
    if (this.#scheme === 'bearer' && this.#realm) return (await this.#token(this.#realm, scope)).header
    return undefined
  }

  /**
   * What a 401 asks for, fresh.
   * @param refused the header that was sent with the request, if there was one
   * @returns undefined when there is nothing (else) to answer it with
   * @throws UpstreamError when the token service refuses
   */
  async answer(
    wwwAuthenticate: string | undefined,
    scope: string,
    refused: string | undefined,
  ): Promise<string | undefined> {
    const challenges = parseChallenges(wwwAuthenticate)
    const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters.realm)
    if (bearer) {
      const { realm, service, scope: asked = scope } = bearer.parameters
      this.#scheme = 'bearer'
      this.#realm = { url: this.#realmUrl(realm!), service }
      const key = keyOf(this.#realm, asked)
      const known = await this.#tokens.get(key)?.catch(() => undefined)
      if (known?.header === refused) this.#tokens.delete(key)
      const { header } = await this.#token(this.#realm, asked)
      // Where the scope asked for is another than the one we thought of, the same token serves both.
      if (asked !== scope) this.#tokens.set(keyOf(this.#realm, scope), this.#tokens.get(key)!)
      return header === refused ? undefined : header
    }
    if (!challenges.some(({ scheme }) => scheme === 'basic')) return undefined
    this.#scheme = 'basic'
    const header = await this.basic()
    return header === refused ? undefined : header
  }

  /** The login itself; undefined where there is none. */
  async basic(): Promise<string | undefined> {
    const login = await this.#login()
    return login && basicHeader(login)
  }

  /** Requests of one scope at the same time share the token, and its fetching. */
  #token(realm: Realm, scope: string): Promise<Token> {
    const key = keyOf(realm, scope)
    const known = this.#tokens.get(key)
    if (known) return this.#fresh(known, key, realm, scope)
    if (this.#tokens.size >= TOKENS_LIMIT) this.#tokens.clear()
    const fetching = this.#fetch(realm, scope)
    this.#tokens.set(key, fetching)
    fetching.catch(() => {
      if (this.#tokens.get(key) === fetching) this.#tokens.delete(key)
    })
    return fetching
  }

  async #fresh(known: Promise<Token>, key: string, realm: Realm, scope: string): Promise<Token> {
    const token = await known
    if (token.expiresAtMs - MARGIN_MS > this.#nowMs()) return token
    if (this.#tokens.get(key) === known) this.#tokens.delete(key)
    return this.#token(realm, scope)
  }

  async #fetch({ url, service }: Realm, scope: string): Promise<Token> {
    const asked = new URL(url)
    if (service !== undefined) asked.searchParams.set('service', service)
    for (const each of scope.split(' ').filter(Boolean)) asked.searchParams.append('scope', each)
    const login = await this.#login()
    const headers = login ? { authorization: basicHeader(login) } : {}
    const answer = await answered(this.#client, { method: 'GET', url: asked, headers }, 'the token service')
    const { token, access_token, expires_in } = parsed(await readBounded(answer, ANSWER_LIMIT_BYTES))
    const text = token || access_token
    if (typeof text !== 'string' || !/^[\x21-\x7e]+$/.test(text))
      throw new UpstreamError('lying', `the token service ${url.host} answered without a token`)
    const seconds = typeof expires_in === 'number' && expires_in > 0 ? expires_in : LIFE_SECONDS
    return { header: `Bearer ${text}`, expiresAtMs: this.#nowMs() + seconds * 1000 }
  }

  /** @throws UpstreamError for a token service that would get the password in the clear, where the registry does not */
  #realmUrl(realm: string): URL {
    let url: URL
    try {
      url = new URL(realm, this.#base)
    } catch (cause) {
      throw new UpstreamError('lying', 'its challenge names no token service', { cause })
    }
    if (this.#base.protocol === 'https:' && url.protocol !== 'https:')
      throw new UpstreamError('lying', `its token service ${url.host} is not on https`)
    return url
  }
}

export function basicHeader({ name, password }: Login): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
}

function keyOf({ url, service }: Realm, scope: string): string {
  return `${url.href} ${service ?? ''} ${scope}`
}

function parsed(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // said below
  }
  throw new UpstreamError('lying', 'the token service answered with what is no JSON')
}
