// Changes of an item that several people may change at once: read, change, write if it is still what was read.
import { RegistryError } from '../oci/errors.ts'
import type { Attributes, Item, Key, Write } from './ports.ts'
import type { Registry } from './registry.ts'

const ATTEMPTS = 20

/**
 * The item has a `gen`, a fresh value at every change.
 * @param change the new attributes; `undefined` leaves the item as it is. Called again when another was faster.
 * @param also further writes of the same transaction
 * @returns the item as it is now, or undefined when there is none
 * @throws UNAVAILABLE when too many change it at once; CONFLICT when a condition of `also` does not hold
 */
export async function changeItem(
  registry: Registry,
  key: Key,
  change: (attributes: Attributes) => Attributes | undefined | Promise<Attributes | undefined>,
  also: (changed: Attributes, before: Attributes) => Write[] = () => [],
): Promise<Item | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const item = await registry.metadata.get(key)
    if (!item) return undefined
    const changed = await change(item.attributes)
    if (!changed) return item
    const next: Item = { ...item, attributes: { ...changed, gen: registry.newId() } }
    const unchanged = { gen: item.attributes.gen as string }
    const outcome = await registry.metadata.transact([
      { kind: 'put', if: { kind: 'equals', attributes: unchanged }, item: next },
      ...also(changed, item.attributes),
    ])
    if (outcome.ok) return next
    if (outcome.failed.some((index) => index > 0))
      throw new RegistryError('CONFLICT', 'another has it already')
  }
  throw new RegistryError('UNAVAILABLE', 'too many change this at once: try again')
}
