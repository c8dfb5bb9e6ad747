// What upstreams say of their rate limits: the last word of each, written now and then.
import { keys } from '../registry/keys.ts'
import type { Attributes } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import type { RateLimits } from '../upstream/rate-limits.ts'

export interface Budget extends RateLimits {
  /** When it was said. */
  atMs: number
}

export class Budgets {
  #heard = new Map<number, RateLimits>()

  get pending(): boolean {
    return this.#heard.size > 0
  }

  note(registryId: number, limits: RateLimits): void {
    this.#heard.set(registryId, limits)
  }

  async flush(registry: Registry): Promise<void> {
    const heard = [...this.#heard]
    this.#heard = new Map()
    await registry.metadata.batchWrite(
      heard.map(([id, limits]) => {
        const attributes: Attributes = { v: 1, ...limits, atMs: registry.clock.nowMs() }
        return { kind: 'put', item: { ...keys.remoteRegistryLimits(id), attributes } }
      }),
    )
  }
}

/** @returns undefined when the registry never said anything */
export async function readBudget(registry: Registry, registryId: number): Promise<Budget | undefined> {
  const item = await registry.metadata.get(keys.remoteRegistryLimits(registryId))
  return item?.attributes as unknown as Budget | undefined
}
