// Undo: a tag goes back to what it was before its last move, a deleted manifest comes back with its tags.
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { parseManifest } from '../oci/manifest.ts'
import type { Reference } from '../oci/reference.ts'
import { type DeletedManifest, latestDeleted } from './deleted-manifests.ts'
import { immutableIn } from './immutable-tags.ts'
import { keys } from './keys.ts'
import { readManifest } from './manifest-record.ts'
import { bytesOf } from './manifests.ts'
import { placeManifest } from './place-manifest.ts'
import { findProject } from './projects.ts'
import type { Actor, Registry } from './registry.ts'
import { type Repository, requireRepository } from './repositories.ts'
import { type Tag, tagHistory, tagOf } from './tags.ts'

export interface Undone {
  digest: Digest
  tags: string[]
  /** The manifest itself had been deleted and is back. */
  restored: boolean
}

/**
 * Restoring is a push of its own: it checks that everything the manifest needs is still there.
 * @param to the digest a tag shall go back to, when not the one before its last move
 * @throws NAME_UNKNOWN, MANIFEST_UNKNOWN when there is nothing to go back to or its window has ended,
 *   MANIFEST_BLOB_UNKNOWN when content of it was collected; PRECONDITION for a tag that is immutable by now
 */
export async function undo(
  registry: Registry,
  name: string,
  reference: Reference,
  actor: Actor,
  to?: Digest,
): Promise<Undone> {
  const { repository } = await requireRepository(registry, name)
  if (reference.kind === 'digest') return restoreManifest(registry, repository, reference.digest, actor)
  const { tag } = reference
  const previous = to ?? (await tagHistory(registry, repository.id, tag, 1))[0]?.previous
  if (!previous) throw nothing(`tag ${tag} of ${name} has no earlier manifest to go back to`)
  return place(registry, repository, previous, [tag], actor)
}

async function restoreManifest(
  registry: Registry,
  repository: Repository,
  digest: Digest,
  actor: Actor,
): Promise<Undone> {
  if (await readManifest(registry, repository.id, digest)) throw nothing(`manifest ${digest} is not deleted`)
  const deleted = await latestDeleted(registry, repository.id, digest)
  if (deleted) await restoreChildren(registry, repository, deleted, actor)
  const tags: string[] = []
  for (const tag of deleted?.tags ?? []) {
    // Not one that was pushed again since.
    const current = await currentTag(registry, repository, tag)
    if (!current?.digest) tags.push(tag)
  }
  return place(registry, repository, digest, tags, actor, true)
}

/** An index's deletion may have taken its manifests along: they come back first. */
async function restoreChildren(
  registry: Registry,
  repository: Repository,
  index: DeletedManifest,
  actor: Actor,
): Promise<void> {
  const { children } = parseManifest(index.bytes, index.mediaType)
  for (const { digest } of children) {
    if (await readManifest(registry, repository.id, digest)) continue
    const deleted = await latestDeleted(registry, repository.id, digest)
    if (deleted && deleted.untilMs > registry.clock.nowMs())
      await restoreManifest(registry, repository, digest, actor)
  }
}

async function currentTag(registry: Registry, repository: Repository, tag: string): Promise<Tag | undefined> {
  return tagOf(await registry.metadata.get(keys.tag(repository.id, tag)), tag)
}

/** Tags set in one transaction; the rest of a much-tagged manifest follows once it is back. */
const TAGS_AT_ONCE = 15

async function place(
  registry: Registry,
  repository: Repository,
  digest: Digest,
  tags: string[],
  actor: Actor,
  onlyFreeTags = false,
): Promise<Undone> {
  const content = await contentOf(registry, repository, digest)
  const project = await findProject(registry, repository.projectName)
  const immutable = project && immutableIn(project, repository.name)
  let restored = false
  for (let at = 0; at === 0 || at < tags.length; at += TAGS_AT_ONCE) {
    const placement = {
      ...content,
      digest,
      tags: tags.slice(at, at + TAGS_AT_ONCE),
      cause: 'undo',
      onlyFreeTags,
      ...(immutable ? { immutable } : {}),
    }
    const { created } = await placeManifest(registry, repository, placement, actor)
    restored ||= created
  }
  return { digest, tags, restored }
}

async function contentOf(
  registry: Registry,
  repository: Repository,
  digest: Digest,
): Promise<{ bytes: Uint8Array; contentType: string }> {
  const record = await readManifest(registry, repository.id, digest)
  if (record) {
    const inline = await registry.metadata.get(keys.manifestBytes(repository.id, digest))
    return { bytes: await bytesOf(registry, record, inline), contentType: record.mediaType }
  }
  const deleted = await latestDeleted(registry, repository.id, digest)
  if (!deleted || deleted.untilMs <= registry.clock.nowMs())
    throw nothing(
      `manifest ${digest} is not in ${repository.name} and the window to undo its deletion has ended`,
    )
  return { bytes: deleted.bytes, contentType: deleted.mediaType }
}

function nothing(why: string): RegistryError {
  return new RegistryError('MANIFEST_UNKNOWN', why)
}
