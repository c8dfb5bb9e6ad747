// Proxy cache projects: what is pulled from them comes from an upstream the first time, and stays. What is pulled from
// any other project passes through here as if nothing were.
import type { Digest } from '../oci/digest.ts'
import { type ErrorCode, RegistryError } from '../oci/errors.ts'
import type { Reference } from '../oci/reference.ts'
import type { Upstreams } from '../registries/upstreams.ts'
import { AbsentContent } from '../registry/absent-content.ts'
import type { FoundBlob } from '../registry/blobs.ts'
import { findManifest } from '../registry/manifests.ts'
import type { Registry } from '../registry/registry.ts'
import { type UpstreamPage, upstreamTagsPage } from '../upstream/lists.ts'
import { explaining, foundOrAbsent, foundOrError, orUndefined } from './absence.ts'
import type { Growing } from './blob-flights.ts'
import { CachedManifests, type PulledManifest } from './cached-manifests.ts'
import { type CachedReferrers, cachedReferrers } from './cached-referrers.ts'
import { openCachedRepository } from './cached-repository.ts'
import { readCachedTag, staleness } from './cached-tags.ts'
import { type ProxiedRepository, proxiedRepository } from './proxied-repository.ts'
import { ProxyCounts } from './proxy-counts.ts'
import type { OpenSpool } from './spool.ts'
import { UpstreamAccess } from './upstream-access.ts'

export type { PulledManifest } from './cached-manifests.ts'

export interface ProxyCacheParts {
  registry: Registry
  upstreams: Upstreams
  /** Absent where a blob cannot be sent before it is stored. */
  openSpool?: OpenSpool
  /** Who fetches blobs, where this program cannot: other tasks, or nobody. */
  blobsBy?: 'ingest' | 'nobody'
}

export type PulledBlob =
  | { kind: 'stored'; blob: FoundBlob }
  | { kind: 'growing'; growing: Growing }
  /** The client has to ask the ingest tasks. */
  | { kind: 'ingest' }

/** Looks for the blob under a name here. @throws NAME_UNKNOWN, BLOB_UNKNOWN */
export type FindBlob = (name: string) => Promise<FoundBlob>

export class ProxyCache {
  readonly #registry: Registry
  readonly #upstreams: Upstreams
  readonly #counts: ProxyCounts
  readonly #access: UpstreamAccess
  readonly #manifests: CachedManifests
  readonly #blobsBy: 'ingest' | 'nobody' | undefined

  constructor({ registry, upstreams, openSpool, blobsBy }: ProxyCacheParts) {
    this.#blobsBy = blobsBy
    this.#registry = registry
    this.#upstreams = upstreams
    this.#counts = new ProxyCounts(registry)
    this.#access = new UpstreamAccess(registry, this.#counts, openSpool)
    this.#manifests = new CachedManifests(registry, this.#access)
  }

  /** Whether a flush would write something. */
  get pending(): boolean {
    return this.#counts.pending || this.#upstreams.budgets.pending
  }

  /** Writes what was counted. */
  async flush(): Promise<void> {
    await this.#counts.flush()
    await this.#upstreams.budgets.flush(this.#registry)
  }

