// Copying an artifact to another repository: manifests, their content by links to what is stored already, and what
// belongs to them. No bytes pass through us.
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { type Manifest, parseManifest } from '../oci/manifest.ts'
import type { Reference } from '../oci/reference.ts'
import { immutableIn } from '../registry/immutable-tags.ts'
import { keys } from '../registry/keys.ts'
import { manifestOf } from '../registry/manifest-record.ts'
import { bytesOf, findManifest } from '../registry/manifests.ts'
import { mountBlob } from '../registry/mounts.ts'
import { placeManifest } from '../registry/place-manifest.ts'
import { findProject, type Project } from '../registry/projects.ts'
import type { Actor, Registry } from '../registry/registry.ts'
import { openRepository, type Repository, requireRepository } from '../registry/repositories.ts'
import { requireRoom } from '../registry/room.ts'
import { readAccessories } from './accessories.ts'
import { isAccessory } from './collection.ts'
import { readRows, readTags } from './rows.ts'

/** Manifests of one copy; a request has to end some time. */
const COPIED_AT_MOST = 500
const BLOBS_AT_ONCE = 8
/** Tags set in one transaction. */
const TAGS_AT_ONCE = 15

export interface Copied {
  repository: Repository
  digest: Digest
  /** Manifests that were not there before. */
  created: number
}

/**
 * Copies with it an index's manifests, and each one's accessories; the tags come along, as Harbor's do, and move where
 * the target has them already.
 * @param to the repository to copy into, with its project; made where it does not exist
 * @throws NAME_UNKNOWN, MANIFEST_UNKNOWN; DENIED for an accessory; REQUEST_INVALID for more than 500 manifests;
 *   MANIFEST_BLOB_UNKNOWN where content of it is missing or damaged; PRECONDITION where an immutable tag would move
 */
export async function copyArtifact(
  registry: Registry,
  from: { repository: string; reference: Reference },
  to: string,
  actor: Actor,
): Promise<Copied> {
  const source = (await requireRepository(registry, from.repository)).repository
  const { record } = await findManifest(registry, from.repository, from.reference)
  await refuseAccessory(registry, source, record.digest)
  const plan = await planCopy(registry, source, record.digest)
  const target = await openRepository(registry, to, actor)
  const project = await findProject(registry, target.projectName)
  let created = 0
  // Children come before what names them, accessories after what they belong to.
  for (const part of plan) if (await copyOne(registry, source, target, project, part, actor)) created += 1
  return { repository: target, digest: record.digest, created }
}

interface Part {
  digest: Digest
  bytes: Uint8Array
  mediaType: string
  manifest: Manifest
}

async function refuseAccessory(registry: Registry, source: Repository, digest: Digest): Promise<void> {
  const row = (await readRows(registry, source.id, [digest])).get(digest)
  if (!row) return
  row.tags = await readTags(registry, source.id, digest)
  if (isAccessory(row))
    throw new RegistryError(
      'DENIED',
      "the operation isn't supported for an artifact accessory: copy what it belongs to",
    )
}

async function planCopy(registry: Registry, source: Repository, root: Digest): Promise<Part[]> {
  const plan: Part[] = []
  const seen = new Set<Digest>()
  const visit = async (digest: Digest): Promise<void> => {
    if (seen.has(digest)) return
    seen.add(digest)
    if (seen.size > COPIED_AT_MOST)
      throw new RegistryError(
        'REQUEST_INVALID',
        `${source.name}@${root} has more than ${COPIED_AT_MOST} manifests, too many for one copy: copy its parts`,
      )
    const part = await readPart(registry, source, digest)
    // A project may allow indexes of manifests that are not there.
    if (!part) return
    for (const child of part.manifest.children) await visit(child.digest)
    plan.push(part)
    for (const accessory of await readAccessories(registry, source.id, digest)) await visit(accessory.digest)
  }
  await visit(root)
  return plan
}

async function readPart(registry: Registry, source: Repository, digest: Digest): Promise<Part | undefined> {
  const [item, inline] = await registry.metadata.batchGet([
    keys.manifest(source.id, digest),
    keys.manifestBytes(source.id, digest),
  ])
  const record = manifestOf(item, source.id, digest)
  if (!record) return undefined
  const bytes = await bytesOf(registry, record, inline)
  return { digest, bytes, mediaType: record.mediaType, manifest: parseManifest(bytes, record.mediaType) }
}

/** @returns whether it was not there before */
async function copyOne(
  registry: Registry,
  source: Repository,
  target: Repository,
  project: Project | undefined,
  { digest, bytes, mediaType, manifest }: Part,
  actor: Actor,
): Promise<boolean> {
  const present = await registry.metadata.get(keys.manifest(target.id, digest))
  if (!present) {
    if (project) await requireRoom(registry, project, manifest, { digest, sizeBytes: bytes.length })
    await linkContent(registry, source, target, manifest)
  }
  const tags = (await readTags(registry, source.id, digest)).map(({ name }) => name)
  const immutable = project && immutableIn(project, target.name)
  let made = false
  for (let at = 0; at === 0 || at < tags.length; at += TAGS_AT_ONCE) {
    const placement = {
      digest,
      bytes,
      contentType: mediaType,
      tags: tags.slice(at, at + TAGS_AT_ONCE),
      cause: 'copy',
      ...(immutable ? { immutable } : {}),
    }
    const { created } = await placeManifest(registry, target, placement, actor)
    made ||= created
  }
  return made
}

async function linkContent(
  registry: Registry,
  source: Repository,
  target: Repository,
  manifest: Manifest,
): Promise<void> {
  const digests = [...new Set(manifest.blobs.map((blob) => blob.digest))]
  for (let at = 0; at < digests.length; at += BLOBS_AT_ONCE)
    await Promise.all(
      digests.slice(at, at + BLOBS_AT_ONCE).map(async (digest) => {
        if (await mountBlob(registry, target, digest, source.id)) return
        throw new RegistryError(
          'MANIFEST_BLOB_UNKNOWN',
          `blob ${digest} is missing from ${source.name}, or damaged there, or about to be collected: push it again`,
        )
      }),
    )
}
