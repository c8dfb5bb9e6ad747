// Candidates: what a sweep has to look at, and when. A candidate is only a hint; the sweep checks everything.
import { randomUUID } from 'node:crypto'
import { dayOf, keys } from './keys.ts'
import type { Attributes, Write } from './ports.ts'
import type { Registry } from './registry.ts'

/** How long an object stays after its last link went: longer than a presigned URL lives. */
export const OBJECT_DELAY_MS = 3_600_000

export type Candidate =
  /** A link that may have lost its last reference. */
  | { kind: 'link'; repo: string; digest: string }
  /** A manifest that may be untagged and unreferenced. */
  | { kind: 'manifest'; repo: string; digest: string }
  /** A deleted manifest whose undo window ends. */
  | { kind: 'deleted'; repo: string; digest: string; birth: string }
  /** A deleted repository whose undo window ends. */
  | { kind: 'repository'; repo: string }
  /** An object that may have lost its last link. */
  | { kind: 'object'; object: string }
  /** An upload session that may have been abandoned. */
  | { kind: 'session'; session: string }

export function candidateWrite(dueAtMs: number, candidate: Candidate): Write {
  const { kind, ...rest } = candidate
  const name = [kind, ...Object.values(rest)].join('#')
  // The sweep removes a candidate only as it read it: one that was put again meanwhile stays.
  const attributes: Attributes = { v: 1, ...candidate, dueAtMs, gen: randomUUID() }
  return { kind: 'put', item: { ...keys.candidate(dayOf(dueAtMs), name), attributes } }
}

/** When a link touched at `touchedAtMs` may be collected: links remember days, so a day is added. */
export function linkDueAtMs(registry: Registry, touchedAtMs: number): number {
  return touchedAtMs + registry.settings.pushGraceMs + 86_400_000
}

export function linkCandidate(registry: Registry, repo: string, digest: string): Write {
  return candidateWrite(linkDueAtMs(registry, registry.clock.nowMs()), { kind: 'link', repo, digest })
}

export function objectCandidate(registry: Registry, object: string): Write {
  return candidateWrite(registry.clock.nowMs() + OBJECT_DELAY_MS, { kind: 'object', object })
}

/** A manifest that just lost a tag, or was pushed without one. */
export function untaggedCandidate(registry: Registry, repo: string, digest: string): Write {
  const wait = Math.max(registry.settings.undoWindowMs, registry.settings.pushGraceMs)
  return candidateWrite(registry.clock.nowMs() + wait, { kind: 'manifest', repo, digest })
}
