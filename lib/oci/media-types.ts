// Media types a registry has to know by name.

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
const OCI_ARTIFACT = 'application/vnd.oci.artifact.manifest.v1+json'
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'

const DOCKER_SCHEMA1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/

/** Layers whose bytes live elsewhere and may not be distributed (image-spec layer.md §"Non-Distributable Layers"). */
const FOREIGN_LAYERS = [
  'application/vnd.oci.image.layer.nondistributable.v1.tar',
  'application/vnd.docker.image.rootfs.foreign.diff.tar',
]

export type ManifestKind = 'image' | 'index' | 'artifact'

export const MANIFEST_KINDS: Record<string, ManifestKind> = {
  [OCI_MANIFEST]: 'image',
  [DOCKER_MANIFEST]: 'image',
  [OCI_INDEX]: 'index',
  [DOCKER_LIST]: 'index',
  [OCI_ARTIFACT]: 'artifact',
}

export function isDockerSchema1(mediaType: string): boolean {
  return DOCKER_SCHEMA1.test(mediaType)
}

export function isForeignLayer(mediaType: string): boolean {
  return FOREIGN_LAYERS.some(
    (base) => mediaType === base || mediaType.startsWith(`${base}+`) || mediaType === `${base}.gzip`,
  )
}
