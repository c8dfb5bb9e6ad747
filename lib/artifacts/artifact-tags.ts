// Tags of one artifact: listed, created and deleted, by people rather than by a push.
import { RegistryError } from '../oci/errors.ts'
import { isTag, type Reference } from '../oci/reference.ts'
import { deleteReference } from '../registry/deletion.ts'
import { keys } from '../registry/keys.ts'
import { findManifest } from '../registry/manifests.ts'
import { placeManifest } from '../registry/place-manifest.ts'
import { pullsIn } from '../registry/pull-counts.ts'
import type { Actor, Registry } from '../registry/registry.ts'
import { tagOf } from '../registry/tags.ts'
import type { ArtifactTag } from './artifact.ts'
import { findRow } from './artifacts.ts'
import { tagsOf } from './hydrate.ts'
import { comparator, type Fields, matcher, type Page, pageOf } from './matching.ts'
import type { Filter, Sort } from './query.ts'
import { readTags } from './rows.ts'

const FIELDS: Fields<ArtifactTag> = {
  id: { kind: 'number', of: (tag) => tag.id },
  name: { kind: 'text', of: (tag) => tag.name },
  push_time: { kind: 'time', of: (tag) => tag.pushedAtMs },
  pull_time: { kind: 'time', of: (tag) => tag.pulledAtMs ?? 0 },
}

/**
 * Newest first unless sorted otherwise.
 * @throws NAME_UNKNOWN, MANIFEST_UNKNOWN; REQUEST_INVALID for a query that cannot be understood
 */
export async function listArtifactTags(
  registry: Registry,
  name: string,
  reference: Reference,
  wanted: Page & { filters: Filter[]; sort: Sort[] },
): Promise<{ tags: ArtifactTag[]; total: number }> {
  const matches = matcher(wanted.filters, FIELDS)
  const { repository, row } = await findRow(registry, name, reference)
  const listed = await readTags(registry, repository.id, row.digest)
  const pulls = pullsIn(await registry.metadata.get(keys.pulled(repository.id, row.digest)))
  const tags = (await tagsOf(registry, repository.id, { tags: listed }, pulls)).filter(matches)
  const newestFirst = [
    { field: 'push_time', descending: true },
    { field: 'name', descending: false },
  ]
  tags.sort(comparator(wanted.sort, FIELDS, newestFirst))
  return { tags: pageOf(tags, wanted), total: tags.length }
}

/**
 * @throws TAG_INVALID; NAME_UNKNOWN, MANIFEST_UNKNOWN; REQUEST_INVALID, with status 409 when the repository has that tag
 */
export async function createTag(
  registry: Registry,
  name: string,
  reference: Reference,
  tag: string,
  actor: Actor,
): Promise<void> {
  if (!isTag(tag))
    throw new RegistryError('TAG_INVALID', `invalid tag name: ${JSON.stringify(tag.slice(0, 160))}`)
  const { repository, record, bytes } = await findManifest(registry, name, reference)
  const key = keys.tag(repository.id, tag)
  const taken = () =>
    new RegistryError('REQUEST_INVALID', `tag ${tag} already exists under the repository ${name}`, {
      status: 409,
    })
  if (tagOf(await registry.metadata.get(key), tag)?.digest) throw taken()
  const { digest, mediaType } = record
  const placement = { digest, bytes, contentType: mediaType, tags: [tag], cause: 'tag', onlyFreeTags: true }
  await placeManifest(registry, repository, placement, actor)
  // Somebody else may have been quicker.
  if (tagOf(await registry.metadata.get(key), tag)?.digest !== digest) throw taken()
}

/** @throws NAME_UNKNOWN, MANIFEST_UNKNOWN, also for a tag of another artifact */
export async function deleteArtifactTag(
  registry: Registry,
  name: string,
  reference: Reference,
  tag: string,
  actor: Actor,
): Promise<void> {
  const { repository, row } = await findRow(registry, name, reference)
  const current = tagOf(await registry.metadata.get(keys.tag(repository.id, tag)), tag)
  if (current?.digest !== row.digest)
    throw new RegistryError('MANIFEST_UNKNOWN', `tag ${tag} attached to artifact ${row.digest} not found`)
  await deleteReference(registry, name, { kind: 'tag', tag }, actor)
}