  /**
   * A manifest of any project; of caches fetched or checked where that is due.
   * @throws NAME_UNKNOWN, MANIFEST_UNKNOWN, and the upstream's own failures
   */
  async manifest(name: string, reference: Reference): Promise<PulledManifest> {
    const found = await foundOrAbsent(findManifest(this.#registry, name, reference))
    if (found instanceof RegistryError) {
      if (isOrdinary(found)) throw found
      const proxied = await this.#proxied(name, 'MANIFEST_UNKNOWN')
      if (!proxied) throw found
      return this.#pull(proxied, reference)
    }
    if (found.repository.registryId === undefined) return found
    if (reference.kind === 'digest') return this.#served(found)
    const cached = await readCachedTag(this.#registry, name, reference.tag)
    const isFresh = cached && cached.freshUntilMs > this.#registry.clock.nowMs()
    if (isFresh && cached.digest === found.record.digest)
      return this.#served({ ...found, ...staleness(cached) })
    const proxied = await foundOrError(this.#proxied(name, 'MANIFEST_UNKNOWN'))
    if (proxied && !(proxied instanceof RegistryError)) return this.#pull(proxied, reference)
    return this.#served({ ...found, stale: proxied?.message ?? 'it has no upstream any more' })
  }

  /**
   * A blob of any project; of caches fetched where it is not there.
   * @param whole the client wants a part: it waits for the whole
   * @throws NAME_UNKNOWN, BLOB_UNKNOWN, and the upstream's own failures
   */
  async blob(name: string, digest: Digest, find: FindBlob, whole: boolean): Promise<PulledBlob> {
    const found = await foundOrAbsent(find(name))
    if (!(found instanceof RegistryError)) {
      const { registryId, projectId } = found.repository
      if (registryId !== undefined) this.#counts.add(projectId, { served: 1 })
      return { kind: 'stored', blob: found }
    }
    const proxied = isOrdinary(found) ? undefined : await this.#proxied(name, 'BLOB_UNKNOWN')
    if (!proxied) throw found
    this.#counts.add(proxied.project.id, { served: 1 })
    return explaining(`blob ${digest} of ${proxied.name}`, 'BLOB_UNKNOWN', async () => {
      const known = await orUndefined(find(proxied.name))
      if (known) return { kind: 'stored', blob: known }
      if (this.#blobsBy === 'ingest') return { kind: 'ingest' }
      if (this.#blobsBy === 'nobody') throw nobodyFetches(digest)
      const flight = this.#access.blob(proxied, digest)
      const growing = whole ? undefined : await flight.growing
      if (growing) return { kind: 'growing', growing: growing() }
      await flight.stored
      return { kind: 'stored', blob: await find(proxied.name) }
    })
  }

  /**
   * A blob of any project, or its size as the upstream of a cache tells.
   * @throws as `blob`
   */
  async blobOrSize(name: string, digest: Digest, find: FindBlob): Promise<FoundBlob | number> {
    const found = await foundOrAbsent(find(name))
    if (!(found instanceof RegistryError)) return found
    const proxied = isOrdinary(found) ? undefined : await this.#proxied(name, 'BLOB_UNKNOWN')
    if (!proxied) throw found
    const known = proxied.name === name ? undefined : await orUndefined(find(proxied.name))
    if (known) return known
    const head = await explaining(`blob ${digest} of ${proxied.name}`, 'BLOB_UNKNOWN', () =>
      this.#access.ask(proxied, undefined, (upstream, there) => upstream.headBlob(there, digest)),
    )
    if (!head) throw found
    return head.sizeBytes
  }

  /**
   * @param name of a repository that is not here, or is one of a cache
   * @returns undefined where its project is no cache
   * @throws NAME_UNKNOWN, and the upstream's own failures
   */
  async tags(name: string, page: { limit: number; after?: string }): Promise<UpstreamPage | undefined> {
    const proxied = await this.#proxied(name, 'NAME_UNKNOWN')
    if (!proxied) return undefined
    return explaining(proxied.name, 'NAME_UNKNOWN', () =>
      this.#access.ask(proxied, undefined, (upstream, there) => upstreamTagsPage(upstream, there, page)),
    )
  }

  /** An index of referrers as the upstream has it. @param name and @returns as `tags` */
  async referrers(name: string, subject: Digest): Promise<CachedReferrers | undefined> {
    const proxied = await this.#proxied(name, 'MANIFEST_UNKNOWN')
    if (!proxied) return undefined
    const { id } = await openCachedRepository(this.#registry, proxied.name)
    return explaining(`${proxied.name}@${subject}`, 'MANIFEST_UNKNOWN', () =>
      cachedReferrers(this.#registry, id, subject, proxied.rules.freshMs, () =>
        this.#access.ask(proxied, undefined, (upstream, there) => upstream.getReferrers(there, subject)),
      ),
    )
  }

  #proxied(name: string, absent: ErrorCode): Promise<ProxiedRepository | undefined> {
    return explaining(name, absent, () => proxiedRepository(this.#registry, this.#upstreams, name))
  }

  async #pull(proxied: ProxiedRepository, reference: Reference): Promise<PulledManifest> {
    const { name } = proxied
    const what = reference.kind === 'tag' ? `${name}:${reference.tag}` : `${name}@${reference.digest}`
    const pulling = () => this.#manifests.pull(proxied, reference)
    return this.#served(await explaining(what, 'MANIFEST_UNKNOWN', pulling))
  }

  #served(found: PulledManifest): PulledManifest {
    this.#counts.add(found.repository.projectId, { served: 1, ...(found.stale ? { stale: 1 } : {}) })
    return found
  }
}

function nobodyFetches(digest: Digest): RegistryError {
  return new RegistryError(
    'UNAVAILABLE',
    `blob ${digest} is not cached yet, and this deployment has no tasks that fetch blobs: an administrator sets cloud.ingest`,
  )
}

/** Its repository is here, and is none of a cache: there is nothing else to look for. */
function isOrdinary(error: RegistryError): boolean {
  return error instanceof AbsentContent && error.repository.registryId === undefined
}
