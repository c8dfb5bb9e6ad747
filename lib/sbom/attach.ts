// A bill of materials becomes an artifact of its own that names the image as its subject, as Harbor's do.
import { readAccessories } from '../artifacts/accessories.ts'
import { SBOM } from '../oci/artifact-type.ts'
import { type Digest, digestOf } from '../oci/digest.ts'
import { parseManifest } from '../oci/manifest.ts'
import { OCI_MANIFEST } from '../oci/media-types.ts'
import { projectOf } from '../oci/reference.ts'
import { commitUpload } from '../registry/commit-upload.ts'
import { deleteManifest } from '../registry/deletion.ts'
import { findManifest } from '../registry/manifests.ts'
import { placeManifest } from '../registry/place-manifest.ts'
import { findProject } from '../registry/projects.ts'
import type { Actor, Registry } from '../registry/registry.ts'
import type { Repository } from '../registry/repositories.ts'
import { requireRoom } from '../registry/room.ts'
import { inOnePiece } from '../registry/stored-bytes.ts'
import { startUpload } from '../registry/uploads.ts'
import type { SbomFormat } from '../scanning/describer.ts'
import { SBOM_CAUSE } from './cause.ts'

const LAYERS: Record<SbomFormat, { mediaType: string; called: string }> = {
  spdx: { mediaType: 'application/spdx+json', called: 'SPDX' },
  cyclonedx: { mediaType: 'application/vnd.cyclonedx+json', called: 'CycloneDX' },
}

export interface Document {
  format: SbomFormat
  bytes: Uint8Array
  /** `Trivy 0.72.0`. */
  by: string
}

/**
 * Counts in the project's quota, and follows its subject: as whatever else somebody attached.
 * @returns the digest of its manifest
 * @throws NAME_UNKNOWN, MANIFEST_UNKNOWN where the image is gone; DENIED where the project has no room
 */
export async function attachSbom(
  registry: Registry,
  repository: string,
  image: Digest,
  { format, bytes, by }: Document,
  actor: Actor,
): Promise<Digest> {
  const found = await findManifest(registry, repository, { kind: 'digest', digest: image })
  const { mediaType, called } = LAYERS[format]
  const created = new Date(registry.clock.nowMs()).toISOString()
  const config = Buffer.from(JSON.stringify({ created, format: called, scanner: by }))
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: SBOM,
    config: descriptorOf(SBOM, config),
    layers: [descriptorOf(mediaType, bytes)],
    subject: { mediaType: found.record.mediaType, digest: image, size: found.bytes.length },
    annotations: {
      'org.opencontainers.image.created': created,
      'org.opencontainers.artifact.created': created,
      'org.opencontainers.artifact.description': `${called} JSON SBOM`,
    },
  }
  const content = Buffer.from(JSON.stringify(manifest))
  const digest = digestOf(content)
  const project = await findProject(registry, projectOf(repository))
  if (project)
    await requireRoom(registry, project, parseManifest(content, OCI_MANIFEST), {
      ...{ repository, digest, tags: [], sizeBytes: content.length, actor },
    })
  for (const blob of [config, bytes]) await storeBlob(registry, found.repository, blob)
  const placement = { digest, bytes: content, contentType: OCI_MANIFEST, tags: [], cause: SBOM_CAUSE }
  await placeManifest(registry, found.repository, placement, actor)
  return digest
}

/** Bills of materials of Harbor's kind that the image had besides `kept`. */
export async function removeOtherSboms(
  registry: Registry,
  repo: string,
  image: Digest,
  kept: readonly Digest[],
  actor: Actor,
): Promise<void> {
  for (const { type, digest } of await readAccessories(registry, repo, image))
    if (type === 'sbom.harbor' && !kept.includes(digest))
      await deleteManifest(registry, repo, digest, actor, { cause: SBOM_CAUSE })
}

function descriptorOf(mediaType: string, bytes: Uint8Array) {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}

async function storeBlob(registry: Registry, { id }: Repository, bytes: Uint8Array): Promise<void> {
  await commitUpload(registry, startUpload(registry, id), digestOf(bytes), { bytes: inOnePiece(bytes) })
}
