// Logins by name and secret: in constant time, with the same work for names that do not exist.
import { createHmac, randomBytes } from 'node:crypto'
import { RegistryError } from '../oci/errors.ts'
import type { Registry } from '../registry/registry.ts'
import { type IdentityProvider, onboard } from './identity-providers.ts'
import { hashIn, matchesHash } from './password-hash.ts'
import type { Principal } from './principal.ts'
import { findLogin, type Login, principalOfUser } from './principals.ts'
import { CLI_SECRET } from './user-secrets.ts'

const REMEMBERED_MS = 60_000
const REMEMBERED = 1000
const NAME_LIMIT = 255
const FAILURES = 10
const FAILURES_WITHIN_MS = 60_000

export class Passwords {
  readonly #registry: Registry
  readonly #secret = randomBytes(32)
  readonly #known = new Map<string, number>()
  readonly #failures = new Map<string, { count: number; sinceMs: number }>()

  readonly #providers: IdentityProvider[]

  /** @param providers asked, in this order, for users whose password is not ours */
  constructor(registry: Registry, providers: IdentityProvider[] = []) {
    this.#registry = registry
    this.#providers = providers
  }

  /**
   * @returns undefined when name or secret is wrong, or the login is disabled or expired: whoever asks is not told which
   * @throws TOOMANYREQUESTS after too many wrong ones
   */
  async verify(name: string, password: string): Promise<Principal | undefined> {
    const now = this.#registry.clock.nowMs()
    const login = await findLogin(this.#registry, name)
    const proof = this.#proof(name, password, login)
    const allowed = login && !login.refused
    if (allowed && (this.#known.get(proof) ?? 0) > now) return login.principal
    this.#refuseFlood(name, now)
    const right = await isRight(password, login)
    const own = right && allowed ? login.principal : undefined
    const principal = own ?? (await this.#byProvider(name, password, login))
    if (!principal) {
      this.#failed(name, now)
      return undefined
    }
    this.#failures.delete(name)
    if (this.#known.size >= REMEMBERED) this.#known.clear()
    if (own || login) this.#known.set(proof, now + REMEMBERED_MS)
    return principal
  }

  /** Users with a password of ours, and robots, are nobody else's. */
  async #byProvider(
    name: string,
    password: string,
    login: Login | undefined,
  ): Promise<Principal | undefined> {
    const ours = login && (login.principal.kind === 'robot' || hashIn(login.item.attributes))
    if (ours || login?.refused || password === '' || name.length > NAME_LIMIT) return undefined
    for (const provider of this.#providers) {
      if (login && login.provider !== provider.id) continue
      const identity = await provider.verify(name, password)
      if (!identity) continue
      const user = await onboard(this.#registry, provider, identity)
      return user.disabled ? undefined : principalOfUser(user)
    }
    return undefined
  }

  /** Bound to the stored hashes: a changed password is no longer known. */
  #proof(name: string, password: string, login: Login | undefined): string {
    const { hash = '', [CLI_SECRET]: second = '' } = login?.item.attributes ?? {}
    return createHmac('sha256', this.#secret)
      .update(JSON.stringify([name, password, hash, second]))
      .digest('base64')
  }

  #refuseFlood(name: string, now: number): void {
    const failures = this.#failures.get(name)
    if (!failures || failures.count < FAILURES) return
    const leftMs = failures.sinceMs + FAILURES_WITHIN_MS - now
    if (leftMs <= 0) return void this.#failures.delete(name)
    throw new RegistryError('TOOMANYREQUESTS', 'too many wrong passwords for this user: wait a minute', {
      headers: { 'Retry-After': String(Math.ceil(leftMs / 1000)) },
    })
  }

  #failed(name: string, now: number): void {
    const failures = this.#failures.get(name)
    if (this.#failures.size >= REMEMBERED) this.#failures.clear()
    if (failures && now - failures.sinceMs < FAILURES_WITHIN_MS) failures.count += 1
    else this.#failures.set(name, { count: 1, sinceMs: now })
  }
}

/** A wrong one takes the work of two, whether or not there is a second secret, or anybody of that name. */
async function isRight(password: string, login: Login | undefined): Promise<boolean> {
  const attributes = login?.item.attributes
  return (
    (await matchesHash(password, attributes && hashIn(attributes))) ||
    (await matchesHash(password, attributes && hashIn(attributes, CLI_SECRET)))
  )
}
