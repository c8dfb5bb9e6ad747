// Whether a bill of materials belongs to an image. That there is one is all that is asked: who made it is the matter of
// signatures.
import type { Digest } from '../oci/digest.ts'
import { buildkitAttestationsOf, isSbom, sbomTagsOf } from '../oci/sbom.ts'
import { indexesNaming } from '../registry/references.ts'
import type { Registry } from '../registry/registry.ts'
import type { Repository } from '../registry/repositories.ts'
import { accessoriesOf, readManifestOf } from './accessories.ts'
import type { Violation } from './violation.ts'

/** More accessories than that are not looked at, nor more indexes that hold the image. */
const LOOKED_AT = 100
const INDEXES = 10

/** @returns undefined when there is one */
export async function sbomViolation(
  registry: Registry,
  repository: Repository,
  image: Digest,
): Promise<Violation | undefined> {
  let looked = 0
  for await (const { manifest } of accessoriesOf(registry, repository, image, sbomTagsOf(image))) {
    if (isSbom(manifest)) return undefined
    looked += 1
    if (looked === LOOKED_AT) break
  }
  if (await isBesideInIndex(registry, repository, image)) return undefined
  return {
    rule: 'sbom',
    text: 'The image has no bill of materials (SBOM). To continue with pull, generate one (scan type sbom), attach one in SPDX or CycloneDX as a referrer, build with --sbom=true, or ask a project administrator.',
  }
}

async function isBesideInIndex(registry: Registry, { id }: Repository, image: Digest): Promise<boolean> {
  for (const digest of await indexesNaming(registry, id, image, INDEXES)) {
    const index = await readManifestOf(registry, id, digest)
    for (const each of index ? buildkitAttestationsOf(index, image) : []) {
      const attestation = await readManifestOf(registry, id, each)
      if (attestation && isSbom(attestation)) return true
    }
  }
  return false
}
