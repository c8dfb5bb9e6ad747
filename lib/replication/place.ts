// What replication asks of a registry, be it this one or another.
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import type { Json } from '../registry/ports.ts'

export interface PlacedManifest {
  digest: Digest
  mediaType: string
  bytes: Uint8Array
}

/** Read from. Its methods throw when it cannot be read; what is not there is `undefined`. */
export interface Source {
  /** For logs. */
  name: string
  /** Repositories that may match the pattern, in pages. */
  repositories(pattern: string): AsyncIterable<string[]>
  /** In pages; none where there is no such repository. */
  tags(repository: string): AsyncIterable<string[]>
  /** Artifacts without a tag that stand for themselves, where the registry tells of any; in pages. */
  untagged(repository: string): AsyncIterable<Digest[]>
  head(repository: string, reference: string): Promise<Digest | undefined>
  manifest(repository: string, digest: Digest): Promise<PlacedManifest>
  referrers(repository: string, subject: Digest): Promise<Digest[]>
  /** Names of an artifact's labels. */
  labels(repository: string, digest: Digest): Promise<string[]>
  /** Other repositories that have the blob, a few of them. */
  alsoIn(repository: string, digest: Digest): Promise<string[]>
  /** A blob's bytes from there on. */
  open(repository: string, blob: Descriptor, fromByte: number): AsyncIterable<Uint8Array>
}

export interface Upload {
  repository: string
  blob: Descriptor
  /** The blob's bytes from there on; may be called again. */
  open(fromByte: number): AsyncIterable<Uint8Array>
  /** Repositories there that may have the blob. */
  mountFrom: string[]
  byChunk: boolean
  /** What an attempt before this one kept. */
  progress: Json | undefined
  /** Keeps how far it is. */
  save(progress: Json): Promise<void>
  log(line: string): void
}

/** Written to. */
export interface Target {
  name: string
  head(repository: string, reference: string): Promise<Digest | undefined>
  /** @returns false when it was there, or could be mounted */
  upload(upload: Upload): Promise<boolean>
  hasBlob(repository: string, blob: Descriptor): Promise<boolean>
  /** @param reference a tag, or the digest */
  put(repository: string, reference: string, manifest: PlacedManifest): Promise<void>
  /**
   * @param reference a tag, or a digest
   * @param digest of what the tag was, which may go as a whole where tags alone cannot be deleted
   * @returns false when there was none
   */
  delete(repository: string, reference: string, digest?: Digest): Promise<boolean>
}

/** What was copied from there is not taken back: the other registry has had it, and may have something newer by now. */
export class CameFromThere extends Error {}
