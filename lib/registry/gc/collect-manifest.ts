// Manifests that nobody names any more: untagged ones expire, deleted ones end their undo window.
import type { Digest } from '../../oci/digest.ts'
import { projectOf } from '../../oci/reference.ts'
import { finaliseDeletion } from '../deleted-manifests.ts'
import { deleteManifest } from '../deletion.ts'
import { keys, partitions } from '../keys.ts'
import { type ManifestRecord, readManifest } from '../manifest-record.ts'
import { pagesOf } from '../partitions.ts'
import { findProject } from '../projects.ts'
import { pullsIn } from '../pull-counts.ts'
import { YOUNG_MS } from '../references.ts'
import { number, type Registry, SYSTEM } from '../registry.ts'
import { tagsOfManifest } from '../tags.ts'
import type { Ledger } from './ledger.ts'
import { DONE, later, type Verdict } from './verdict.ts'

const DAY_MS = 86_400_000
/** A project that keeps untagged manifests may change its mind. */
const KEPT_LOOK_MS = 7 * DAY_MS

/** An untagged manifest that no index holds and that is nobody's referrer expires. */
export async function collectManifest(
  registry: Registry,
  ledger: Ledger,
  repo: string,
  digest: Digest,
): Promise<Verdict> {
  const record = await readManifest(registry, repo, digest)
  if (!record || record.subject) return DONE
  if ((await tagsOfManifest(registry, repo, digest, 1)).length > 0) return DONE
  const wait = Math.max(registry.settings.undoWindowMs, registry.settings.pushGraceMs)
  const dueAtMs = (record.touchedDay + 1) * DAY_MS + wait
  if (dueAtMs > registry.clock.nowMs()) return later(dueAtMs)
  const project = await findProject(registry, projectOf(record.home.name))
  if (project?.keepUntagged) return later(registry.clock.nowMs() + KEPT_LOOK_MS)
  // Nobody tags what a cache was asked for by its digest.
  if (project?.registryId !== undefined) {
    const { lastAtMs = 0 } = pullsIn(await registry.metadata.get(keys.pulled(repo, digest)))
    if (lastAtMs + wait > registry.clock.nowMs()) return later(lastAtMs + wait)
  }
  return expire(registry, ledger, record, 'untagged')
}

async function expire(
  registry: Registry,
  ledger: Ledger,
  record: ManifestRecord,
  cause: string,
): Promise<Verdict> {
  const outcome = await deleteManifest(registry, record.repo, record.digest, SYSTEM, {
    cause,
    keptBy: ['live', 'young', 'deleted'],
    onlyUntagged: true,
  })
  if (outcome === 'deleted')
    await ledger.write({
      what: 'manifest',
      where: record.repo,
      digest: record.digest,
      freedBytes: 0,
      why: cause,
    })
  if (typeof outcome === 'object' && !outcome.settled) return later(registry.clock.nowMs() + YOUNG_MS)
  return DONE
}

/** Ends the undo window of a deletion; referrers follow their subject. */
export async function collectDeleted(
  registry: Registry,
  ledger: Ledger,
  repo: string,
  digest: Digest,
  birth: string,
): Promise<Verdict> {
  const deleted = await registry.metadata.get(keys.deletedManifest(repo, digest, birth))
  if (!deleted) return DONE
  if (number(deleted, 'untilMs') > registry.clock.nowMs()) return later(number(deleted, 'untilMs'))
  // Before the record goes, because nothing would lead here after a crash.
  await followSubject(registry, ledger, repo, digest)
  await finaliseDeletion(registry, repo, digest, deleted)
  await ledger.write({ what: 'deletion', where: repo, digest, freedBytes: 0, why: 'its undo window ended' })
  return DONE
}

async function followSubject(
  registry: Registry,
  ledger: Ledger,
  repo: string,
  subject: Digest,
): Promise<void> {
  if (await readManifest(registry, repo, subject)) return
  const referrers = { pk: partitions.referrers(repo, subject) }
  for await (const page of pagesOf(registry.metadata, referrers)) {
    for (const item of page) {
      const record = await readManifest(registry, repo, item.sk as Digest)
      if (record) await expire(registry, ledger, record, 'its subject was deleted')
    }
  }
}
