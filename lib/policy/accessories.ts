// What belongs to an image, in its own repository: the manifests that some tags name, and its referrers.
import type { Digest } from '../oci/digest.ts'
import { type Manifest, parseManifest } from '../oci/manifest.ts'
import { keys } from '../registry/keys.ts'
import { manifestOf } from '../registry/manifest-record.ts'
import { bytesOf } from '../registry/manifests.ts'
import { listReferrers } from '../registry/referrers.ts'
import type { Registry } from '../registry/registry.ts'
import type { Repository } from '../registry/repositories.ts'
import { tagOf } from '../registry/tags.ts'

export interface Accessory {
  manifest: Manifest
  /** It is here for its tag, not as a referrer. */
  tagged: boolean
}

/** Those of `tags` first. */
export async function* accessoriesOf(
  registry: Registry,
  repository: Repository,
  image: Digest,
  tags: string[],
): AsyncGenerator<Accessory> {
  const byTag = await tagged(registry, repository.id, tags)
  const { descriptors } = await listReferrers(registry, repository.name, image, {}, repository)
  for (const digest of [...byTag, ...descriptors.map((each) => each.digest)]) {
    const manifest = await readManifestOf(registry, repository.id, digest)
    if (manifest) yield { manifest, tagged: byTag.includes(digest) }
  }
}

async function tagged(registry: Registry, repo: string, tags: string[]): Promise<Digest[]> {
  if (tags.length === 0) return []
  const items = await registry.metadata.batchGet(tags.map((each) => keys.tag(repo, each)))
  return items.flatMap((item, at) => tagOf(item, tags[at]!)?.digest ?? [])
}

/** @returns undefined when it is not there */
export async function readManifestOf(
  registry: Registry,
  repo: string,
  digest: Digest,
): Promise<Manifest | undefined> {
  const [item, inline] = await registry.metadata.batchGet([
    keys.manifest(repo, digest),
    keys.manifestBytes(repo, digest),
  ])
  const record = manifestOf(item, repo, digest)
  return record && parseManifest(await bytesOf(registry, record, inline), record.mediaType)
}
