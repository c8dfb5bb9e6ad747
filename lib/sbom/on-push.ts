// Bills of materials of what is pushed: made where the project says so, read where somebody attached one; forgotten with
// what they are of.
import type { RegistryEvent } from '../events/event.ts'
import { type Jobs, startExecution } from '../jobs/executions.ts'
import { type Digest, isDigest } from '../oci/digest.ts'
import { keys } from '../registry/keys.ts'
import type { Attributes } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import { scanPushed } from '../scanning/on-push.ts'
import { SBOM_CAUSE } from './cause.ts'
import { forgetAllPackages, forgetPackages } from './package-lists.ts'

/** What a task is told that reads what somebody attached. */
export interface AttachedPayload {
  repository: string
  repo: string
  projectId: string
  /** Of the manifest that holds it. */
  digest: Digest
}

const BILL_TYPE = /spdx|cyclonedx|sbom/i

/** Told of every event, at least once. */
export function sbomOnPush(jobs: Jobs): (event: RegistryEvent) => Promise<void> {
  return async (event) => {
    const { type, projectId, repositoryId } = event
    if (type === 'repository.deleted') return forgetAllPackages(jobs.registry, projectId, repositoryId)
    if (event.digest === undefined || !isDigest(event.digest)) return
    if (type === 'manifest.deleted') return forget(jobs.registry, event, event.digest)
    // What we attached ourselves was read when it was made.
    if (type !== 'manifest.pushed' || event.cause === SBOM_CAUSE) return
    if (BILL_TYPE.test(event.artifactType ?? '')) return readAttached(jobs, event, event.digest)
    await scanPushed(jobs, event, 'sbom')
  }
}

async function forget(
  registry: Registry,
  { projectId, repositoryId: repo }: RegistryEvent,
  digest: Digest,
): Promise<void> {
  await forgetPackages(registry, { projectId, repo, holder: digest })
  const key = keys.sbom(repo, digest)
  if (await registry.metadata.get(key)) await registry.metadata.batchWrite([{ kind: 'delete', key }])
}

/** Reading it may take a while, and is none of the push's business. */
async function readAttached(
  jobs: Jobs,
  { repository, repositoryId: repo, projectId, principal }: RegistryEvent,
  digest: Digest,
): Promise<void> {
  const payload: AttachedPayload = { repository, repo, projectId, digest }
  const extra = { artifact: { repository_name: repository, digest }, operator: principal }
  await startExecution(jobs, { vendor: 'SBOM_READ', rule: 0, trigger: 'EVENT', extra }, [
    { payload: payload as unknown as Attributes, extra: { artifact: `${repository}@${digest}` } },
  ])
}
