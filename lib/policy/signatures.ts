// Whether an image is signed by somebody its project trusts: the signatures in its repository, one after another.
import { type AccessoryType, accessoryTypeOf, cosignTagOf, isSimpleSigning } from '../oci/accessory-type.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import type { Manifest } from '../oci/manifest.ts'
import { readLink } from '../registry/links.ts'
import type { Registry } from '../registry/registry.ts'
import type { Repository } from '../registry/repositories.ts'
import { allBytes } from '../registry/stored-bytes.ts'
import { accessoriesOf } from './accessories.ts'
import { bundleFault, simpleSigningFault } from './cosign.ts'
import { notationFault } from './notation.ts'
import { type SignatureTrust, trustsCosign } from './signature-trust.ts'
import type { Violation } from './violation.ts'

export interface SignedImage {
  repository: Repository
  digest: Digest
  bytes: Uint8Array
}

/** More signatures than that are not looked at, nor larger ones. */
const LOOKED_AT = 50
const SIGNATURE_BYTES = 1024 * 1024
const NAMED = 3
const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json'
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json'

type Kind = 'cosign' | 'notation'

const TYPES: Record<Kind, AccessoryType> = { cosign: 'signature.cosign', notation: 'signature.notation' }

/** @returns undefined when it is signed as it has to be */
export async function signatureViolation(
  registry: Registry,
  image: SignedImage,
  kind: Kind,
  trust: SignatureTrust,
): Promise<Violation | undefined> {
  const isVerified = kind === 'cosign' ? trustsCosign(trust) : trust.notationCertificates.length > 0
  const faults: string[] = []
  let count = 0
  for await (const manifest of signaturesOf(registry, image, kind)) {
    count += 1
    if (!isVerified) return undefined
    for (const layer of manifest.blobs.filter(({ digest }) => digest !== manifest.config?.digest)) {
      const fault = await faultIn(registry, image, kind, layer, trust)
      if (fault === undefined) return undefined
      faults.push(fault)
    }
  }
  return {
    rule: kind,
    text: `The image is not signed by ${kind}. ${reason(count, faults)} To continue with pull, sign it with a key or identity the project trusts, or ask a project administrator.`,
    detail: { signatures: count, faults: faults.slice(0, NAMED) },
  }
}

function reason(count: number, faults: string[]): string {
  if (count === 0) return 'It has no such signature.'
  const named = [...new Set(faults)].slice(0, NAMED).join('; ')
  return `Of its signatures (${count}) none counts: ${named || 'they are empty'}.`
}

async function* signaturesOf(
  registry: Registry,
  { repository, digest }: SignedImage,
  kind: Kind,
): AsyncGenerator<Manifest> {
  const tag = kind === 'cosign' ? cosignTagOf(digest) : undefined
  let looked = 0
  for await (const { manifest, tagged } of accessoriesOf(registry, repository, digest, tag ? [tag] : [])) {
    const isSignature = tagged ? isSimpleSigning(manifest) : accessoryTypeOf(manifest) === TYPES[kind]
    if (!isSignature) continue
    yield manifest
    looked += 1
    if (looked === LOOKED_AT) return
  }
}

async function faultIn(
  registry: Registry,
  { repository, digest, bytes }: SignedImage,
  kind: Kind,
  layer: Descriptor,
  trust: SignatureTrust,
): Promise<string | undefined> {
  const blob = await readSmall(registry, repository.id, layer)
  if (!blob) return 'its bytes are missing, or too many'
  const now = registry.clock.nowMs()
  if (kind === 'notation') return notationFault(digest, layer.mediaType, blob, trust, now)
  if (layer.mediaType === SIMPLE_SIGNING) return simpleSigningFault(digest, layer, blob, trust, now)
  if (layer.mediaType === BUNDLE) return bundleFault(digest, bytes, blob, trust, now)
  return `it holds ${layer.mediaType.slice(0, 100)}, which is not read here`
}

async function readSmall(
  registry: Registry,
  repo: string,
  { digest }: Descriptor,
): Promise<Uint8Array | undefined> {
  const link = await readLink(registry, repo, digest)
  if (!link || link.sizeBytes > SIGNATURE_BYTES) return undefined
  const body = await registry.blobs.open(link.object)
  return body && allBytes(body)
}
