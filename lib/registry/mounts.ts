// Mounts: a blob of one repository linked into another without its bytes (distribution-spec §"Mounting a blob").
import type { Digest } from '../oci/digest.ts'
import { lookForDirectUpload } from './direct-uploads.ts'
import { keys, partitions } from './keys.ts'
import { readLink, registerLink, touchLink } from './links.ts'
import { objectKeys } from './object-keys.ts'
import { listProjects } from './projects.ts'
import type { Registry } from './registry.ts'
import { type Repository, readRepository } from './repositories.ts'

/** Smaller blobs are copied: the empty config is in every chart and would be everybody's hot object. */
const SHARED_FROM_BYTES = 64 * 1024
/** Public projects asked by an anonymous mount. */
const PROBED_PROJECTS = 20
const PROBED_REPOSITORIES = 3

/**
 * Links `digest` of `source` (or of the target itself) into `target`.
 * @returns false when it cannot be had that way: the client uploads it
 */
export async function mountBlob(
  registry: Registry,
  target: Repository,
  digest: Digest,
  sourceId: string,
): Promise<boolean> {
  const own = await readLink(registry, target.id, digest)
  if (own && own.state !== 'corrupt') return touchLink(registry, own)
  const source =
    (await readLink(registry, sourceId, digest)) ?? (await lookForDirectUpload(registry, sourceId, digest))
  if (source?.state !== 'live') return false
  const sizeBytes = source.sizeBytes
  if (sizeBytes < SHARED_FROM_BYTES) {
    const key = objectKeys.blob(target.id, registry.newId())
    await registry.blobs.copy(source.object, key)
    await registerLink(registry, target.id, digest, { key, sizeBytes, shared: false })
    return true
  }
  // Our reference first, then the object's state: a collector condemns first, then looks for references.
  await registry.metadata.batchWrite([
    {
      kind: 'put',
      item: {
        ...keys.objectReference(source.object, target.id, digest),
        attributes: { v: 1, writtenAtMs: registry.clock.nowMs() },
      },
    },
  ])
  const object = await registry.metadata.get(keys.object(source.object))
  if (object?.attributes.state !== 'live') return false
  await registerLink(registry, target.id, digest, { key: source.object, sizeBytes, shared: true })
  return true
}

/** @param fromName a repository the caller may pull from */
export async function mountFrom(
  registry: Registry,
  target: Repository,
  digest: Digest,
  fromName: string,
): Promise<boolean> {
  const source = await readRepository(registry, fromName)
  return source !== undefined && mountBlob(registry, target, digest, source.repository.id)
}

/** A mount without `from`: the target itself, its project, then public projects; a bounded number of look-ups. */
export async function mountFromAnywhere(
  registry: Registry,
  target: Repository,
  digest: Digest,
): Promise<boolean> {
  const publicProjects = await listProjects(registry, { limit: PROBED_PROJECTS })
  const projects = [target.projectId, ...publicProjects.filter((each) => each.public).map((each) => each.id)]
  if (await readLink(registry, target.id, digest)) return mountBlob(registry, target, digest, target.id)
  for (const project of new Set(projects)) {
    const uses = await registry.metadata.query({
      pk: partitions.usage(project, digest),
      limit: PROBED_REPOSITORIES,
    })
    for (const repositoryId of new Set(uses.map((use) => use.sk.split('#')[0]!))) {
      if (await mountBlob(registry, target, digest, repositoryId)) return true
    }
  }
  return false
}
