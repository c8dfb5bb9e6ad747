// Users looked up a moment ago: a push asks for its user with every blob, and a change must count within a second.
import type { Registry } from '../registry/registry.ts'
import { findUser, type User } from './users.ts'

const REMEMBERED_MS = 900
const REMEMBERED = 10_000

export class RecentUsers {
  readonly #registry: Registry
  readonly #users = new Map<string, { user: Promise<User | undefined>; untilMs: number }>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  find(name: string): Promise<User | undefined> {
    const now = this.#registry.clock.nowMs()
    const known = this.#users.get(name)
    if (known && known.untilMs > now) return known.user
    if (this.#users.size >= REMEMBERED) this.#users.clear()
    const user = findUser(this.#registry, name)
    this.#users.set(name, { user, untilMs: now + REMEMBERED_MS })
    user.catch(() => this.#users.delete(name))
    return user
  }
}
