// Items that every pull looks at and hardly anybody changes: what was read of them is believed for some seconds.
import type { Item, Key, MetadataStore } from './ports.ts'
import type { Registry } from './registry.ts'

/** So long another process's change may go unseen; this process's own counts at once. */
const BELIEVED_MS = 5000
const REMEMBERED = 10_000

interface Known {
  item: Item | undefined
  untilMs: number
}

interface Recent {
  known: Map<string, Known>
  /** Counts what was forgotten: a read that began before says nothing. */
  forgotten: number
}

const recents = new WeakMap<MetadataStore, Recent>()

/** What of the keys has to be read, together with other things, and what to do with the answer. */
export interface RecentReading {
  keys: Key[]
  learn(items: readonly (Item | undefined)[]): void
}

/** @param ahead also what will not be believed much longer: where the read costs no call, and one would later */
export function recentReading(registry: Registry, keys: readonly Key[], ahead = false): RecentReading {
  const recent = recentOf(registry.metadata)
  const now = registry.clock.nowMs()
  const until = now + (ahead ? BELIEVED_MS / 2 : 0)
  const missing = keys.filter((key) => (recent.known.get(nameOf(key))?.untilMs ?? 0) <= until)
  const { forgotten } = recent
  return {
    keys: missing,
    learn: (items) => {
      if (recent.forgotten !== forgotten) return
      if (recent.known.size + missing.length > REMEMBERED) recent.known.clear()
      for (const [at, key] of missing.entries())
        recent.known.set(nameOf(key), { item: items[at], untilMs: now + BELIEVED_MS })
    },
  }
}

/**
 * @param also keys that are read anew each time, in the same call
 * @returns the items of `keys`, then those of `also`; no call where everything is known
 */
export async function readRecent(
  registry: Registry,
  keys: readonly Key[],
  also: readonly Key[] = [],
): Promise<(Item | undefined)[]> {
  const { known } = recentOf(registry.metadata)
  const reading = recentReading(registry, keys)
  const before = keys.map((key) => known.get(nameOf(key))?.item)
  const wanted = [...reading.keys, ...also]
  const items = wanted.length === 0 ? [] : await registry.metadata.batchGet(wanted)
  reading.learn(items)
  const recent = keys.map((key, at) => {
    const index = reading.keys.indexOf(key)
    return index < 0 ? before[at] : items[index]
  })
  return [...recent, ...items.slice(reading.keys.length)]
}

/** After a change of the item. */
export function forgetRecent(metadata: MetadataStore, key: Key): void {
  const recent = recentOf(metadata)
  recent.forgotten += 1
  recent.known.delete(nameOf(key))
}

function recentOf(metadata: MetadataStore): Recent {
  let recent = recents.get(metadata)
  if (!recent) {
    recent = { known: new Map(), forgotten: 0 }
    recents.set(metadata, recent)
  }
  return recent
}

function nameOf({ pk, sk }: Key): string {
  return `${pk} ${sk}`
}
