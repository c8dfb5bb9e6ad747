// Deleting an artifact with all that is only there for it: accessories, and an index's manifests nobody else has use for.
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { parseManifest } from '../oci/manifest.ts'
import type { Reference } from '../oci/reference.ts'
import { deleteManifest, deleteReference } from '../registry/deletion.ts'
import { findManifest } from '../registry/manifests.ts'
import type { Actor, Registry } from '../registry/registry.ts'
import { readAccessories } from './accessories.ts'

/** What one deletion takes along; the collector has the rest. */
const TAKEN_ALONG = 1000

export interface DeletedArtifact {
  digest: Digest
  /** Manifests that went with it. */
  alongside: Digest[]
}

/**
 * By a tag too it is the artifact that goes, with all of its tags.
 * @throws NAME_UNKNOWN, MANIFEST_UNKNOWN; DENIED (412) naming the indexes it is part of
 */
export async function deleteArtifact(
  registry: Registry,
  name: string,
  reference: Reference,
  actor: Actor,
): Promise<DeletedArtifact> {
  const { repository, record, bytes } = await findManifest(registry, name, reference)
  const { digest } = record
  const repo = repository.id
  const alongside: Digest[] = []
  const waiting = await belongings(registry, repo, digest, { bytes, mediaType: record.mediaType })
  await deleteReference(registry, name, { kind: 'digest', digest }, actor)
  for (let next = waiting.shift(); next && alongside.length < TAKEN_ALONG; next = waiting.shift()) {
    const own = await belongingsOf(registry, name, repo, next.digest)
    if (!own) continue
    const outcome = await deleteManifest(registry, repo, next.digest, actor, {
      cause: 'delete',
      // Accessories go with their tags; a manifest that has a tag of its own is somebody's image.
      onlyUntagged: next.kind === 'child',
    })
    if (outcome !== 'deleted') continue
    alongside.push(next.digest)
    waiting.push(...own)
  }
  return { digest, alongside }
}

interface Belonging {
  kind: 'child' | 'accessory'
  digest: Digest
}

async function belongings(
  registry: Registry,
  repo: string,
  digest: Digest,
  content: { bytes: Uint8Array; mediaType: string },
): Promise<Belonging[]> {
  const accessories = await readAccessories(registry, repo, digest)
  const { children } = parseManifest(content.bytes, content.mediaType)
  return [
    ...accessories.map((each): Belonging => ({ kind: 'accessory', digest: each.digest })),
    ...children.map((each): Belonging => ({ kind: 'child', digest: each.digest })),
  ]
}

/** @returns undefined when it is gone already */
async function belongingsOf(
  registry: Registry,
  name: string,
  repo: string,
  digest: Digest,
): Promise<Belonging[] | undefined> {
  try {
    const { record, bytes } = await findManifest(registry, name, { kind: 'digest', digest })
    return await belongings(registry, repo, digest, { bytes, mediaType: record.mediaType })
  } catch (error) {
    if (error instanceof RegistryError && error.status === 404) return undefined
    throw error
  }
}
