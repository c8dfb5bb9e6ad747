// The allowlist of the whole registry: vulnerabilities that keep nobody from pulling, in projects without one of their own.
import { keys } from './keys.ts'
import type { Attributes, Item } from './ports.ts'
import type { Allowlist } from './projects.ts'
import { forgetRecent } from './recent-items.ts'
import { number, type Registry } from './registry.ts'

export interface SystemAllowlist extends Allowlist {
  /** Both 0 where nobody has set it yet. */
  createdAtMs: number
  updatedAtMs: number
}

export async function readSystemAllowlist(registry: Registry): Promise<SystemAllowlist> {
  return systemAllowlistIn(await registry.metadata.get(keys.systemAllowlist))
}

export function systemAllowlistIn(item: Item | undefined): SystemAllowlist {
  if (!item) return { cves: [], createdAtMs: 0, updatedAtMs: 0 }
  const { cves, expiresAtSeconds } = item.attributes as unknown as Allowlist
  return {
    cves,
    ...(expiresAtSeconds === undefined ? {} : { expiresAtSeconds }),
    createdAtMs: number(item, 'createdAtMs'),
    updatedAtMs: number(item, 'updatedAtMs'),
  }
}

/** Replaces it; of two at once the later one counts. */
export async function putSystemAllowlist(registry: Registry, allowlist: Allowlist): Promise<void> {
  const { createdAtMs } = await readSystemAllowlist(registry)
  const now = registry.clock.nowMs()
  const attributes = { v: 1, ...allowlist, createdAtMs: createdAtMs || now, updatedAtMs: now }
  await registry.metadata.batchWrite([
    { kind: 'put', item: { ...keys.systemAllowlist, attributes: attributes as unknown as Attributes } },
  ])
  forgetRecent(registry.metadata, keys.systemAllowlist)
}
