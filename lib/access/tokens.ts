// Tokens: ES256 JWTs that say who asked and what was granted, refusals included, so that the data path looks
// nothing up.
import { randomUUID } from 'node:crypto'
import { decodeProtectedHeader, importJWK, type JWK, jwtVerify, SignJWT } from 'jose'
import { RegistryError } from '../oci/errors.ts'
import type { Clock } from '../registry/ports.ts'
import type { BasicCredentials } from './credentials.ts'
import type { ResourceActions } from './resources.ts'
import type { Secrets } from './secret-keys.ts'

export const TOKEN_SECONDS = 1800
const REFRESH_SECONDS = 30 * 86_400
const SKEW_SECONDS = 10
const TOKEN_LIMIT = 4096
const REMEMBERED = 2000
const ISSUER = 'entrepot'
const SCANNER = 'scanner'

/** The Authorization header of scanners that only log in with a name: their token is the password. */
export function scannerLogin(token: string): string {
  return `Basic ${Buffer.from(`${SCANNER}:${token}`).toString('base64')}`
}

export interface AccessToken {
  subject: string
  access: ResourceActions[]
  issuedAtSeconds: number
  expiresAtSeconds: number
  /** It is our own scanner's, which pulls what policies keep from everybody else. Nothing else tells a scanner. */
  scan?: true
}

type ImportedKey = Awaited<ReturnType<typeof importJWK>>

export class Tokens {
  readonly #secrets: Pick<Secrets, 'signingKeys' | 'activeSigningKey'>
  readonly #audience: string
  readonly #clock: Clock
  readonly #imported = new Map<string, Promise<{ sign: ImportedKey; verify: ImportedKey }>>()
  /** Verified tokens, least recently used first: a signature costs 50 times a look-up. */
  readonly #verified = new Map<string, AccessToken>()

  constructor(secrets: Pick<Secrets, 'signingKeys' | 'activeSigningKey'>, audience: string, clock: Clock) {
    this.#secrets = secrets
    this.#audience = audience
    this.#clock = clock
  }

  /** @throws REQUEST_INVALID when so much was asked for that the token would not fit a header */
  async issue(subject: string, access: ResourceActions[]): Promise<string> {
    const token = await this.#sign('JWT', subject, TOKEN_SECONDS, { access })
    if (token.length > TOKEN_LIMIT)
      throw new RegistryError('REQUEST_INVALID', 'too many scopes for one token: ask for fewer')
    return token
  }

  /** For a scanner: pulls from that repository, whatever its project's policy, for half an hour. */
  issueScan(repository: string): Promise<string> {
    const access: ResourceActions[] = [{ type: 'repository', name: repository, actions: ['pull'] }]
    return this.#sign('JWT', SCANNER, TOKEN_SECONDS, { access, scan: true })
  }

  /** @returns undefined unless somebody logs in with a scanner's token */
  async verifyScan({ name, password }: BasicCredentials): Promise<AccessToken | undefined> {
    const token = name === SCANNER ? await this.verify(password) : undefined
    return token?.scan ? token : undefined
  }

  issueRefresh(subject: string): Promise<string> {
    return this.#sign('refresh', subject, REFRESH_SECONDS, {})
  }

  /** @returns undefined when forged, expired, for someone else, or not an access token */
  async verify(token: string): Promise<AccessToken | undefined> {
    const now = this.#nowSeconds()
    const known = this.#verified.get(token)
    if (known) {
      this.#verified.delete(token)
      if (known.expiresAtSeconds <= now) return undefined
      this.#verified.set(token, known)
      return known
    }
    const claims = await this.#check(token, 'JWT')
    if (!claims || !Array.isArray(claims.access)) return undefined
    const verified: AccessToken = {
      subject: claims.sub ?? '',
      access: claims.access as ResourceActions[],
      issuedAtSeconds: claims.iat ?? 0,
      expiresAtSeconds: claims.exp ?? 0,
      ...(claims.scan === true ? { scan: true as const } : {}),
    }
    if (this.#verified.size >= REMEMBERED) this.#verified.delete(this.#verified.keys().next().value!)
    this.#verified.set(token, verified)
    return verified
  }

  async verifyRefresh(token: string): Promise<{ subject: string; issuedAtSeconds: number } | undefined> {
    const claims = await this.#check(token, 'refresh')
    return claims?.sub === undefined ? undefined : { subject: claims.sub, issuedAtSeconds: claims.iat ?? 0 }
  }

  publicKeys(): JWK[] {
    return this.#secrets.signingKeys.map(({ kid, jwk }) => ({
      kty: 'EC',
      crv: 'P-256',
      x: jwk.x!,
      y: jwk.y!,
      kid,
      alg: 'ES256',
      use: 'sig',
    }))
  }

  async #sign(
    typ: string,
    subject: string,
    lifeSeconds: number,
    claims: Record<string, unknown>,
  ): Promise<string> {
    const { kid } = this.#secrets.activeSigningKey
    const now = this.#nowSeconds()
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ, kid })
      .setIssuer(ISSUER)
      .setAudience(this.#audience)
      .setSubject(subject)
      .setIssuedAt(now)
      .setNotBefore(now - SKEW_SECONDS)
      .setExpirationTime(now + lifeSeconds)
      .setJti(randomUUID())
      .sign((await this.#key(kid)).sign)
  }

  async #check(token: string, typ: string) {
    try {
      const { kid } = decodeProtectedHeader(token)
      if (kid === undefined || !this.#secrets.signingKeys.some((key) => key.kid === kid)) return undefined
      const { payload } = await jwtVerify(token, (await this.#key(kid)).verify, {
        algorithms: ['ES256'],
        issuer: ISSUER,
        audience: this.#audience,
        typ,
        currentDate: new Date(this.#clock.nowMs()),
      })
      return payload
    } catch {
      return undefined // whatever is wrong with it, it is no token of ours
    }
  }

  #key(kid: string) {
    let imported = this.#imported.get(kid)
    if (!imported) {
      const { d, ...open } = this.#secrets.signingKeys.find((key) => key.kid === kid)!.jwk
      imported = Promise.all([importJWK({ ...open, d: d! }, 'ES256'), importJWK(open, 'ES256')]).then(
        ([sign, verify]) => ({ sign, verify }),
      )
      this.#imported.set(kid, imported)
    }
    return imported
  }

  #nowSeconds(): number {
    return Math.floor(this.#clock.nowMs() / 1000)
  }
}
