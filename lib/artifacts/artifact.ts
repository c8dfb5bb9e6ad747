// An artifact: a manifest as Harbor's users see it, with its type, tags, labels and what belongs to it.
import type { AccessoryType } from '../oci/accessory-type.ts'
import type { Digest } from '../oci/digest.ts'
import type { ArtifactReference } from '../registry/artifact-facts.ts'
import type { Attributes } from '../registry/ports.ts'
import type { Repository } from '../registry/repositories.ts'
import type { Label } from './labels.ts'

export interface ArtifactTag {
  id: number
  name: string
  pushedAtMs: number
  /** The last pull by this tag. */
  pulledAtMs?: number
}

export interface Accessory {
  id: number
  artifactId: number
  subjectArtifactId: number
  subjectDigest: Digest
  digest: Digest
  type: AccessoryType
  /** Manifest, config and layers. */
  sizeBytes: number
  icon: string
  createdAtMs: number
}

export interface Artifact {
  id: number
  repository: Repository
  digest: Digest
  /** `IMAGE`, `CHART`, `CNAB`, `CNAI`, `WASM`, `SBOM`, what the config's media type names, or `UNKNOWN`. */
  type: string
  mediaType: string
  manifestMediaType: string
  artifactType: string
  /** Manifest, config and layers; of an index, its manifests' too. */
  sizeBytes: number
  /** The digest of a picture. */
  icon: string
  pushedAtMs: number
  pulledAtMs?: number
  pullCount: number
  extraAttrs: Attributes
  annotations: Record<string, string>
  references: ArtifactReference[]
  /** Newest first. */
  tags: ArtifactTag[]
  labels: Label[]
  accessories: Accessory[]
  /** Names under which `getAddition` has something, lower case. */
  additions: string[]
}

/** What of an artifact is wanted; what is not, is empty. */
export interface Wanted {
  tags: boolean
  labels: boolean
  accessories: boolean
}

export const EVERYTHING: Wanted = { tags: true, labels: true, accessories: true }

// Harbor's own pictures (v2.14, lib/icon).
const DEFAULT_ICON = 'sha256:da834479c923584f4cbcdecc0dac61f32bef1d51e8aae598cf16bd154efab49f'
const ICONS = new Map([
  ['IMAGE', 'sha256:0048162a053eef4d4ce3fe7518615bef084403614f8bca43b40ae2e762e11e06'],
  ['CHART', 'sha256:61cf3a178ff0f75bf08a25d96b75cf7355dc197749a9f128ed3ef34b0df05518'],
  ['CNAB', 'sha256:089bdda265c14d8686111402c8ad629e8177a1ceb7dcd0f7f39b6480f623b3bd'],
  ['WASM', 'sha256:badd7693bcaf115be202748241dd0ea6ee3b0524bfab9ac22d1e1c43721afec6'],
  ['SBOM', 'sha256:c19f80c357cd7e90d2a01b9ae3e2eb62ce447a2662bb590a19177d72d550bdae'],
  ['CNAI', 'sha256:1e1e5c5fdaf0931ec8655e835d1182f723a0c322a6760211622e1270f0193717'],
])
const ACCESSORY_ICONS = new Map<AccessoryType, string>([
  ['signature.cosign', 'sha256:20401d5b3a0f6dbc607c8d732eb08471af4ae6b19811a4efce8c6a724aed2882'],
  ['signature.notation', 'sha256:3ac706e102bbe9362b400aa162df58135d35e66b9c3bee2165de92022d25fe34'],
  ['accelerator.nydus', 'sha256:dfcb6617cd9c144358dc1b305b87bbe34f0b619f1e329116e6aee2e41f2e34cf'],
  ['sbom.harbor', 'sha256:c19f80c357cd7e90d2a01b9ae3e2eb62ce447a2662bb590a19177d72d550bdae'],
])

export function iconOf(type: string): string {
  return ICONS.get(type) ?? DEFAULT_ICON
}

/** Empty for accessories Harbor has no picture of. */
export function accessoryIcon(type: AccessoryType): string {
  return ACCESSORY_ICONS.get(type) ?? ''
}
