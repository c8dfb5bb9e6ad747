// What is known of a cached tag besides what it names: until when it counts as fresh, and what its last check said.
import type { Digest } from '../oci/digest.ts'
import { keys } from '../registry/keys.ts'
import type { Attributes, Item } from '../registry/ports.ts'
import { number, type Registry } from '../registry/registry.ts'
import { readRepository } from '../registry/repositories.ts'
import { tagOf } from '../registry/tags.ts'

export interface CachedTag {
  digest: Digest
  checkedAtMs: number
  freshUntilMs: number
  /** Why it could not be compared with its upstream. */
  failure?: string
}

/** Forgotten when nobody asked for so long; then it is checked as if for the first time. */
const KEPT_SECONDS = 90 * 86_400

/** @returns undefined when there is no such tag in the cache */
export async function readCachedTag(
  registry: Registry,
  name: string,
  tag: string,
): Promise<CachedTag | undefined> {
  const found = await readRepository(registry, name, (id) => [keys.tag(id, tag), keys.cachedTag(id, tag)])
  const digest = tagOf(found?.items[0], tag)?.digest
  return digest ? { digest, ...checkIn(found?.items[1]) } : undefined
}

function checkIn(item: Item | undefined): Omit<CachedTag, 'digest'> {
  if (!item) return { checkedAtMs: 0, freshUntilMs: 0 }
  const { failure } = item.attributes
  return {
    checkedAtMs: number(item, 'checkedAtMs'),
    freshUntilMs: number(item, 'freshUntilMs'),
    ...(typeof failure === 'string' ? { failure } : {}),
  }
}

export async function noteCheck(
  registry: Registry,
  repo: string,
  tag: string,
  check: Omit<CachedTag, 'digest'>,
): Promise<void> {
  const attributes: Attributes = { v: 1, ...check }
  const expiresAtEpochSeconds = Math.floor(registry.clock.nowMs() / 1000) + KEPT_SECONDS
  const item: Item = { ...keys.cachedTag(repo, tag), attributes, expiresAtEpochSeconds }
  await registry.metadata.batchWrite([{ kind: 'put', item }])
}

/** What marks an answer that was not compared. */
export function staleness({ failure }: CachedTag): { stale?: string } {
  return failure === undefined ? {} : { stale: failure }
}
