// How bills of materials are told from other artifacts: by media type, or by the predicate of an attestation.
import { SBOM } from './artifact-type.ts'
import type { Digest } from './digest.ts'
import type { Manifest } from './manifest.ts'

export const SBOM_MEDIA_TYPES: ReadonlySet<string> = new Set([
  SBOM,
  'application/spdx+json',
  'application/vnd.cyclonedx+json',
  'application/vnd.cyclonedx+xml',
  'application/vnd.cyclonedx',
  'application/vnd.syft+json',
  'application/vnd.spdx',
  'text/spdx',
  'text/spdx+json',
  'text/spdx+xml',
])
/** in-toto's predicates, with or without a version after them. */
const PREDICATES = ['https://spdx.dev/Document', 'https://cyclonedx.org/bom', 'https://syft.dev/bom']
/** Where cosign (layers; bundles: the manifest) and BuildKit write which predicate an attestation has. */
const PREDICATE_TYPE = ['predicateType', 'dev.sigstore.bundle.predicateType', 'in-toto.io/predicate-type']

/** Whether that manifest, which belongs to an image, is or attests a bill of materials. */
export function isSbom(manifest: Manifest): boolean {
  const described = [manifest.config, ...manifest.layers, ...manifest.blobs]
  const types = [manifest.artifactType, ...described.map((each) => each?.mediaType)]
  if (types.some((each) => each !== undefined && SBOM_MEDIA_TYPES.has(each))) return true
  return [manifest, ...described].some((each) =>
    PREDICATE_TYPE.some((name) => isSbomPredicate(each?.annotations?.[name])),
  )
}

function isSbomPredicate(type: string | undefined): boolean {
  return type !== undefined && PREDICATES.some((each) => type === each || type.startsWith(`${each}/`))
}

/** The tags of `cosign attach sbom` and of older `cosign attest`; none for digests they do not know. */
export function sbomTagsOf(digest: Digest): string[] {
  return digest.startsWith('sha256:')
    ? ['sbom', 'att'].map((each) => `${digest.replace(':', '-')}.${each}`)
    : []
}

/** BuildKit puts an image's attestations beside it in the index: the manifest's digest. */
export function buildkitAttestationsOf(index: Manifest, image: Digest): Digest[] {
  return index.children
    .filter(
      ({ annotations }) =>
        annotations?.['vnd.docker.reference.type'] === 'attestation-manifest' &&
        annotations['vnd.docker.reference.digest'] === image,
    )
    .map(({ digest }) => digest)
}
