// Bills of materials that people attached to images (oras, cosign, syft): read, so that their packages can be found too.
import type { JobContext, JobKind } from '../jobs/kinds.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { parseManifest } from '../oci/manifest.ts'
import { findBlob, openBlob } from '../registry/blobs.ts'
import { findManifest } from '../registry/manifests.ts'
import type { Registry } from '../registry/registry.ts'
import { allBytes } from '../registry/stored-bytes.ts'
import { readBill } from './bill.ts'
import type { AttachedPayload } from './on-push.ts'
import { savePackages } from './package-lists.ts'

const LIMIT_BYTES = 32 * 1024 * 1024

export function sbomReading(): JobKind {
  return { attempts: 3, retryAfterSeconds: 20, timeoutSeconds: 300, atOnce: 2, run: read }
}

async function read({ registry, task, log }: JobContext): Promise<void> {
  const { repository, repo, projectId, digest } = task.payload as unknown as AttachedPayload
  const layers = await layersOf(registry, repository, digest)
  if (!layers) return log('it is gone, or names no subject any more')
  for (const layer of layers.blobs) {
    if (layer.size > LIMIT_BYTES) {
      log(`${layer.digest} has ${layer.size} bytes, more than the ${LIMIT_BYTES} that are read`)
      continue
    }
    const { link } = await findBlob(registry, repository, layer.digest, false)
    const bill = readBill(await allBytes(await openBlob(registry, link)))
    if (!bill) continue
    const { image } = layers
    await savePackages(registry, { projectId, repo, repository, holder: digest, image }, bill)
    return log(`${bill.packages.length} packages of ${image}`)
  }
  log('it is neither SPDX nor CycloneDX as JSON: nothing was read')
}

async function layersOf(
  registry: Registry,
  repository: string,
  digest: Digest,
): Promise<{ image: Digest; blobs: Descriptor[] } | undefined> {
  try {
    const { record, bytes } = await findManifest(registry, repository, { kind: 'digest', digest })
    const { subject, layers, blobs } = parseManifest(bytes, record.mediaType)
    return subject && { image: subject.digest, blobs: layers.length > 0 ? layers : blobs }
  } catch (error) {
    if (error instanceof RegistryError && error.status === 404) return undefined
    throw error
  }
}
