// Pushes are scanned where their project says so; what is deleted is forgotten.
import type { RegistryEvent } from '../events/event.ts'
import type { Jobs } from '../jobs/executions.ts'
import { type Digest, isDigest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { partitions } from '../registry/keys.ts'
import { pagesOf } from '../registry/partitions.ts'
import { findProject } from '../registry/projects.ts'
import type { Registry } from '../registry/registry.ts'
import { beginScan } from './begin.ts'
import { attemptsOf } from './overview.ts'
import { forgetScan } from './reports.ts'
import { readScan, type ScanType } from './scan.ts'
import { scannableAt } from './scannable.ts'

/** Told of every event, at least once: a scan that goes on, or is done since, is not begun again. */
export function scanOnPush(jobs: Jobs): (event: RegistryEvent) => Promise<void> {
  return async (event) => {
    if (event.type === 'manifest.deleted') return forget(jobs.registry, event)
    if (event.type === 'repository.deleted') return forgetAll(jobs.registry, event)
    if (event.type === 'manifest.pushed') return scanPushed(jobs, event, 'vulnerability')
  }
}

const FLAGS: Record<ScanType, string> = { vulnerability: 'auto_scan', sbom: 'auto_sbom_generation' }

/** Where the project wants it for what is pushed. */
export async function scanPushed(
  jobs: Jobs,
  { project, projectId, repository, digest, tags, principal, atMs }: RegistryEvent,
  type: ScanType,
) {
  if (digest === undefined || !isDigest(digest)) return
  const found = await findProject(jobs.registry, project)
  if (found?.id !== projectId || found.metadata[FLAGS[type]] !== 'true') return
  try {
    const scannable = await scannableAt(jobs.registry, repository, { kind: 'digest', digest })
    const scans = await attemptsOf(jobs.registry, scannable.repository.id, scannable.images, type)
    // Images of an index were pushed before it, and are scanned. What is told again was begun since.
    const images = scannable.images.filter((image) => {
      const begunAtMs = scans.get(image)?.begunAtMs
      return begunAtMs === undefined || (image === digest && begunAtMs < atMs)
    })
    if (images.length === 0) return
    await beginScan(jobs, { ...scannable, images, tags }, { trigger: 'EVENT', operator: principal, type })
  } catch (error) {
    // It was deleted since, or is scanned already.
    if (!(error instanceof RegistryError) || error.status >= 500) throw error
  }
}

async function forget(
  registry: Registry,
  { repositoryId: repo, projectId, digest }: RegistryEvent,
): Promise<void> {
  if (digest === undefined) return
  const scan = await readScan(registry, repo, digest as Digest)
  if (scan) await forgetScan(registry, { repo, projectId, digest: digest as Digest }, scan)
}

async function forgetAll(
  registry: Registry,
  { repositoryId: repo, projectId }: RegistryEvent,
): Promise<void> {
  const listed = { pk: partitions.scanned(projectId), prefix: `${repo}#` }
  for await (const page of pagesOf(registry.metadata, listed))
    for (const { sk } of page) {
      const digest = sk.slice(repo.length + 1) as Digest
      await forgetScan(registry, { repo, projectId, digest }, await readScan(registry, repo, digest))
    }
}
