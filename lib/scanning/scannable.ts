// What a scanner can look into: images, and the images of an index. Nothing else has packages.
import { IMAGE_CONFIGS, kindOf } from '../oci/artifact-type.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { type Manifest, parseManifest } from '../oci/manifest.ts'
import type { Reference } from '../oci/reference.ts'
import { findManifest } from '../registry/manifests.ts'
import type { Registry } from '../registry/registry.ts'
import type { Repository } from '../registry/repositories.ts'

/** An index of indexes is followed that deep. */
const DEPTH = 3
const IMAGES_LIMIT = 100
/** Attestations are packed as images whose layers are statements. */
const STATEMENT = 'application/vnd.in-toto+json'

export interface Scannable {
  repository: Repository
  digest: Digest
  mediaType: string
  tags: string[]
  /** Digests of the images: itself, or those of an index; none where a scanner finds nothing to look into. */
  images: Digest[]
}

/** @throws NAME_UNKNOWN, MANIFEST_UNKNOWN */
export async function scannableAt(
  registry: Registry,
  name: string,
  reference: Reference,
): Promise<Scannable> {
  const { repository, record, bytes } = await findManifest(registry, name, reference)
  const manifest = parseManifest(bytes, record.mediaType)
  return {
    repository,
    digest: record.digest,
    mediaType: record.mediaType,
    tags: reference.kind === 'tag' ? [reference.tag] : [],
    images: await imagesIn(registry, name, record.digest, manifest, DEPTH),
  }
}

export function isImage(manifest: Manifest): boolean {
  if (manifest.kind !== 'image') return false
  if (kindOf(manifest).type !== 'IMAGE' || !IMAGE_CONFIGS.includes(manifest.config?.mediaType ?? ''))
    return false
  return !manifest.layers.some((layer: Descriptor) => layer.mediaType === STATEMENT)
}

async function imagesIn(
  registry: Registry,
  name: string,
  digest: Digest,
  manifest: Manifest,
  depth: number,
): Promise<Digest[]> {
  if (manifest.kind !== 'index') return isImage(manifest) ? [digest] : []
  if (depth === 0) return []
  const found: Digest[] = []
  for (const child of manifest.children) {
    if (found.length >= IMAGES_LIMIT) break
    const there = await manifestThere(registry, name, child.digest)
    if (there) found.push(...(await imagesIn(registry, name, child.digest, there, depth - 1)))
  }
  return [...new Set(found)]
}

/** A cache has of an index only the platforms that were pulled. */
async function manifestThere(
  registry: Registry,
  name: string,
  digest: Digest,
): Promise<Manifest | undefined> {
  try {
    const { record, bytes } = await findManifest(registry, name, { kind: 'digest', digest })
    return parseManifest(bytes, record.mediaType)
  } catch (error) {
    if (error instanceof RegistryError && error.status === 404) return undefined
    throw error
  }
}
