// Room: whether what a push adds still fits the project's quota. Looked at only where there is one.
import { RegistryError } from '../oci/errors.ts'
import type { Manifest } from '../oci/manifest.ts'
import { keys } from './keys.ts'
import { noticeWrite } from './outbox.ts'
import type { Project } from './projects.ts'
import type { Actor, Registry } from './registry.ts'
import { countedBytes } from './usage.ts'

const READ_AT_ONCE = 100
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** What is to be added, and who does it. */
interface Pushed {
  repository: string
  digest: string
  tags: string[]
  sizeBytes: number
  actor: Actor
}

/**
 * What was pushed a moment ago may not be counted yet: pushes at the same time can together go a little beyond.
 * @throws DENIED in Harbor's words, with the numbers
 */
export async function requireRoom(
  registry: Registry,
  { id, name, quotaBytes, notices }: Project,
  manifest: Manifest,
  own: Pushed,
): Promise<void> {
  if (quotaBytes < 0) return
  const used = new Map(manifest.blobs.map(({ digest, size }) => [digest as string, size]))
  used.set(own.digest, own.sizeBytes)
  const adds = await notCounted(registry, id, [...used])
  if (adds === 0) return
  const current = await countedBytes(registry, id)
  if (current + adds <= quotaBytes) return
  const why = `adding ${text(adds)} of storage resource, which when updated to current usage of ${text(current)} will exceed the configured upper limit of ${text(quotaBytes)} of project ${name}`
  if (notices?.includes('quota.exceeded')) await tellExceeded(registry, id, own, why)
  throw new RegistryError('DENIED', `${why}: delete something, or have an administrator raise its quota`)
}

async function tellExceeded(registry: Registry, projectId: string, own: Pushed, why: string): Promise<void> {
  const { repository, digest, tags, actor } = own
  const details = { custom_attributes: { Details: why } }
  const facts = { type: 'quota.exceeded' as const, digest, tags, cause: 'push', details }
  await registry.metadata.batchWrite([noticeWrite(registry, { name: repository, projectId }, facts, actor)])
  registry.onEvent()
}

/** Bytes of what the project does not hold yet. */
async function notCounted(registry: Registry, project: string, used: [string, number][]): Promise<number> {
  let bytes = 0
  for (let at = 0; at < used.length; at += READ_AT_ONCE) {
    const some = used.slice(at, at + READ_AT_ONCE)
    const items = await registry.metadata.batchGet(some.map(([digest]) => keys.projectBlob(project, digest)))
    for (const [index, [, size]] of some.entries()) if (!items[index]) bytes += size
  }
  return bytes
}

function text(bytes: number): string {
  const unit = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1)
  return `${(bytes / 1024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${UNITS[unit]}`
}
