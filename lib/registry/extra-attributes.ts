// What Harbor calls extra_attrs: a few facts of an artifact's config, different for each type
// (v2.14, controller/artifact/processor).
import { isWasmImage, kindOf, WASM_CONFIG } from '../oci/artifact-type.ts'
import { isObject } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import type { Manifest } from '../oci/manifest.ts'
import type { Attributes, Json } from './ports.ts'

/** image-spec v1.1 config.md §"Properties"; what Docker adds to them is not shown, as Harbor does not. */
const CONFIG_FIELDS = [
  'User',
  'ExposedPorts',
  'Env',
  'Entrypoint',
  'Cmd',
  'Volumes',
  'WorkingDir',
  'Labels',
  'StopSignal',
  'ArgsEscaped',
]
const AUTHOR_LABELS = ['org.opencontainers.image.authors', 'maintainer']
const SKIP_LIST = 'io.goharbor.artifact.v1alpha1.skip-list'
const ICON = 'io.goharbor.artifact.v1alpha1.icon'
const TITLE = 'org.opencontainers.image.title'
const LIMIT_BYTES = 32 * 1024

/** Whether its config has to be read for them. */
export function needsConfig(manifest: Manifest): boolean {
  if (!manifest.config || manifest.config.size === 0) return false
  const { type } = kindOf(manifest)
  return type === 'WASM' ? isWasmImage(manifest) : type !== 'UNKNOWN'
}

/**
 * At most 32 KiB of them: where a config has more, its largest entries are left out.
 * @param config the parsed config, undefined where there is none or it is no JSON object
 */
export function extraAttributes(manifest: Manifest, config: Record<string, unknown> | undefined): Attributes {
  const { type, other } = kindOf(manifest)
  if (manifest.kind !== 'image') return {}
  if (type === 'WASM') return bounded(wasmAttributes(manifest, config))
  if (type === 'IMAGE' && !other) return bounded(imageAttributes(config ?? {}, AUTHOR_LABELS))
  const attributes = { ...config } as Attributes
  if (other) {
    if (type === 'UNKNOWN') return {}
    for (const name of (manifest.config?.annotations?.[SKIP_LIST] ?? '').split(',')) delete attributes[name]
  }
  return bounded(attributes)
}

/** A picture among the layers that stands for the artifact; only of types Harbor does not know. */
export function ownIcon(manifest: Manifest): Digest | undefined {
  if (!kindOf(manifest).other) return undefined
  return manifest.layers.find((layer) => layer.annotations?.[ICON] !== undefined)?.digest
}

function imageAttributes(config: Record<string, unknown>, authorLabels: string[]): Attributes {
  const inner = isObject(config.config) ? config.config : {}
  const labels = isObject(inner.Labels) ? inner.Labels : {}
  const author = [config.author, ...authorLabels.map((label) => labels[label])]
  return {
    created: typeof config.created === 'string' ? config.created : null,
    architecture: textOr(config.architecture),
    os: textOr(config.os),
    config: Object.fromEntries(
      CONFIG_FIELDS.flatMap((name) => (inner[name] ? [[name, inner[name] as Json]] : [])),
    ),
    author: textOr(author.find((each) => typeof each === 'string' && each !== '')),
  }
}

function wasmAttributes(manifest: Manifest, config: Record<string, unknown> | undefined): Attributes {
  if (isWasmImage(manifest))
    return {
      'manifest.config.mediaType': manifest.config!.mediaType,
      ...imageAttributes(config ?? {}, ['maintainer']),
    }
  const [layer] = manifest.layers
  return {
    'manifest.config.mediaType': WASM_CONFIG,
    ...(layer
      ? { 'manifest.layers.mediaType': layer.mediaType, [TITLE]: layer.annotations?.[TITLE] ?? '' }
      : {}),
  }
}

function textOr(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The smallest entries first, as many as fit; in their order. */
function bounded(attributes: Attributes): Attributes {
  const sizes = Object.entries(attributes).map(([name, value]) => ({
    name,
    bytes: Buffer.byteLength(name) + Buffer.byteLength(JSON.stringify(value) ?? ''),
  }))
  const kept = new Set<string>()
  let total = 0
  for (const { name, bytes } of sizes.sort((a, b) => a.bytes - b.bytes)) {
    total += bytes
    if (total > LIMIT_BYTES) break
    kept.add(name)
  }
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => kept.has(name)))
}
