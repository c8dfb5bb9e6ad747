// Logins by name and secret: in constant time, with the same work for names that do not exist.
import { createHmac, randomBytes } from 'node:crypto'
import type { Registry } from '../registry/registry.ts'
import { type IdentityProvider, onboard } from './identity-providers.ts'
import { attemptOf, checkLimits, countFailure, noteSuccess } from './login-limits.ts'
import { LoginsUnderWay } from './logins-under-way.ts'
import { hashIn, matchesHash } from './password-hash.ts'
import type { Principal } from './principal.ts'
import { type Login, principalOfUser, readLogin } from './principals.ts'
import { CLI_SECRET } from './user-secrets.ts'

const REMEMBERED_MS = 60_000
const REMEMBERED = 1000
const NAME_LIMIT = 255
/** After a failure, how long this process looks again before it lets anybody in. */
const WARY_MS = 60_000

export class Passwords {
  readonly #registry: Registry
  readonly #secret = randomBytes(32)
  readonly #known = new Map<string, number>()
  readonly #providers: IdentityProvider[]

  readonly #underWay = new LoginsUnderWay()
  #failedAtMs = Number.NEGATIVE_INFINITY

  /** @param providers asked, in this order, for users whose password is not ours */
  constructor(registry: Registry, providers: IdentityProvider[] = []) {
    this.#registry = registry
    this.#providers = providers
  }

  /**
   * @param address of the client; failures are counted by it too
   * @returns undefined when name or secret is wrong, or the login is disabled or expired: whoever asks is not told which
   * @throws TOOMANYREQUESTS after too many wrong ones
   */
  async verify(name: string, password: string, address: string): Promise<Principal | undefined> {
    const registry = this.#registry
    const now = registry.clock.nowMs()
    const attempt = attemptOf(name, address)
    const { login, besides } = await readLogin(registry, name, attempt.keys)
    // Before what is remembered: otherwise that could be guessed at, as fast as a process answers.
    checkLimits(registry, besides)
    const proof = this.#proof(name, password, login)
    const allowed = login && !login.refused
    if (allowed && (this.#known.get(proof) ?? 0) > now) {
      await noteSuccess(registry, attempt, besides, false)
      return login.principal
    }
    const underWay = this.#underWay.begin(attempt)
    try {
      const right = await isRight(password, login)
      const own = right && allowed ? login.principal : undefined
      const principal = own ?? (await this.#byProvider(name, password, login))
      if (!principal) {
        this.#failedAtMs = registry.clock.nowMs()
        await countFailure(registry, attempt, besides)
        return undefined
      }
      await underWay.earlier
      const wary = registry.clock.nowMs() - this.#failedAtMs < WARY_MS
      await noteSuccess(registry, attempt, besides, wary)
      if (this.#known.size >= REMEMBERED) this.#known.clear()
      if (own || login) this.#known.set(proof, now + REMEMBERED_MS)
      return principal
    } finally {
      underWay.end()
    }
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
}

/** A wrong one takes the work of two, whether or not there is a second secret, or anybody of that name. */
async function isRight(password: string, login: Login | undefined): Promise<boolean> {
  const attributes = login?.item.attributes
  return (
    (await matchesHash(password, attributes && hashIn(attributes))) ||
    (await matchesHash(password, attributes && hashIn(attributes, CLI_SECRET)))
  )
}
