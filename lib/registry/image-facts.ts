// What is worth knowing of an image without opening it again: layers, config, diff ids, platform, and what lists show.
import { IMAGE_CONFIGS } from '../oci/artifact-type.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Manifest } from '../oci/manifest.ts'
import { artifactFacts, recordedFacts } from './artifact-facts.ts'
import { needsConfig } from './extra-attributes.ts'
import { readJsonBlob } from './json-blob.ts'
import type { Attributes, Json } from './ports.ts'
import type { Registry } from './registry.ts'

export async function imageFacts(registry: Registry, repo: string, manifest: Manifest): Promise<Attributes> {
  const config = await configOf(registry, repo, manifest)
  const facts: Attributes = {
    v: 1,
    blobs: unique(manifest.blobs).map(({ digest, size, mediaType }) => ({ digest, size, mediaType })),
    layers: manifest.layers.map((layer) => layer.digest),
    artifact: recordedFacts(await artifactFacts(registry, repo, manifest, config)),
  }
  if (!manifest.config) return facts
  facts.config = manifest.config.digest
  if (!config || !IMAGE_CONFIGS.includes(manifest.config.mediaType)) return facts
  const { rootfs, os, architecture, variant, created } = config as Record<string, Json | undefined>
  const diffIds = (rootfs as { diff_ids?: Json } | undefined)?.diff_ids
  if (Array.isArray(diffIds)) facts.diffIds = diffIds.filter((each) => typeof each === 'string')
  for (const [name, value] of Object.entries({ os, architecture, variant, created }))
    if (typeof value === 'string') facts[name] = value.slice(0, 100)
  return facts
}

async function configOf(
  registry: Registry,
  repo: string,
  manifest: Manifest,
): Promise<Record<string, unknown> | undefined> {
  const { config } = manifest
  if (!config || !(IMAGE_CONFIGS.includes(config.mediaType) || needsConfig(manifest))) return undefined
  return readJsonBlob(registry, repo, config)
}

function unique(blobs: Descriptor[]): Descriptor[] {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()]
}
