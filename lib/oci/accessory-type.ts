// Accessories: signatures, SBOMs and the like that belong to another artifact, by Harbor's rules (v2.14,
// server/middleware/subject and cosign).
import { IMAGE_CONFIGS, SBOM } from './artifact-type.ts'
import type { Digest } from './digest.ts'
import type { Manifest } from './manifest.ts'

export type AccessoryType =
  | 'signature.cosign'
  | 'signature.notation'
  | 'sbom.harbor'
  | 'accelerator.nydus'
  | 'subject.accessory'

const BY_ARTIFACT_TYPE = new Map<string, AccessoryType>([
  ['application/vnd.cncf.notary.signature', 'signature.notation'],
  ['application/vnd.dev.cosign.artifact.sig.v1+json', 'signature.cosign'],
  // What cosign 3 writes; Harbor knows it from 2.15 on.
  ['application/vnd.dev.sigstore.bundle.v0.3+json', 'signature.cosign'],
  [SBOM, 'sbom.harbor'],
])
const NYDUS_BOOTSTRAP = 'containerd.io/snapshot/nydus-bootstrap'
const COSIGN_LAYER = 'application/vnd.dev.cosign.simplesigning.v1+json'
const COSIGN_TAG = /^sha256-([0-9a-f]{64})\.sig$/

/** What a manifest with a subject is to it; undefined without a subject. */
export function accessoryTypeOf(manifest: Manifest): AccessoryType | undefined {
  if (!manifest.subject) return undefined
  const artifactType = manifest.artifactType ?? ''
  if (
    IMAGE_CONFIGS.includes(artifactType) &&
    manifest.layers.at(-1)?.annotations?.[NYDUS_BOOTSTRAP] !== undefined
  )
    return 'accelerator.nydus'
  return BY_ARTIFACT_TYPE.get(artifactType) ?? 'subject.accessory'
}

/** Whether it is a signature of older cosigns, which name their subject by a tag. */
export function isSimpleSigning(manifest: Manifest): boolean {
  return manifest.blobs.some((blob) => blob.mediaType === COSIGN_LAYER)
}

/** The tag under which older cosigns put signatures of a manifest; undefined for digests they do not sign. */
export function cosignTagOf(digest: Digest): string | undefined {
  return digest.startsWith('sha256:') ? `${digest.replace(':', '-')}.sig` : undefined
}

/** The manifest whose signatures a tag names. */
export function subjectOfCosignTag(tag: string): Digest | undefined {
  const hex = COSIGN_TAG.exec(tag)?.[1]
  return hex === undefined ? undefined : (`sha256:${hex}` as Digest)
}
