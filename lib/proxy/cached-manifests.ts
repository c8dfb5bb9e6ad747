// Manifests of caches. By digest nothing is asked twice; a tag is compared with its upstream once in its window, and
// stays what it was while that fails.
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { type Manifest, parseManifest } from '../oci/manifest.ts'
import type { Reference } from '../oci/reference.ts'
import { needsConfig } from '../registry/extra-attributes.ts'
import { immutableIn } from '../registry/immutable-tags.ts'
import { type FoundManifest, findManifest } from '../registry/manifests.ts'
import { placeManifest } from '../registry/place-manifest.ts'
import type { Registry } from '../registry/registry.ts'
import { requireRoom } from '../registry/room.ts'
import type { UpstreamManifest } from '../upstream/upstream.ts'
import { UpstreamError } from '../upstream/upstream-error.ts'
import { orUndefined } from './absence.ts'
import { CACHE, openCachedRepository } from './cached-repository.ts'
import { type CachedTag, noteCheck, readCachedTag, staleness } from './cached-tags.ts'
import { type Fetching, fetchOnce } from './fetching.ts'
import type { ProxiedRepository } from './proxied-repository.ts'
import type { UpstreamAccess } from './upstream-access.ts'

export interface PulledManifest extends FoundManifest {
  /** Why it could not be compared with its upstream; absent when it was, or need not be. */
  stale?: string
}

/** An upstream that fails is left alone for so long, where there is something to serve meanwhile. */
const RETRY_MS = 10_000
const RETRY_LIMIT_MS = 600_000
/** A tag that stays what it is, by `proxy_local_first` or an immutability rule, is not even looked at again before. */
const LOCAL_FIRST_MS = 600_000
/** A config of more is fetched when somebody wants it. */
const CONFIG_LIMIT_BYTES = 1024 * 1024
const CAUSE = 'proxy'

export class CachedManifests {
  readonly #registry: Registry
  readonly #access: UpstreamAccess
  /** What this process is about to have, by what it is. */
  readonly #pending = new Map<string, Promise<unknown>>()

  constructor(registry: Registry, access: UpstreamAccess) {
    this.#registry = registry
    this.#access = access
  }

  /** @throws UpstreamError when it is not here and cannot be had */
  pull(proxied: ProxiedRepository, reference: Reference): Promise<PulledManifest> {
    return reference.kind === 'digest'
      ? this.#byDigest(proxied, reference.digest)
      : this.#byTag(proxied, reference.tag)
  }

