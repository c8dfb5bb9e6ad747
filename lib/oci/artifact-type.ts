// What kind of thing a manifest holds, by Harbor's rules (v2.14, controller/artifact and its processors).
import type { Manifest } from './manifest.ts'
import { OCI_INDEX } from './media-types.ts'

export const WASM_CONFIG = 'application/vnd.wasm.config.v1+json'
export const SBOM = 'application/vnd.goharbor.harbor.sbom.v1'
export const CNAB_INDEX = 'application/vnd.cnab.manifest.v1'

export const IMAGE_CONFIGS = [
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]

const TYPES = new Map<string, string>([
  ...IMAGE_CONFIGS.map((each): [string, string] => [each, 'IMAGE']),
  [OCI_INDEX, 'IMAGE'],
  ['application/vnd.docker.distribution.manifest.list.v2+json', 'IMAGE'],
  ['application/vnd.cncf.helm.config.v1+json', 'CHART'],
  [CNAB_INDEX, 'CNAB'],
  ['application/vnd.cncf.model.manifest.v1+json', 'CNAI'],
  [WASM_CONFIG, 'WASM'],
  [SBOM, 'SBOM'],
])
/** `application/vnd.<vendor>.<type>.config.<version>+json` names its type itself. */
const OWN_TYPE = /^application\/vnd\.[^.]*\.(.*)\.config\.[^.]*\+json$/
/** As long as Harbor's columns, so that nothing a pusher writes makes a list's rows large. */
const LIMIT = 255

export interface ArtifactKind {
  /** `IMAGE`, `CHART`, …; upper case of what the config's media type says, or `UNKNOWN`. */
  type: string
  /** The config's media type; an index has its own, or what an annotation says. */
  mediaType: string
  /** A type Harbor has no rules of its own for. */
  other: boolean
}

export function kindOf(manifest: Manifest): ArtifactKind {
  const mediaType = mediaTypeOf(manifest).slice(0, LIMIT)
  // Harbor 2.14 looks at artifactType first, which is the image config's here, and so shows annotated WebAssembly
  // images as IMAGE; its own processor for them says WASM, as its documentation does.
  const known = isWasmImage(manifest) ? 'WASM' : TYPES.get(manifest.artifactType ?? mediaType)
  if (known) return { type: known, mediaType, other: false }
  const own = OWN_TYPE.exec(mediaType)?.[1]
  return { type: own ? own.toUpperCase() : 'UNKNOWN', mediaType, other: true }
}

function mediaTypeOf(manifest: Manifest): string {
  if (manifest.kind === 'index')
    return manifest.annotations?.['org.opencontainers.artifactType'] || manifest.mediaType
  return isWasmImage(manifest) ? WASM_CONFIG : (manifest.config?.mediaType ?? '')
}

/** A WebAssembly module packed as an image, which an annotation tells. */
export function isWasmImage({ kind, annotations }: Manifest): boolean {
  return (
    kind === 'image' &&
    (annotations?.['module.wasm.image/variant'] === 'compat' || annotations?.['run.oci.handler'] === 'wasm')
  )
}

/** Bytes of an image's manifest, config and layers; an index counts only itself here. */
export function sizeOf(manifest: Manifest, manifestBytes: number): number {
  const content = manifest.kind === 'image' ? [manifest.config!, ...manifest.layers] : manifest.blobs
  return content.reduce((sum, each) => sum + each.size, manifestBytes)
}
