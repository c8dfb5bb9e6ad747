// A page of an artifact's accessories.
import type { Reference } from '../oci/reference.ts'
import type { Registry } from '../registry/registry.ts'
import { readAccessories } from './accessories.ts'
import type { Accessory } from './artifact.ts'
import { findRow } from './artifacts.ts'
import { comparator, type Fields, matcher, type Page, pageOf } from './matching.ts'
import type { Filter, Sort } from './query.ts'

const FIELDS: Fields<Accessory> = {
  id: { kind: 'number', of: (accessory) => accessory.id },
  type: { kind: 'text', of: (accessory) => accessory.type },
  digest: { kind: 'text', of: (accessory) => accessory.digest },
  size: { kind: 'number', of: (accessory) => accessory.sizeBytes },
  creation_time: { kind: 'time', of: (accessory) => accessory.createdAtMs },
}

/** @throws NAME_UNKNOWN, MANIFEST_UNKNOWN; REQUEST_INVALID for a query that cannot be understood */
export async function listAccessories(
  registry: Registry,
  name: string,
  reference: Reference,
  wanted: Page & { filters: Filter[]; sort: Sort[] },
): Promise<{ accessories: Accessory[]; total: number }> {
  const matches = matcher(wanted.filters, FIELDS)
  const { repository, row } = await findRow(registry, name, reference)
  const accessories = (await readAccessories(registry, repository.id, row.digest)).filter(matches)
  const oldestFirst = [
    { field: 'creation_time', descending: false },
    { field: 'digest', descending: false },
  ]
  accessories.sort(comparator(wanted.sort, FIELDS, oldestFirst))
  return { accessories: pageOf(accessories, wanted), total: accessories.length }
}
