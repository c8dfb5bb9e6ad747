// Sums over the whole registry, kept with what they count: whoever asks for them reads a few items, not everything.
import { RegistryError } from '../oci/errors.ts'
import { partitions } from './keys.ts'
import type { Attributes, Key, Outcome, Write } from './ports.ts'
import type { Registry } from './registry.ts'

/** Others may add to the same sum meanwhile. */
const ATTEMPTS = 50

/**
 * Writes in one transaction with what they add to a sum: both happen or neither.
 * @param total one of `keys.*Total`; each is of a shard, so that few meet there
 * @param added may be negative; zeros are left out
 * @returns as of the writes alone: `failed` never names the sum
 * @throws UNAVAILABLE when too many add to it at once
 */
export async function transactCounting(
  registry: Registry,
  writes: Write[],
  total: Key,
  added: Record<string, number>,
): Promise<Outcome> {
  const changes = Object.entries(added).filter(([, each]) => each !== 0)
  if (changes.length === 0) return registry.metadata.transact(writes)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const item = await registry.metadata.get(total)
    const attributes: Attributes = { v: 1, ...item?.attributes, gen: registry.newId() }
    for (const [name, each] of changes) attributes[name] = Number(attributes[name] ?? 0) + each
    const outcome = await registry.metadata.transact([
      ...writes,
      {
        kind: 'put',
        item: { ...total, attributes },
        if: item ? { kind: 'equals', attributes: { gen: String(item.attributes.gen) } } : { kind: 'absent' },
      },
    ])
    if (outcome.ok) return outcome
    const failed = outcome.failed.filter((index) => index < writes.length)
    if (failed.length > 0) return { ok: false, failed }
  }
  throw new RegistryError('UNAVAILABLE', 'too many change the same sum at once: try again')
}

/** One read. @returns every sum by its name, 0 where nothing was ever added */
export async function readTotals(registry: Registry): Promise<(name: string) => number> {
  const sums = new Map<string, number>()
  for (const { attributes } of await registry.metadata.query({ pk: partitions.totals, limit: 100 }))
    for (const [name, each] of Object.entries(attributes))
      if (typeof each === 'number') sums.set(name, (sums.get(name) ?? 0) + each)
  return (name) => sums.get(name) ?? 0
}
