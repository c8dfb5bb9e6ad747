// A link nobody refers to goes: condemn first, then look for references (steps 1 to 3 of docs/gc.md).
import type { Digest } from '../../oci/digest.ts'
import { objectCandidate } from '../candidates.ts'
import { keys, partitions } from '../keys.ts'
import { type Link, linkChange, linkDeletion, readLink } from '../links.ts'
import type { Key } from '../ports.ts'
import { dropReferences, referencesIn, YOUNG_MS } from '../references.ts'
import type { Registry } from '../registry.ts'
import type { Ledger } from './ledger.ts'
import { AGAIN, DONE, later, type Verdict } from './verdict.ts'

const DAY_MS = 86_400_000

export async function collectLink(
  registry: Registry,
  ledger: Ledger,
  repo: string,
  digest: Digest,
): Promise<Verdict> {
  const seen = await readLink(registry, repo, digest)
  if (!seen) return DONE
  // Links remember only the day they were used: count from its end.
  const dueAtMs = (seen.touchedDay + 1) * DAY_MS + registry.settings.pushGraceMs
  if (dueAtMs > registry.clock.nowMs()) return later(dueAtMs)

  const link = await condemned(registry, seen)
  if (!link) return AGAIN
  const uses = await usesOf(registry, link)
  await dropReferences(registry, uses.dead)
  if (uses.kept) {
    if (link.state === 'condemned')
      await registry.metadata.transact([linkChange(registry, link, { state: 'live' })])
    return uses.kept === 'settled' ? DONE : later(registry.clock.nowMs() + YOUNG_MS)
  }
  const outcome = await registry.metadata.transact([
    linkDeletion(link),
    { kind: 'delete', key: keys.objectReference(link.object, repo, digest) },
    objectCandidate(registry, link.object),
  ])
  if (!outcome.ok) return AGAIN
  await ledger.write({ what: 'link', where: repo, digest, freedBytes: 0, why: 'no manifest refers to it' })
  return DONE
}

/** A corrupt link counts as condemned: pushes treat it as absent, and a new upload changes its gen. */
async function condemned(registry: Registry, seen: Link): Promise<Link | undefined> {
  if (seen.state === 'corrupt') return seen
  if (!(await registry.metadata.transact([linkChange(registry, seen, { state: 'condemned' })])).ok)
    return undefined
  const now = await readLink(registry, seen.repo, seen.digest)
  return now?.state === 'condemned' ? now : undefined
}

async function usesOf(
  registry: Registry,
  link: Link,
): Promise<{ kept: 'settled' | 'young' | undefined; dead: Key[] }> {
  const dead: Key[] = []
  let kept: 'young' | undefined
  for await (const reference of referencesIn(registry, link.repo, partitions.link(link.repo, link.digest))) {
    // Whoever removes a settled reference later makes the link a candidate again.
    if (reference.standing === 'live' || reference.standing === 'deleted') return { kept: 'settled', dead }
    if (reference.standing === 'young') kept = 'young'
    else dead.push(reference.key)
  }
  return { kept, dead }
}
