// A deleted repository is taken apart by its id once its undo window has ended: resumable, because what is done is gone
// from the listing it goes by.
import type { Digest } from '../../oci/digest.ts'
import { deleteManifest } from '../deletion.ts'
import { keys, partitions } from '../keys.ts'
import { pagesOf } from '../partitions.ts'
import { number, type Registry, SYSTEM, text } from '../registry.ts'
import type { Ledger } from './ledger.ts'
import { DONE, later, type Verdict } from './verdict.ts'

const DAY_MS = 86_400_000
const AT_ONCE = 8

export async function collectRepository(registry: Registry, ledger: Ledger, repo: string): Promise<Verdict> {
  const item = await registry.metadata.get(keys.repositoryById(repo))
  if (item?.attributes.state !== 'deleted') return DONE
  const untilMs = number(item, 'untilMs')
  const now = registry.clock.nowMs()
  if (untilMs > now) return later(untilMs)
  // Nobody finds anything in it any more, so nothing of it waits for another undo window.
  const final = { ...registry, settings: { ...registry.settings, undoWindowMs: 0 } }
  for await (const page of pagesOf(registry.metadata, { pk: partitions.manifests(repo) })) {
    const digests = page.map(({ sk }) => sk.slice(sk.indexOf('#') + 1) as Digest)
    for (let at = 0; at < digests.length; at += AT_ONCE)
      await Promise.all(
        digests.slice(at, at + AT_ONCE).map((digest) => collectOne(final, ledger, repo, digest)),
      )
  }
  // A push that was under way when the name went may have come in behind us: look once more when none can be.
  if (now < untilMs + DAY_MS) return later(untilMs + DAY_MS)
  await registry.metadata.batchWrite([
    { kind: 'delete', key: keys.repositoryById(repo) },
    { kind: 'delete', key: keys.repositoryDescription(repo) },
    { kind: 'delete', key: keys.repositoryPulls(repo) },
    { kind: 'delete', key: keys.repositoryEvent(repo) },
    { kind: 'delete', key: keys.artifactCount(repo) },
    { kind: 'delete', key: keys.deletedRepository(text(item, 'name'), repo) },
  ])
  return DONE
}

async function collectOne(registry: Registry, ledger: Ledger, repo: string, digest: Digest): Promise<void> {
  const outcome = await deleteManifest(registry, repo, digest, SYSTEM, {
    cause: 'its repository was deleted',
    keptBy: [],
  })
  if (outcome === 'deleted')
    await ledger.write({
      what: 'manifest',
      where: repo,
      digest,
      freedBytes: 0,
      why: 'its repository was deleted',
    })
}
