// The three wrong variants of docs/gc.md, made out of the right code by bending the ports it runs on.
import { createHash } from 'node:crypto'
import type { BlobStore, Item, Key, MetadataStore, Write } from '../../lib/registry/ports.ts'

export type Variant = 'right' | 'gc-one-reference' | 'gc-ignore-condemned' | 'gc-reused-key'

export interface Ports {
  metadata: MetadataStore
  blobs: BlobStore
}

/** @param aliases shared by all actors of a run */
export function bend(
  variant: Variant,
  ports: Ports,
  collector: boolean,
  aliases: Map<string, string>,
): Ports {
  if (variant === 'gc-one-reference') return { ...ports, metadata: oneReference(ports.metadata) }
  if (variant === 'gc-ignore-condemned' && !collector)
    return { ...ports, metadata: ignoringCondemned(ports.metadata) }
  if (variant === 'gc-reused-key' && !collector) return reusingKeys(ports, aliases)
  return ports
}

/** One REF for each manifest: all attempts share it, and it counts while the manifest exists. */
function oneReference(metadata: MetadataStore): MetadataStore {
  const shared = <T extends Key>(key: T): T =>
    key.sk.startsWith('R#') ? { ...key, sk: `${key.sk.split('#').slice(0, 2).join('#')}#shared` } : key
  const write = (each: Write): Write => {
    if (each.kind === 'put') return { ...each, item: shared(each.item) }
    return { ...each, key: shared(each.key) }
  }
  return {
    ...metadata,
    batchWrite: (writes) => metadata.batchWrite(writes.map(write)),
    query: async (query) => {
      const items = await metadata.query(query)
      if (query.prefix !== 'R#') return items
      return Promise.all(
        items.map(async (item) => {
          const repo = item.pk.split('#')[1]
          const manifest = item.sk.split('#')[1]
          const found = await metadata.get({ pk: `M#${repo}#${manifest}`, sk: 'M' })
          return { ...item, sk: `R#${manifest}#${found?.attributes.birth ?? 'shared'}` }
        }),
      )
    },
  }
}

/** A pusher that takes a condemned link for a live one. */
function ignoringCondemned(metadata: MetadataStore): MetadataStore {
  const blind = (item: Item | undefined): Item | undefined =>
    item?.pk.startsWith('L#') && item.attributes.state === 'condemned'
      ? { ...item, attributes: { ...item.attributes, state: 'live' } }
      : item
  return {
    ...metadata,
    get: async (key) => blind(await metadata.get(key)),
    batchGet: async (keys) => (await metadata.batchGet(keys)).map(blind),
  }
}

/** Stores every blob under its digest instead of under a key of its own. */
function reusingKeys(ports: Ports, aliases: Map<string, string>): Ports {
  const rename = <T>(value: T): T => {
    let text = JSON.stringify(value)
    for (const [from, to] of aliases) text = text.replaceAll(from, to)
    return JSON.parse(text)
  }
  const write = (each: Write): Write => {
    if (each.kind === 'put' && each.item.bytes) return each
    const renamed = rename(each)
    // The design that reuses keys cannot ask for the object to be new.
    if (renamed.kind === 'put' && renamed.item.pk.startsWith('O#')) delete renamed.if
    return renamed
  }
  return {
    metadata: {
      ...ports.metadata,
      transact: (writes) => ports.metadata.transact(writes.map(write)),
      batchWrite: (writes) => ports.metadata.batchWrite(writes.map(write)),
    },
    blobs: {
      ...ports.blobs,
      put: async (key, body) => {
        const chunks: Uint8Array[] = []
        for await (const chunk of body) chunks.push(chunk)
        const bytes = Buffer.concat(chunks)
        const digest = createHash('sha256').update(bytes).digest('hex')
        const reused = `${key.slice(0, key.lastIndexOf('/'))}/${digest}`
        aliases.set(key, reused)
        return ports.blobs.put(reused, one(bytes))
      },
    },
  }
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
