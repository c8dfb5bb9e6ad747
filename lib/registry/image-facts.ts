// What is worth knowing of an image without opening it again: layers, config, diff ids, platform.
import type { Descriptor } from '../oci/descriptor.ts'
import type { Manifest } from '../oci/manifest.ts'
import { readLink } from './links.ts'
import type { Attributes, Json } from './ports.ts'
import type { Registry } from './registry.ts'
import { allBytes } from './stored-bytes.ts'

const IMAGE_CONFIGS = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
])
const CONFIG_LIMIT_BYTES = 4 * 1024 * 1024

export async function imageFacts(registry: Registry, repo: string, manifest: Manifest): Promise<Attributes> {
  const facts: Attributes = {
    v: 1,
    blobs: unique(manifest.blobs).map(({ digest, size, mediaType }) => ({ digest, size, mediaType })),
    layers: manifest.layers.map((layer) => layer.digest),
  }
  if (!manifest.config) return facts
  facts.config = manifest.config.digest
  const config = await readConfig(registry, repo, manifest.config)
  if (!config) return facts
  const { rootfs, os, architecture, variant, created } = config as Record<string, Json | undefined>
  const diffIds = (rootfs as { diff_ids?: Json } | undefined)?.diff_ids
  if (Array.isArray(diffIds)) facts.diffIds = diffIds.filter((each) => typeof each === 'string')
  for (const [name, value] of Object.entries({ os, architecture, variant, created }))
    if (typeof value === 'string') facts[name] = value.slice(0, 100)
  return facts
}

/** undefined for anything but a readable image configuration: a pusher may put any bytes there. */
async function readConfig(
  registry: Registry,
  repo: string,
  config: Descriptor,
): Promise<Record<string, unknown> | undefined> {
  if (!IMAGE_CONFIGS.has(config.mediaType) || config.size > CONFIG_LIMIT_BYTES) return undefined
  const link = await readLink(registry, repo, config.digest)
  const body = link && (await registry.blobs.open(link.object))
  if (!body) return undefined
  const bytes = await allBytes(body)
  try {
    const parsed = JSON.parse(Buffer.from(bytes).toString('utf8'))
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined
  } catch {
    return undefined
  }
}

function unique(blobs: Descriptor[]): Descriptor[] {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()]
}
