// Referrers of a manifest as its upstream lists them, kept byte for byte for when it does not answer.
import type { Digest } from '../oci/digest.ts'
import { keys } from '../registry/keys.ts'
import type { Item } from '../registry/ports.ts'
import { number, type Registry } from '../registry/registry.ts'
import { UpstreamError } from '../upstream/upstream-error.ts'

export interface CachedReferrers {
  /** An index. */
  bytes: Uint8Array
  stale?: string
}

/** What an item holds; of a longer list there is no copy. */
const KEPT_BYTES = 64 * 1024
const KEPT_SECONDS = 90 * 86_400
const EMPTY = Buffer.from(
  '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}',
)

/** @param fetch asks the upstream; undefined when it lists none. @throws UpstreamError when there is no copy either */
export async function cachedReferrers(
  registry: Registry,
  repo: string,
  subject: Digest,
  freshMs: number,
  fetch: () => Promise<Uint8Array | undefined>,
): Promise<CachedReferrers> {
  const item = await registry.metadata.get(keys.cachedReferrers(repo, subject))
  const now = registry.clock.nowMs()
  if (item?.bytes && number(item, 'checkedAtMs') + freshMs > now) return { bytes: item.bytes }
  try {
    const bytes = (await fetch()) ?? EMPTY
    if (bytes.length <= KEPT_BYTES) await keep(registry, repo, subject, bytes)
    return { bytes }
  } catch (error) {
    if (!(error instanceof UpstreamError) || !item?.bytes) throw error
    return { bytes: item.bytes, stale: error.message }
  }
}

async function keep(registry: Registry, repo: string, subject: Digest, bytes: Uint8Array): Promise<void> {
  const now = registry.clock.nowMs()
  const item: Item = {
    ...keys.cachedReferrers(repo, subject),
    attributes: { v: 1, checkedAtMs: now },
    bytes,
    expiresAtEpochSeconds: Math.floor(now / 1000) + KEPT_SECONDS,
  }
  await registry.metadata.batchWrite([{ kind: 'put', item }])
}
