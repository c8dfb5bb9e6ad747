// What lists of artifacts filter and sort by, recorded with the push so that a list reads one small row for each.
import { type AccessoryType, accessoryTypeOf, isSimpleSigning } from '../oci/accessory-type.ts'
import { kindOf, sizeOf } from '../oci/artifact-type.ts'
import type { Digest } from '../oci/digest.ts'
import type { Manifest } from '../oci/manifest.ts'
import type { Attributes, Item } from './ports.ts'

export interface ArtifactSummary {
  /** `IMAGE`, `CHART`, … */
  type: string
  /** The config's media type; an index's own. */
  mediaType: string
  artifactType: string
  /** Manifest, config and layers; of an index only itself. */
  ownBytes: number
  /** What it is to its subject, when it has one. */
  accessory?: AccessoryType
  subject?: Digest
  /** A signature whose subject is told by its tag. */
  simpleSigning?: true
  /** An index's manifests, unless they are too many for a row. */
  children?: Digest[]
  manyChildren?: true
}

/** A row of a list stays near 1 KB. */
const LISTED_CHILDREN = 12
const LIMIT = 255

export function summaryOf(manifest: Manifest, sizeBytes: number): ArtifactSummary {
  const { type, mediaType } = kindOf(manifest)
  const accessory = accessoryTypeOf(manifest)
  const children = [...new Set(manifest.children.map((child) => child.digest))]
  return {
    type,
    mediaType,
    artifactType: (manifest.artifactType ?? '').slice(0, LIMIT),
    ownBytes: sizeOf(manifest, sizeBytes),
    ...(accessory ? { accessory, subject: manifest.subject!.digest } : {}),
    ...(isSimpleSigning(manifest) ? { simpleSigning: true } : {}),
    ...(children.length === 0
      ? {}
      : children.length > LISTED_CHILDREN
        ? { manyChildren: true }
        : { children }),
  }
}

/** @returns undefined for rows older than summaries */
export function summaryIn(item: Item): ArtifactSummary | undefined {
  return item.attributes.artifact as ArtifactSummary | undefined
}

/** As an attribute of an item. */
export function asAttribute(summary: ArtifactSummary): Attributes {
  return { ...summary } as unknown as Attributes
}

/** Without the part that only a list of the whole repository needs. */
export function withoutChildren({ children: _, ...summary }: ArtifactSummary): ArtifactSummary {
  return summary
}
