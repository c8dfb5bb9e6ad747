// Bills of materials are the work of a project's scanner where it makes them, else of the built-in one.
import { JobFailed } from '../jobs/kinds.ts'
import { findManifest } from '../registry/manifests.ts'
import type { Registry } from '../registry/registry.ts'
import type { Describer, SbomFormat } from './describer.ts'
import { addressFor, type Scanning } from './job.ts'
import type { ScanContext, ScanTarget } from './scanner.ts'
import { requireEnabled, scannerOf, scannerOfRepository } from './scanner-choice.ts'
import { TRIVY_ID } from './scanners.ts'

/** @throws JobFailed where nobody makes them; ScannerError; RegistryError when the image is gone */
export async function describeImage(
  scanning: Scanning,
  registry: Registry,
  image: Omit<ScanTarget, 'origin'>,
  format: SbomFormat,
  context: ScanContext,
): ReturnType<Describer['describe']> {
  const { repository, digest } = image
  const chosen = await scannerOfRepository(registry, repository)
  requireEnabled(chosen)
  const { registration } = chosen
  if (registration) {
    const { mediaType } = (await findManifest(registry, repository, { kind: 'digest', digest })).record
    const target = { ...image, mediaType, origin: addressFor(scanning, registration) }
    const made = await scanning.registered(registration).describe(target, format, context)
    if (made) return made
    context.log(`scanner ${chosen.name} makes no bills of materials`)
  }
  if (!scanning.describer) throw new JobFailed('no scanner is configured that makes bills of materials')
  requireEnabled(await scannerOf(registry, { scannerId: TRIVY_ID }))
  return scanning.describer.describe({ ...image, origin: scanning.origin() }, format, context)
}
