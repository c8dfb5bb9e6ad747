// What an artifact's page shows besides what its list row has: extra attributes, icon, annotations, references.
import { CNAB_INDEX, kindOf } from '../oci/artifact-type.ts'
import type { Descriptor, Platform } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { type Manifest, parseManifest } from '../oci/manifest.ts'
import { extraAttributes, needsConfig, ownIcon } from './extra-attributes.ts'
import { readJsonBlob } from './json-blob.ts'
import { keys } from './keys.ts'
import { manifestOf } from './manifest-record.ts'
import { bytesOf } from './manifests.ts'
import type { Attributes, Json } from './ports.ts'
import type { Registry } from './registry.ts'

export interface ArtifactReference {
  digest: Digest
  platform?: Platform
  annotations?: Record<string, string>
  urls?: string[]
}

export interface ArtifactFacts {
  extraAttrs: Attributes
  icon?: Digest
  annotations: Record<string, string>
  references: ArtifactReference[]
}

/** Beyond this annotations and references are read from the manifest itself: an item holds 400 KB. */
const RECORDED_BYTES = 48 * 1024
const CNAB_PART = 'io.cnab.manifest.type'

/** @param config the manifest's parsed config, when it was read already */
export async function artifactFacts(
  registry: Registry,
  repo: string,
  manifest: Manifest,
  config?: Record<string, unknown>,
): Promise<ArtifactFacts> {
  const icon = ownIcon(manifest)
  return {
    extraAttrs: await attributesOf(registry, repo, manifest, config),
    ...(icon === undefined ? {} : { icon }),
    ...factsInManifest(manifest),
  }
}

/** The part that needs nothing but the manifest. */
export function factsInManifest(manifest: Manifest): Pick<ArtifactFacts, 'annotations' | 'references'> {
  return { annotations: manifest.annotations ?? {}, references: manifest.children.map(reference) }
}

/** As they are recorded; `inManifest` says that annotations and references were too many. */
export function recordedFacts({ extraAttrs, icon, ...inManifest }: ArtifactFacts): Attributes {
  const recorded = { extraAttrs, ...(icon === undefined ? {} : { icon }) }
  if (Buffer.byteLength(JSON.stringify(inManifest)) > RECORDED_BYTES) return { ...recorded, inManifest: true }
  return { ...recorded, ...(inManifest as unknown as Record<string, Json>) }
}

async function attributesOf(
  registry: Registry,
  repo: string,
  manifest: Manifest,
  read: Record<string, unknown> | undefined,
): Promise<Attributes> {
  const described = manifest.kind === 'index' ? await cnabConfig(registry, repo, manifest) : manifest
  if (!described?.config) return {}
  const config =
    read ?? (needsConfig(described) ? await readJsonBlob(registry, repo, described.config) : undefined)
  return extraAttributes(described, config)
}

/** The manifest of a CNAB index that holds the bundle's config. */
async function cnabConfig(registry: Registry, repo: string, index: Manifest): Promise<Manifest | undefined> {
  if (kindOf(index).type !== 'CNAB') return undefined
  const part = index.children.findLast((child) => child.annotations?.[CNAB_PART] === 'config')
  if (!part) return undefined
  const [item, inline] = await registry.metadata.batchGet([
    keys.manifest(repo, part.digest),
    keys.manifestBytes(repo, part.digest),
  ])
  const record = manifestOf(item, repo, part.digest)
  if (record?.kind !== 'image') return undefined
  const manifest = parseManifest(await bytesOf(registry, record, inline), record.mediaType)
  // Its config is shown whole, whatever type it would have by itself.
  return { ...manifest, artifactType: CNAB_INDEX }
}

function reference({ digest, platform, annotations, urls }: Descriptor): ArtifactReference {
  return {
    digest,
    ...(platform ? { platform } : {}),
    ...(annotations ? { annotations } : {}),
    ...(urls ? { urls } : {}),
  }
}
