// What a proxy cache project gave and what it had to ask for. Counted in memory and added to the project's item now and
// then; a crash loses what was not.
import { keys } from '../registry/keys.ts'
import type { Attributes, Condition } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'

export interface ProxyCount {
  /** GETs and HEADs of manifests and blobs that were answered. */
  served: number
  /** GETs of manifests and blobs that the upstream got. */
  fetched: number
  /** HEADs of tags that it got. */
  checked: number
  /** Answers marked because the upstream failed. */
  stale: number
  /** Manifests that nobody pulled for too long. */
  forgotten: number
}

const NAMES = ['served', 'fetched', 'checked', 'stale', 'forgotten'] as const
const NONE: ProxyCount = { served: 0, fetched: 0, checked: 0, stale: 0, forgotten: 0 }
const ATTEMPTS = 5

export class ProxyCounts {
  readonly #registry: Registry
  readonly #counted = new Map<string, ProxyCount>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  get pending(): boolean {
    return this.#counted.size > 0
  }

  add(projectId: string, some: Partial<ProxyCount>): void {
    const count = this.#counted.get(projectId) ?? { ...NONE }
    for (const name of NAMES) count[name] += some[name] ?? 0
    this.#counted.set(projectId, count)
  }

  async flush(): Promise<void> {
    const counted = [...this.#counted]
    this.#counted.clear()
    for (const [projectId, count] of counted)
      if (!(await addTo(this.#registry, projectId, count))) this.add(projectId, count)
  }
}

export async function readProxyCount(registry: Registry, projectId: string): Promise<ProxyCount> {
  return countIn((await registry.metadata.get(keys.proxyCounts(projectId)))?.attributes)
}

/** Lost where others are faster each time. */
export async function noteForgotten(registry: Registry, projectId: string, forgotten: number): Promise<void> {
  if (forgotten > 0) await addTo(registry, projectId, { ...NONE, forgotten })
}

/** @returns false when others were faster each time */
async function addTo(registry: Registry, projectId: string, count: ProxyCount): Promise<boolean> {
  const key = keys.proxyCounts(projectId)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const item = await registry.metadata.get(key)
    const before = countIn(item?.attributes)
    const sums = Object.fromEntries(NAMES.map((name) => [name, before[name] + count[name]]))
    const unchanged: Condition = item
      ? { kind: 'equals', attributes: { gen: item.attributes.gen as string } }
      : { kind: 'absent' }
    const attributes = { v: 1, gen: registry.newId(), ...sums }
    const outcome = await registry.metadata.transact([
      { kind: 'put', if: unchanged, item: { ...key, attributes } },
    ])
    if (outcome.ok) return true
  }
  return false
}

function countIn(attributes: Attributes | undefined): ProxyCount {
  const count = { ...NONE }
  for (const name of NAMES) count[name] = Number(attributes?.[name] ?? 0)
  return count
}
