// Manifests and indexes: what a registry reads out of the bytes it stores verbatim.
import { type Descriptor, isObject, readAnnotations, readDescriptor } from './descriptor.ts'
import type { Digest } from './digest.ts'
import { RegistryError } from './errors.ts'
import {
  isDockerSchema1,
  isForeignLayer,
  MANIFEST_KINDS,
  type ManifestKind,
  OCI_INDEX,
  OCI_MANIFEST,
} from './media-types.ts'
import { parseStrictJson } from './strict-json.ts'

/** distribution-spec v1.1.1 §"Pushing Manifests": registries should accept at least 4 MiB; we accept exactly that. */
export const MANIFEST_LIMIT_BYTES = 4 * 1024 * 1024

export interface Manifest {
  mediaType: string
  kind: ManifestKind
  config?: Descriptor
  layers: Descriptor[]
  /** Blobs that must be in the repository before the manifest is accepted (config, layers; not foreign ones). */
  blobs: Descriptor[]
  /** An index's manifests. */
  children: Descriptor[]
  subject?: Descriptor
  /** As referrers list it: the manifest's own, else an image's config media type. */
  artifactType?: string
  annotations?: Record<string, string>
}

/**
 * @param contentType the request's Content-Type, without which the body's own mediaType or shape decides
 * @throws MANIFEST_INVALID
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined): Manifest {
  const json = parseStrictJson(bytes)
  if (!isObject(json)) throw new RegistryError('MANIFEST_INVALID', 'the manifest is not a JSON object')
  const mediaType = mediaTypeOf(json, contentType)
  const kind = MANIFEST_KINDS[mediaType]
  if (!kind) throw unsupportedType(mediaType)
  if (kind !== 'artifact' && json.schemaVersion !== 2)
    throw new RegistryError('MANIFEST_INVALID', 'manifest invalid: schemaVersion must be 2')

  const manifest: Manifest = { mediaType, kind, layers: [], blobs: [], children: [] }
  if (kind === 'image') readImage(json, manifest)
  else if (kind === 'index') readIndex(json, manifest)
  else manifest.blobs = readList(json.blobs ?? [], 'blobs')
  if (json.subject !== undefined && json.subject !== null)
    manifest.subject = readDescriptor(json.subject, 'subject')
  const artifactType = json.artifactType
  if (typeof artifactType === 'string' && artifactType !== '') manifest.artifactType = artifactType
  const annotations = readAnnotations(json.annotations, 'the manifest’s')
  if (annotations) manifest.annotations = annotations
  return manifest
}

function readImage(json: Record<string, unknown>, manifest: Manifest): void {
  if ('manifests' in json && !('layers' in json) && !('config' in json))
    throw new RegistryError('MANIFEST_INVALID', 'the Content-Type says image manifest, the body is an index')
  manifest.config = readDescriptor(json.config, 'config')
  manifest.layers = readList(json.layers ?? [], 'layers')
  manifest.blobs = [manifest.config, ...manifest.layers.filter((layer) => !isForeignLayer(layer.mediaType))]
  manifest.artifactType = manifest.config.mediaType
}

function readIndex(json: Record<string, unknown>, manifest: Manifest): void {
  if ('layers' in json)
    throw new RegistryError('MANIFEST_INVALID', 'the Content-Type says index, the body has layers')
  manifest.children = readList(json.manifests ?? [], 'manifests')
}

function readList(value: unknown, where: string): Descriptor[] {
  if (!Array.isArray(value))
    throw new RegistryError('MANIFEST_INVALID', `manifest invalid: ${where} is not an array`)
  return value.map((each, index) => readDescriptor(each, `${where}[${index}]`))
}

function mediaTypeOf(json: Record<string, unknown>, contentType: string | undefined): string {
  const header = contentType?.split(';', 1)[0]?.trim().toLowerCase()
  const own = typeof json.mediaType === 'string' ? json.mediaType : undefined
  // curl and old clients send these by default; they say nothing about a manifest.
  const silent =
    !header ||
    header === 'application/json' ||
    header === 'application/octet-stream' ||
    header === 'application/x-www-form-urlencoded'
  if (silent) return own ?? ('manifests' in json ? OCI_INDEX : OCI_MANIFEST)
  if (own !== undefined && own !== header)
    throw new RegistryError(
      'MANIFEST_INVALID',
      `the Content-Type is ${header} but the manifest’s own mediaType is ${own.slice(0, 200)}`,
    )
  return header
}

function unsupportedType(mediaType: string): RegistryError {
  const why = isDockerSchema1(mediaType)
    ? 'Docker schema 1 manifests are not accepted: push with Docker 1.10 or newer'
    : `${JSON.stringify(mediaType.slice(0, 200))} is not a manifest type this registry accepts (${Object.keys(MANIFEST_KINDS).join(', ')})`
  return new RegistryError('MANIFEST_INVALID', why)
}

/** The referrers API's entry for a manifest (distribution-spec v1.1.1 §"Listing Referrers"). */
export function referrerDescriptor(manifest: Manifest, digest: Digest, sizeBytes: number): Descriptor {
  return {
    mediaType: manifest.mediaType,
    digest,
    size: sizeBytes,
    ...(manifest.artifactType === undefined ? {} : { artifactType: manifest.artifactType }),
    ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
  }
}
