// How often, and when last, a manifest, each of its tags and its repository were pulled. Counted in memory and added to
// the item about once a minute: many processes may do so at once, none's count is lost but what a crash takes along.
import { keys } from './keys.ts'
import type { Attributes, Condition, Item, Key } from './ports.ts'
import type { Registry } from './registry.ts'

export interface Pulls {
  count: number
  lastAtMs?: number
  /** By tag asked for; the last hundred of them. */
  tags: Record<string, number>
}

const WRITTEN_EVERY_MS = 60_000
const TAGS_KEPT = 100
/** Manifests and repositories counted at once; what comes beside them is not counted. */
const COUNTED = 20_000
const READ_AT_ONCE = 100

interface Counted extends Pulls {
  key: Key
  /** When it is written next. */
  dueAtMs: number
}

/** @param item a manifest's or a repository's */
export function pullsIn(item: Item | undefined): Pulls {
  const { count, lastPulledAtMs, tags } = item?.attributes ?? {}
  return {
    count: (count as number | undefined) ?? 0,
    tags: (tags as Record<string, number> | undefined) ?? {},
    ...(lastPulledAtMs === undefined ? {} : { lastAtMs: lastPulledAtMs as number }),
  }
}

export class PullCounts {
  readonly #registry: Registry
  readonly #counted = new Map<string, Counted>()
  /** When the first of what was counted is due. */
  #dueAtMs = Number.POSITIVE_INFINITY
  #flushing: Promise<void> = Promise.resolve()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Whether a flush would write something. */
  get due(): boolean {
    return this.#dueAtMs <= this.#registry.clock.nowMs()
  }

  pull(repo: string, digest: string, tag: string | undefined): void {
    this.#add(keys.pulled(repo, digest), tag)
    this.#add(keys.repositoryPulls(repo), undefined)
  }

  /** @param everything also what is not due yet */
  flush(everything: boolean): Promise<void> {
    // One after the other: what one flush has written must be gone from memory before the next one reads it there.
    const flushed = this.#flushing.then(() => this.#flush(everything))
    this.#flushing = flushed.catch(() => {})
    return flushed
  }

  async #flush(everything: boolean): Promise<void> {
    const waiting = this.#waiting(everything ? Number.POSITIVE_INFINITY : this.#registry.clock.nowMs())
    for (let at = 0; at < waiting.length; at += READ_AT_ONCE) {
      const some = waiting.slice(at, at + READ_AT_ONCE)
      // As of a moment ago is as good: what was changed meanwhile is not overwritten.
      const items = await this.#registry.metadata.batchGet(
        some.map(({ key }) => key),
        { stale: true },
      )
      await Promise.all(some.map((counted, index) => this.#write(counted, items[index])))
    }
    this.#dueAtMs = Math.min(...this.#waiting(Number.POSITIVE_INFINITY).map(({ dueAtMs }) => dueAtMs))
  }

  #waiting(nowMs: number): Counted[] {
    return [...this.#counted.values()].filter(({ count, dueAtMs }) => count > 0 && dueAtMs <= nowMs)
  }

  #add(key: Key, tag: string | undefined): void {
    const now = this.#registry.clock.nowMs()
    const name = `${key.pk} ${key.sk}`
    let counted = this.#counted.get(name)
    if (!counted) {
      if (this.#counted.size >= COUNTED) this.#forget(now)
      if (this.#counted.size >= COUNTED) return
      counted = { key, count: 0, tags: {}, dueAtMs: now }
      this.#counted.set(name, counted)
    }
    this.#dueAtMs = Math.min(this.#dueAtMs, counted.dueAtMs)
    counted.count += 1
    counted.lastAtMs = now
    if (tag !== undefined) counted.tags[tag] = now
  }

  /** Those whose counts are written and whose next write would be due: they begin anew. */
  #forget(now: number): void {
    for (const [name, { count, dueAtMs }] of this.#counted)
      if (count === 0 && dueAtMs <= now) this.#counted.delete(name)
  }

  /** Where another process was quicker, the count stays in memory for the next flush. */
  async #write(counted: Counted, item: Item | undefined): Promise<void> {
    const { count, lastAtMs, tags } = counted
    const before = pullsIn(item)
    const attributes: Attributes = {
      v: 1,
      gen: this.#registry.newId(),
      count: before.count + count,
      lastPulledAtMs: Math.max(lastAtMs!, before.lastAtMs ?? 0),
      ...(Object.keys({ ...before.tags, ...tags }).length === 0 ? {} : { tags: latest(before.tags, tags) }),
    }
    const outcome = await this.#registry.metadata.transact([
      { kind: 'put', if: sincePulled(item), item: { ...counted.key, attributes } },
    ])
    if (!outcome.ok) return
    counted.count -= count
    counted.dueAtMs = this.#registry.clock.nowMs() + WRITTEN_EVERY_MS
    for (const tag of Object.keys(tags)) if (counted.tags[tag] === tags[tag]) delete counted.tags[tag]
  }
}

/** Holds until another pull is noted. Items of older versions have no `gen`. */
export function sincePulled(item: Item | undefined): Condition {
  if (!item) return { kind: 'absent' }
  const { gen, lastPulledAtMs } = item.attributes
  const attributes = gen === undefined ? { lastPulledAtMs: lastPulledAtMs as number } : { gen: gen as string }
  return { kind: 'equals', attributes }
}

function latest(before: Record<string, number>, tags: Record<string, number>): Record<string, number> {
  const all = Object.entries({ ...before, ...tags }).sort(([, a], [, b]) => b - a)
  return Object.fromEntries(all.slice(0, TAGS_KEPT))
}
