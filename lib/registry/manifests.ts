// Manifests: pulled and pushed (distribution-spec v1.1.1 §"Pulling manifests", §"Pushing Manifests").
import { algorithmOf, type Digest, digestOf } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { MANIFEST_LIMIT_BYTES, parseManifest } from '../oci/manifest.ts'
import { isTag, projectOf, type Reference } from '../oci/reference.ts'
import { AbsentContent } from './absent-content.ts'
import { immutableIn } from './immutable-tags.ts'
import { keys } from './keys.ts'
import { type ManifestRecord, manifestOf } from './manifest-record.ts'
import { placeManifest, placementKeys } from './place-manifest.ts'
import type { Item } from './ports.ts'
import { projectIn } from './projects.ts'
import { recentReading } from './recent-items.ts'
import type { Actor, Registry } from './registry.ts'
import {
  createRepository,
  type Repository,
  readRepository,
  refuseCache,
  requireRepository,
} from './repositories.ts'
import { requireRoom } from './room.ts'
import { allBytes } from './stored-bytes.ts'
import { tagOf } from './tags.ts'

/** Tags given with one push by digest: their moves share its transaction. */
const TAGS_LIMIT = 15

export interface FoundManifest {
  repository: Repository
  record: ManifestRecord
  bytes: Uint8Array
}

/**
 * By digest one metadata call, by tag two; the tag is never cached.
 * @throws NAME_UNKNOWN, MANIFEST_UNKNOWN
 */
export async function findManifest(
  registry: Registry,
  name: string,
  reference: Reference,
): Promise<FoundManifest> {
  // Whether it has a policy on pulls is looked up with the rest: that costs no call of its own.
  const project = recentReading(registry, [keys.project(projectOf(name))], true)
  if (reference.kind === 'digest') {
    const { digest } = reference
    const { repository, items } = await requireRepository(registry, name, (id) => [
      keys.manifest(id, digest),
      keys.manifestBytes(id, digest),
      ...project.keys,
    ])
    project.learn(items.slice(2))
    const record = manifestOf(items[0], repository.id, digest)
    if (!record) throw absentManifest(repository, digest)
    return { repository, record, bytes: await bytesOf(registry, record, items[1]) }
  }
  const { repository, items } = await requireRepository(registry, name, (id) => [
    keys.tag(id, reference.tag),
    ...project.keys,
  ])
  project.learn(items.slice(1))
  const tag = tagOf(items[0], reference.tag)
  if (!tag?.digest) throw absentManifest(repository, reference.tag)
  const [item, body] = await registry.metadata.batchGet([
    keys.manifest(repository.id, tag.digest),
    keys.manifestBytes(repository.id, tag.digest),
  ])
  const record = manifestOf(item, repository.id, tag.digest)
  // A tag of a manifest that was deleted and pushed again does not come back by itself.
  if (record?.birth !== tag.birth) throw absentManifest(repository, reference.tag)
  return { repository, record, bytes: await bytesOf(registry, record, body) }
}

/** @throws MANIFEST_UNKNOWN when the object of a large manifest is gone from the store */
export async function bytesOf(
  registry: Registry,
  record: ManifestRecord,
  inline: Item | undefined,
): Promise<Uint8Array> {
  if (inline?.bytes) return inline.bytes
  const body = record.object === undefined ? undefined : await registry.blobs.open(record.object)
  if (!body)
    throw new RegistryError(
      'MANIFEST_UNKNOWN',
      `the bytes of manifest ${record.digest} are missing: push it again`,
    )
  return allBytes(body)
}

export interface PushedManifest {
  repository: Repository
  digest: Digest
  subject: Digest | undefined
  tags: string[]
}

/**
 * @param moreTags tags to set besides a digest reference (`?tag=`, distribution-spec main §"Pushing Manifests")
 * @throws MANIFEST_INVALID (413 when too large), DIGEST_INVALID, MANIFEST_BLOB_UNKNOWN, NAME_UNKNOWN, TAG_INVALID;
 *   PRECONDITION when an immutable tag would move
 */
export async function putManifest(
  registry: Registry,
  name: string,
  reference: Reference,
  content: { bytes: Uint8Array; contentType: string | undefined },
  moreTags: string[],
  actor: Actor,
): Promise<PushedManifest> {
  if (content.bytes.length > MANIFEST_LIMIT_BYTES)
    throw new RegistryError(
      'MANIFEST_INVALID',
      `the manifest has ${content.bytes.length} bytes, at most ${MANIFEST_LIMIT_BYTES} are accepted`,
      { status: 413 },
    )
  const tags = tagsToSet(reference, moreTags)
  const digest = digestOf(
    content.bytes,
    reference.kind === 'digest' ? algorithmOf(reference.digest) : 'sha256',
  )
  if (reference.kind === 'digest' && reference.digest !== digest)
    throw new RegistryError('DIGEST_INVALID', `the manifest has digest ${digest}, not ${reference.digest}`, {
      detail: { expected: reference.digest, actual: digest },
    })
  const placement = { ...content, digest, tags, cause: 'push' }
  // One look at the repository and at what it has of this push already.
  const projectName = projectOf(name)
  const found = await readRepository(registry, name, (id) => [
    ...placementKeys(id, placement),
    keys.project(projectName),
  ])
  const repository = found?.repository ?? (await createRepository(registry, name, actor))
  refuseCache(repository)
  const items = found?.items.slice(0, -1)
  const projectItem = found ? found.items.at(-1) : await registry.metadata.get(keys.project(projectName))
  const project = projectItem && projectIn(projectItem, projectName)
  // Moving a tag to what is there adds nothing.
  if (project && project.quotaBytes >= 0 && !items?.[0])
    await requireRoom(registry, project, parseManifest(content.bytes, content.contentType), {
      repository: name,
      digest,
      tags,
      sizeBytes: content.bytes.length,
      actor,
    })
  const immutable = project && immutableIn(project, name)
  const { manifest } = await placeManifest(
    registry,
    repository,
    immutable ? { ...placement, immutable } : placement,
    actor,
    items,
  )
  return { repository, digest, subject: manifest.subject?.digest, tags }
}

function tagsToSet(reference: Reference, moreTags: string[]): string[] {
  if (reference.kind === 'tag') return [reference.tag]
  if (moreTags.length > TAGS_LIMIT)
    throw new RegistryError('TAG_INVALID', `${moreTags.length} tags in one request: at most ${TAGS_LIMIT}`, {
      status: 414,
    })
  const invalid = moreTags.find((tag) => !isTag(tag))
  if (invalid !== undefined)
    throw new RegistryError('TAG_INVALID', `invalid tag ${JSON.stringify(invalid.slice(0, 160))}`)
  return [...new Set(moreTags)]
}

function absentManifest(repository: Repository, reference: string): RegistryError {
  const { message, detail } = unknownManifest(repository.name, reference)
  return new AbsentContent(repository, 'MANIFEST_UNKNOWN', message, detail)
}

export function unknownManifest(name: string, reference: string): RegistryError {
  return new RegistryError('MANIFEST_UNKNOWN', `repository ${name} has no manifest ${reference}`, {
    detail: { name, reference },
  })
}
