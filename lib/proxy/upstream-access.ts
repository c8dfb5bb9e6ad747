// How caches ask their upstreams: so many requests at once, so fast, and each counted.
import type { Digest } from '../oci/digest.ts'
import { parseManifest } from '../oci/manifest.ts'
import { partitions } from '../registry/keys.ts'
import type { Link } from '../registry/links.ts'
import { findManifest } from '../registry/manifests.ts'
import { referencesIn } from '../registry/references.ts'
import type { Registry } from '../registry/registry.ts'
import { readRepository } from '../registry/repositories.ts'
import type { Upstream, UpstreamBlob } from '../upstream/upstream.ts'
import { UpstreamError } from '../upstream/upstream-error.ts'
import { orUndefined } from './absence.ts'
import { BlobFlights, type Flight } from './blob-flights.ts'
import type { ProxiedRepository, ProxyRules } from './proxied-repository.ts'
import type { ProxyCounts } from './proxy-counts.ts'
import { Slots, Throttle } from './slots.ts'
import type { OpenSpool } from './spool.ts'

/** A blob that says neither how long it is nor belongs to a manifest that does. */
const UNTOLD_LIMIT_BYTES = 100 * 1024 * 1024

interface Limits {
  rules: ProxyRules
  slots: Slots
  throttle: Throttle
}

export class UpstreamAccess {
  readonly #registry: Registry
  readonly #counts: ProxyCounts
  readonly #flights: BlobFlights
  readonly #limits = new Map<string, Limits>()

  constructor(registry: Registry, counts: ProxyCounts, openSpool: OpenSpool | undefined) {
    this.#registry = registry
    this.#counts = counts
    this.#flights = new BlobFlights({ registry, ...(openSpool ? { openSpool } : {}) })
  }

  /** Waits for its turn. @param kind what it is counted as */
  async ask<T>(
    proxied: ProxiedRepository,
    kind: 'fetched' | 'checked' | undefined,
    work: (upstream: Upstream, repository: string) => Promise<T>,
  ): Promise<T> {
    const release = await this.#limitsOf(proxied).slots.take()
    if (kind) this.#counts.add(proxied.project.id, { [kind]: 1 })
    return work(proxied.upstream, proxied.repository).finally(release)
  }

  /** A blob on its way, or one that joins it. @throws UpstreamError by its promises */
  blob(proxied: ProxiedRepository, digest: Digest): Flight {
    return this.#flights.fly(proxied.name, digest, () => this.#open(proxied, digest))
  }

  stored(proxied: ProxiedRepository, digest: Digest): Promise<Link> {
    return this.blob(proxied, digest).stored
  }

  async #open(proxied: ProxiedRepository, digest: Digest): Promise<UpstreamBlob> {
    const { slots, throttle } = this.#limitsOf(proxied)
    const release = await slots.take()
    try {
      this.#counts.add(proxied.project.id, { fetched: 1 })
      const { blobLimitBytes } = this.#registry.settings
      const blob = await proxied.upstream.getBlob(proxied.repository, digest, blobLimitBytes)
      const sizeBytes = blob.sizeBytes ?? (await sizeInManifest(this.#registry, proxied.name, digest))
      const body = withEnd(throttle.limit(bounded(blob.body, sizeBytes ?? UNTOLD_LIMIT_BYTES)), release)
      const discard = () => {
        blob.discard()
        release()
      }
      return { sizeBytes, body, discard }
    } catch (error) {
      release()
      throw error
    }
  }

  #limitsOf({ project: { id }, rules }: ProxiedRepository): Limits {
    const known = this.#limits.get(id)
    const same =
      known?.rules.connections === rules.connections && known.rules.bytesPerSecond === rules.bytesPerSecond
    if (known && same) return known
    const made = {
      rules,
      slots: new Slots(rules.connections),
      throttle: new Throttle(rules.bytesPerSecond),
    }
    this.#limits.set(id, made)
    return made
  }
}

/** What a manifest that uses the blob says of its size. */
async function sizeInManifest(registry: Registry, name: string, digest: Digest): Promise<number | undefined> {
  const found = await readRepository(registry, name)
  if (!found) return undefined
  const { id } = found.repository
  for await (const { manifest: user } of referencesIn(registry, id, partitions.link(id, digest))) {
    const manifest = await orUndefined(findManifest(registry, name, { kind: 'digest', digest: user }))
    if (!manifest) continue
    const { blobs } = parseManifest(manifest.bytes, manifest.record.mediaType)
    const size = blobs.find((blob) => blob.digest === digest)?.size
    if (size !== undefined) return size
  }
  return undefined
}

async function* bounded(body: AsyncIterable<Uint8Array>, limitBytes: number): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > limitBytes)
      throw new UpstreamError(
        'lying',
        `it sends more than ${limitBytes} bytes, and said nothing of its length`,
      )
    yield chunk
  }
}

async function* withEnd(body: AsyncIterable<Uint8Array>, ended: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } finally {
    ended()
  }
}
