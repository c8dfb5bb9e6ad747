// What a cache forgets: manifests that nobody pulled for so long, with their tags. Manifests of an index and referrers go
// after what holds them, by the normal collection, so that whoever is just pulling an index finds all of it.
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { parseManifest } from '../oci/manifest.ts'
import { latestDeleted } from '../registry/deleted-manifests.ts'
import { deleteManifest } from '../registry/deletion.ts'
import { immutableIn, refuseImmutable } from '../registry/immutable-tags.ts'
import { keys, partitions } from '../registry/keys.ts'
import { type ManifestRecord, readManifest } from '../registry/manifest-record.ts'
import { bytesOf } from '../registry/manifests.ts'
import { PAGE, pagesOf } from '../registry/partitions.ts'
import type { Item } from '../registry/ports.ts'
import type { Project } from '../registry/projects.ts'
import { pullsIn, sincePulled } from '../registry/pull-counts.ts'
import type { Registry } from '../registry/registry.ts'
import { readRepository } from '../registry/repositories.ts'
import { tagsOfManifest } from '../registry/tags.ts'
import { CACHE } from './cached-repository.ts'

const DAY_MS = 86_400_000
/** Harbor's for new caches. */
const USUAL_DAYS = 7
/** Tags of a forgotten manifest that are told. */
const TAGS_TOLD = 10

export interface Forgotten {
  digest: Digest
  tags: string[]
  /** When it was pulled last, or fetched if it never was. */
  usedAtMs: number
}

/** @returns undefined for a cache that forgets nothing */
export function retentionDays({ metadata }: Pick<Project, 'metadata'>): number | undefined {
  const days = Number(metadata.proxy_retention_days ?? USUAL_DAYS)
  return Number.isFinite(days) && days > 0 ? days : undefined
}

/**
 * Goes through a repository of a cache, a page of its manifests at a time.
 * @param signal ends it before the next manifest
 */
export async function* forgetUnused(
  registry: Registry,
  project: Project,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<Forgotten> {
  const days = retentionDays(project)
  const found = days === undefined ? undefined : await readRepository(registry, name)
  if (!found || days === undefined || found.repository.registryId === undefined) return
  const { id: repo } = found.repository
  const beforeMs = registry.clock.nowMs() - days * DAY_MS
  for await (const page of pagesOf(registry.metadata, { pk: partitions.manifests(repo) })) {
    const digests = page.map(({ sk }) => sk.slice(sk.indexOf('#') + 1) as Digest)
    const pulls = await registry.metadata.batchGet(digests.map((digest) => keys.pulled(repo, digest)))
    for (const [at, digest] of digests.entries()) {
      signal.throwIfAborted()
      const usedAtMs = Math.max(Number.parseInt(page[at]!.sk, 10), lastPullIn(pulls[at]))
      if (usedAtMs >= beforeMs) continue
      const tags = await forget(registry, { project, name, repo, digest, beforeMs })
      if (tags) yield { digest, tags, usedAtMs }
    }
  }
}

interface Unused {
  project: Project
  name: string
  repo: string
  digest: Digest
  beforeMs: number
}

/** @returns its tags, or undefined when it stays */
async function forget(registry: Registry, unused: Unused): Promise<string[] | undefined> {
  const { repo, digest } = unused
  const record = await readManifest(registry, repo, digest)
  if (!record || (await staysWithOthers(registry, record, unused))) return undefined
  const tags = await tagsOfManifest(registry, repo, digest, TAGS_TOLD)
  const outcome = await deleteManifest(registry, repo, digest, CACHE, {
    cause: 'unused',
    keptBy: ['live', 'young', 'deleted'],
    // A pull that was noted meanwhile, even one that is noted in the same moment, keeps it.
    unless: async () => {
      const item = await registry.metadata.get(keys.pulled(repo, digest))
      if (lastPullIn(item) >= unused.beforeMs) return undefined
      return [{ kind: 'check', key: keys.pulled(repo, digest), if: sincePulled(item) }]
    },
  })
  return outcome === 'deleted' ? tags.map(({ tag }) => tag) : undefined
}

/** Its subject is here (or can be again), one of what hangs on it was pulled, or one of its tags is immutable. */
async function staysWithOthers(
  registry: Registry,
  record: ManifestRecord,
  { project, name, repo, digest, beforeMs }: Unused,
): Promise<boolean> {
  const { subject } = record
  // Also one that was just forgotten: an undo brings it back with its referrers.
  if (
    subject &&
    ((await readManifest(registry, repo, subject)) ?? (await latestDeleted(registry, repo, subject)))
  )
    return true
  const used = async (digests: string[]) => {
    const items = await registry.metadata.batchGet(digests.map((each) => keys.pulled(repo, each)))
    return items.some((item) => lastPullIn(item) >= beforeMs)
  }
  const children = await childrenOf(registry, record)
  for (let from = 0; from < children.length; from += PAGE)
    if (await used(children.slice(from, from + PAGE))) return true
  for await (const page of pagesOf(registry.metadata, { pk: partitions.referrers(repo, digest) }))
    if (await used(page.map(({ sk }) => sk))) return true
  const immutable = immutableIn(project, name)
  if (!immutable) return false
  try {
    await refuseImmutable(registry, partitions.tagsOfManifest(repo, digest), immutable)
    return false
  } catch (error) {
    if (error instanceof RegistryError) return true
    throw error
  }
}

async function childrenOf(registry: Registry, record: ManifestRecord): Promise<Digest[]> {
  if (record.kind !== 'index') return []
  const inline = await registry.metadata.get(keys.manifestBytes(record.repo, record.digest))
  const { children } = parseManifest(await bytesOf(registry, record, inline), record.mediaType)
  return children.map(({ digest }) => digest)
}

function lastPullIn(item: Item | undefined): number {
  return pullsIn(item).lastAtMs ?? 0
}
