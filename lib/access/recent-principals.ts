// Principals looked up a moment ago: a push asks for its own with every blob, and a change must count within a second.
import type { Registry } from '../registry/registry.ts'
import type { Principal } from './principal.ts'
import { principalNamed } from './principals.ts'

const REMEMBERED_MS = 900
const REMEMBERED = 10_000

export interface Known {
  principal: Principal
  /** Tokens issued before this are void. */
  notBeforeSeconds: number
}

export class RecentPrincipals {
  readonly #registry: Registry
  readonly #known = new Map<string, { known: Promise<Known | undefined>; untilMs: number }>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** @returns undefined for who is gone, disabled or expired */
  find(name: string): Promise<Known | undefined> {
    const now = this.#registry.clock.nowMs()
    const recent = this.#known.get(name)
    if (recent && recent.untilMs > now) return recent.known
    if (this.#known.size >= REMEMBERED) this.#known.clear()
    const known = principalNamed(this.#registry, name)
    this.#known.set(name, { known, untilMs: now + REMEMBERED_MS })
    known.catch(() => this.#known.delete(name))
    return known
  }
}
