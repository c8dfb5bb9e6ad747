// A bill of materials as a job: the scanner pulls the image, what it says is attached, and its packages can be found.
import { type JobContext, JobFailed, type JobKind } from '../jobs/kinds.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { projectOf } from '../oci/reference.ts'
import { deleteManifest } from '../registry/deletion.ts'
import { findProject } from '../registry/projects.ts'
import type { Actor, Registry } from '../registry/registry.ts'
import { noteTask, type ScanPayload } from '../scanning/begin.ts'
import { describeImage } from '../scanning/describe-image.ts'
import type { SbomFormat } from '../scanning/describer.ts'
import type { Scanning } from '../scanning/job.ts'
import { type Attempt, type FoundSbom, readAttempt, scanItem, unchanged } from '../scanning/scan.ts'
import { ScannerError } from '../scanning/scanner.ts'
import { attachSbom, removeOtherSboms } from './attach.ts'
import { readBill } from './bill.ts'
import { SBOM_CAUSE } from './cause.ts'
import { savePackages } from './package-lists.ts'

/** @param scanning undefined where nothing is to be scanned */
export function sbomGeneration(scanning: Scanning | undefined): JobKind {
  return {
    attempts: 3,
    retryAfterSeconds: 20,
    timeoutSeconds: 2 * (scanning?.timeoutSeconds ?? 300) + 60,
    atOnce: scanning?.atOnce ?? 2,
    run: async (context) => {
      if (!scanning) throw new JobFailed('no scanner is configured')
      try {
        await describeOne(scanning, context)
      } catch (error) {
        const final = error instanceof ScannerError ? error.final : isRefusal(error)
        if (final) throw new JobFailed((error as Error).message)
        throw error
      }
    },
  }
}

/** The image is gone, or its project full: the next attempt would be told the same. */
function isRefusal(error: unknown): boolean {
  return error instanceof RegistryError && error.status < 500
}

async function describeOne(scanning: Scanning, context: JobContext) {
  const { registry, execution, log, show, signal } = context
  const payload = context.task.payload as unknown as ScanPayload
  const { repository, repo, projectId, digest: image } = payload
  const scan = await attemptOf(registry, context, payload)
  if (!scan) return log('another bill of materials of it is being made: this one is left')
  const startedAtMs = registry.clock.nowMs()
  const actor: Actor = {
    principal: String(execution.extra.operator ?? ''),
    requestId: `sbom-${execution.number}`,
  }
  const target = { repository, digest: image, token: await scanning.token(repository) }
  const made: Digest[] = []
  let result: Pick<FoundSbom, 'scanner' | 'packages'> | undefined
  for (const format of await formatsOf(registry, repository)) {
    const described = await describeImage(scanning, registry, target, format, { signal, log })
    const { document, scanner } = described
    const bill = readBill(document)
    if (!bill) throw new ScannerError('the scanner wrote neither SPDX nor CycloneDX', { final: true })
    const by = `${scanner.name} ${scanner.version}`
    made.push(await attachSbom(registry, repository, image, { format, bytes: document, by }, actor))
    if (!result) await savePackages(registry, { projectId, repo, repository, holder: image, image }, bill)
    result ??= { scanner, packages: bill.packages.length }
  }
  const found: FoundSbom = {
    ...result!,
    ...{ digest: made[0]!, startedAtMs, endedAtMs: registry.clock.nowMs() },
  }
  // Whoever sees that it is done finds no older one beside it.
  if (await isCurrent(registry, payload)) await removeOtherSboms(registry, repo, image, made, actor)
  if (!(await noteDone(registry, payload, scan, found))) {
    for (const digest of made) await deleteManifest(registry, repo, digest, actor, { cause: SBOM_CAUSE })
    return log('another bill of materials of it is being made: this one is dropped')
  }
  log(`${found.packages} packages: ${made.join(', ')}`)
  show({ packages: found.packages, sbom_digest: found.digest })
}

/** `sbom_format` of the project: `spdx`, which Harbor makes, `cyclonedx`, or `both`. */
async function formatsOf(registry: Registry, repository: string): Promise<SbomFormat[]> {
  const project = await findProject(registry, projectOf(repository))
  const wanted = project?.metadata.sbom_format
  if (wanted === 'both') return ['spdx', 'cyclonedx']
  return [wanted === 'cyclonedx' ? 'cyclonedx' : 'spdx']
}

/** @returns undefined once another has begun, or the manifest is gone */
async function attemptOf(
  registry: Registry,
  { task }: JobContext,
  { repo, digest, attempt }: ScanPayload,
): Promise<Attempt | undefined> {
  const scan = await readAttempt(registry, repo, digest, 'sbom')
  if (scan?.attempt !== attempt) return undefined
  return scan.task === 0 ? noteTask(registry, repo, { image: digest, scan }, task, 'sbom') : scan
}

async function isCurrent(registry: Registry, { repo, digest, attempt }: ScanPayload): Promise<boolean> {
  return (await readAttempt(registry, repo, digest, 'sbom'))?.attempt === attempt
}

async function noteDone(
  registry: Registry,
  { repo, digest }: ScanPayload,
  scan: Attempt,
  found: FoundSbom,
): Promise<boolean> {
  const item = scanItem(repo, digest, { ...scan, done: true, found }, 'sbom')
  const outcome = await registry.metadata.transact([{ kind: 'put', item, if: unchanged(scan) }])
  return outcome.ok
}
