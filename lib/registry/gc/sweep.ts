// Garbage collection: a sweep looks at the candidates that are due, and only at those. Any number may run at once,
// stop anywhere and run again; pushes and pulls never wait for one.
import type { Digest } from '../../oci/digest.ts'
import { type Candidate, candidateWrite } from '../candidates.ts'
import { dayOf, keys, partitions } from '../keys.ts'
import { pagesOf } from '../partitions.ts'
import type { Item } from '../ports.ts'
import { number, type Registry, text } from '../registry.ts'
import { SESSION_IDLE_MS } from '../upload-session.ts'
import { expireSession } from '../uploads.ts'
import { collectLink } from './collect-link.ts'
import { collectDeleted, collectManifest } from './collect-manifest.ts'
import { collectObject } from './collect-object.ts'
import { collectRepository } from './collect-repository.ts'
import { unknownObjects } from './inventory.ts'
import { Ledger, type SweepSummary } from './ledger.ts'
import { DONE, later, type Verdict } from './verdict.ts'

/** Beyond so many it is the store that fails, and not what was looked at. */
const FAILURES_LIMIT = 100
/** The whole store is compared with the metadata once a day at most. */
const INVENTORY_EVERY_MS = 86_400_000

/** @param trigger who or what asked for it, for the record */
export async function sweep(registry: Registry, trigger: string): Promise<SweepSummary> {
  const ledger = new Ledger(registry, trigger)
  await ledger.save()
  try {
    const today = dayOf(registry.clock.nowMs())
    const cursor = await readCursor(registry, today)
    let first: number | undefined
    for (let day = cursor.day; day <= today; day++) {
      const left = await sweepDay(registry, ledger, day)
      if (left || day === today) first ??= day
    }
    const inventoryAtMs = await takeInventory(registry, ledger, cursor.inventoryAtMs)
    // A day behind, for processes whose clocks differ.
    await writeCursor(registry, Math.min(first ?? today, today - 1), inventoryAtMs)
    ledger.summary.state = 'done'
  } catch (error) {
    ledger.summary.state = 'failed'
    ledger.summary.error = (error as Error).message
    throw error
  } finally {
    ledger.summary.endedAtMs = registry.clock.nowMs()
    await ledger.save().catch(() => {}) // the first error is the one to tell
  }
  return ledger.summary
}

/** @returns whether candidates of that day remain */
async function sweepDay(registry: Registry, ledger: Ledger, day: number): Promise<boolean> {
  let left = false
  for (const pk of partitions.candidates(day)) {
    for await (const page of pagesOf(registry.metadata, { pk })) {
      for (const item of page) {
        const done = await trying(ledger, () => judge(registry, ledger, item))
        if (!done) left = true
      }
    }
  }
  return left
}

/** One thing that is damaged must not keep the collector from all the others. @returns undefined when it failed */
async function trying<T>(ledger: Ledger, judge: () => Promise<T>): Promise<T | undefined> {
  try {
    return await judge()
  } catch (error) {
    ledger.summary.failures += 1
    ledger.summary.error ??= (error as Error).message
    if (ledger.summary.failures > FAILURES_LIMIT) throw error
    return undefined
  }
}

/** @returns whether the candidate is done with, at least for its day */
async function judge(registry: Registry, ledger: Ledger, item: Item): Promise<boolean> {
  if (number(item, 'dueAtMs') > registry.clock.nowMs()) return false
  ledger.summary.looked += 1
  const candidate = item.attributes as unknown as Candidate
  const verdict = await collect(registry, ledger, candidate)
  if (verdict.kind === 'again') return false
  const gone = { kind: 'delete' as const, key: { pk: item.pk, sk: item.sk } }
  const unchanged = { kind: 'equals' as const, attributes: { gen: text(item, 'gen') } }
  if (verdict.kind === 'done') return (await registry.metadata.transact([{ ...gone, if: unchanged }])).ok
  const next = candidateWrite(verdict.dueAtMs, bare(candidate))
  if (next.kind === 'put' && next.item.pk === item.pk) {
    await registry.metadata.transact([{ ...next, if: unchanged }])
    return false
  }
  return (await registry.metadata.transact([next, { ...gone, if: unchanged }])).ok
}

/** The candidate without what its item adds. */
function bare(candidate: Candidate): Candidate {
  const { v, dueAtMs, gen, ...rest } = candidate as unknown as Record<string, string>
  return rest as unknown as Candidate
}

async function collect(registry: Registry, ledger: Ledger, candidate: Candidate): Promise<Verdict> {
  const digest = 'digest' in candidate ? (candidate.digest as Digest) : undefined
  if (candidate.kind === 'link') return collectLink(registry, ledger, candidate.repo, digest!)
  if (candidate.kind === 'manifest') return collectManifest(registry, ledger, candidate.repo, digest!)
  if (candidate.kind === 'deleted')
    return collectDeleted(registry, ledger, candidate.repo, digest!, candidate.birth)
  if (candidate.kind === 'repository') return collectRepository(registry, ledger, candidate.repo)
  if (candidate.kind === 'object') return collectObject(registry, ledger, candidate.object)
  const idleSinceMs = registry.clock.nowMs() - SESSION_IDLE_MS
  const outcome = await expireSession(registry, candidate.session, idleSinceMs)
  if (outcome === 'busy') return later(registry.clock.nowMs() + SESSION_IDLE_MS)
  if (outcome === 'expired')
    await ledger.write({ what: 'session', where: candidate.session, freedBytes: 0, why: 'abandoned upload' })
  return DONE
}

async function takeInventory(registry: Registry, ledger: Ledger, lastAtMs: number): Promise<number> {
  const now = registry.clock.nowMs()
  if (now - lastAtMs < INVENTORY_EVERY_MS) return lastAtMs
  let whole = true
  for await (const object of unknownObjects(registry))
    if (!(await trying(ledger, () => collectObject(registry, ledger, object.key)))) whole = false
  return whole ? now : lastAtMs
}

async function readCursor(
  registry: Registry,
  today: number,
): Promise<{ day: number; inventoryAtMs: number }> {
  const item = await registry.metadata.get(keys.collectorCursor)
  if (item) return { day: number(item, 'day'), inventoryAtMs: number(item, 'inventoryAtMs') }
  const schema = await registry.metadata.get(keys.schema)
  // A new store has nothing older than itself.
  return { day: schema ? dayOf(number(schema, 'createdAtMs')) : today, inventoryAtMs: 0 }
}

async function writeCursor(registry: Registry, day: number, inventoryAtMs: number): Promise<void> {
  const attributes = { v: 1, day, inventoryAtMs }
  await registry.metadata.batchWrite([{ kind: 'put', item: { ...keys.collectorCursor, attributes } }])
}