  #byDigest(proxied: ProxiedRepository, digest: Digest): Promise<FoundManifest> {
    const reference: Reference = { kind: 'digest', digest }
    return this.#once({
      what: `${proxied.name}@${digest}`,
      find: () => orUndefined(findManifest(this.#registry, proxied.name, reference)),
      fetch: () => this.#fetch(proxied, digest),
    })
  }

  async #byTag(proxied: ProxiedRepository, tag: string): Promise<PulledManifest> {
    const registry = this.#registry
    const { name, project, rules } = proxied
    const stays = rules.localFirst || immutableIn(project, name)?.(tag) === true
    const before = await readCachedTag(registry, name, tag)
    const askedAtMs = registry.clock.nowMs()
    if (before && stays && before.freshUntilMs <= askedAtMs) {
      const { checkedAtMs } = before
      await this.#note(name, tag, { checkedAtMs, freshUntilMs: askedAtMs + LOCAL_FIRST_MS })
    }
    const cached = await this.#once({
      what: `${name}:${tag}`,
      find: async () => {
        const now = await readCachedTag(registry, name, tag)
        // Whoever waited takes what was checked meanwhile, even where no check lasts.
        const counts = now && (now.freshUntilMs > registry.clock.nowMs() || now.checkedAtMs >= askedAtMs)
        return counts ? now : undefined
      },
      fetch: () => this.#check(proxied, tag, before),
    })
    const found = await orUndefined(findManifest(registry, name, { kind: 'digest', digest: cached.digest }))
    if (found) return { ...found, ...staleness(cached) }
    // The cache forgot it in this very moment.
    await this.#tag(proxied, tag, cached.digest)
    return this.#byDigest(proxied, cached.digest)
  }

  /** Has the tag name what it names upstream. @throws UpstreamError when it names nothing here and that fails */
  async #check(proxied: ProxiedRepository, tag: string, before: CachedTag | undefined): Promise<CachedTag> {
    const { clock } = this.#registry
    const checkedAtMs = clock.nowMs()
    try {
      const digest = await this.#digestUpstream(proxied, tag)
      if (digest !== before?.digest) await this.#tag(proxied, tag, digest)
      const check = { checkedAtMs, freshUntilMs: clock.nowMs() + proxied.rules.freshMs }
      await this.#note(proxied.name, tag, check)
      return { digest, ...check }
    } catch (error) {
      if (!before || !(error instanceof UpstreamError)) throw error
      const freshUntilMs = clock.nowMs() + retryMs(error, clock.nowMs())
      const failed = { checkedAtMs, freshUntilMs, failure: error.message }
      await this.#note(proxied.name, tag, failed)
      return { digest: before.digest, ...failed }
    }
  }

  async #digestUpstream(proxied: ProxiedRepository, tag: string): Promise<Digest> {
    return this.#access.ask(proxied, 'checked', async (upstream, repository) => {
      const head = await upstream.headManifest(repository, tag)
      if (!head) throw new UpstreamError('absent', `${upstream.host} has no ${repository}:${tag}`)
      return head.digest
    })
  }

  async #tag(proxied: ProxiedRepository, tag: string, digest: Digest): Promise<void> {
    const { record, bytes, repository } = await this.#byDigest(proxied, digest)
    const placement = { digest, bytes, contentType: record.mediaType, tags: [tag], cause: CAUSE }
    await placeManifest(this.#registry, repository, placement, CACHE)
  }

  async #note(name: string, tag: string, check: Omit<CachedTag, 'digest'>): Promise<void> {
    const { id } = await openCachedRepository(this.#registry, name)
    await noteCheck(this.#registry, id, tag, check)
  }

  async #fetch(proxied: ProxiedRepository, digest: Digest): Promise<FoundManifest> {
    const registry = this.#registry
    const { project, name } = proxied
    const got = await this.#access.ask(proxied, 'fetched', (upstream, repository) =>
      upstream.getManifest(repository, digest),
    )
    const { bytes, mediaType } = got
    const manifest = parsed(got, proxied.upstream.host)
    const own = { repository: name, digest, tags: [], sizeBytes: bytes.length, actor: CACHE }
    await requireRoom(registry, project, manifest, own)
    // What artifact lists show of it stands in its config, which whoever pulls it wants anyway.
    const { config } = manifest
    if (config && needsConfig(manifest) && config.size <= CONFIG_LIMIT_BYTES)
      await this.#access.stored(proxied, config.digest).catch(() => {})
    const repository = await openCachedRepository(registry, name)
    const placement = { digest, bytes, contentType: mediaType, tags: [], cause: CAUSE }
    await placeManifest(registry, repository, placement, CACHE)
    return findManifest(registry, name, { kind: 'digest', digest })
  }

  /** Once in this process, and by its lease once in all of them. */
  #once<T>(fetching: Fetching<T>): Promise<T> {
    const known = this.#pending.get(fetching.what) as Promise<T> | undefined
    if (known) return known
    const pending = fetchOnce(this.#registry, fetching).finally(() => this.#pending.delete(fetching.what))
    this.#pending.set(fetching.what, pending)
    return pending
  }
}

/** @throws UpstreamError `lying` for what is no manifest */
function parsed({ bytes, mediaType }: UpstreamManifest, host: string): Manifest {
  try {
    return parseManifest(bytes, mediaType)
  } catch (cause) {
    if (!(cause instanceof RegistryError)) throw cause
    throw new UpstreamError('lying', `${host} sent what is no manifest: ${cause.message}`, { cause })
  }
}

/** A 429 tells itself when to come again. */
function retryMs(error: UpstreamError, nowMs: number): number {
  return Math.min(error.waitMs(nowMs) || RETRY_MS, RETRY_LIMIT_MS)
}
