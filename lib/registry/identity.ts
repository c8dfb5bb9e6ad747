// Who this registry is among others: what it copies says so, and is known by it when it comes back.
import { RegistryError } from '../oci/errors.ts'
import { keys } from './keys.ts'
import type { MetadataStore } from './ports.ts'
import { type Registry, text } from './registry.ts'

const known = new WeakMap<MetadataStore, string>()

/** Made at its first use, the same ever after. */
export async function identityOf(registry: Registry): Promise<string> {
  const { metadata } = registry
  const remembered = known.get(metadata)
  if (remembered !== undefined) return remembered
  const made = { ...keys.identity, attributes: { v: 1, id: registry.newId() } }
  const found = await metadata.get(keys.identity)
  if (!found) await metadata.transact([{ kind: 'put', if: { kind: 'absent' }, item: made }])
  const id = text(found ?? (await metadata.get(keys.identity))!, 'id')
  known.set(metadata, id)
  return id
}

const PLACES_LIMIT = 16
const PLACES = /^[0-9a-z]{1,64}(?:,[0-9a-z]{1,64})*$/

/**
 * @param header identities of registries, separated by commas, as replication sends them
 * @returns them; undefined where there are none, or none that can be read
 * @throws DENIED (508) when this registry is among them: what went out from here does not come back
 */
export async function viaOf(registry: Registry, header: string | undefined): Promise<string[] | undefined> {
  if (header === undefined || header.length > PLACES_LIMIT * 65 || !PLACES.test(header)) return undefined
  const via = header.split(',')
  if (via.length > PLACES_LIMIT || via.includes(await identityOf(registry)))
    throw new RegistryError('DENIED', 'this was replicated from here: it does not come back', { status: 508 })
  return via
}

/** Of the request that puts a replicated manifest. */
export const VIA_HEADER = 'entrepot-via'
