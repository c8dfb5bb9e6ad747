// What all scans found together: sums that are changed with each report, and the artifacts by how much is wrong with them.
import type { Digest } from '../oci/digest.ts'
import { keys } from '../registry/keys.ts'
import type { Attributes, Item, Outcome, Write } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import { transactCounting } from '../registry/totals.ts'
import type { Summary } from './report.ts'
import { SEVERITIES } from './severity.ts'

const RANKED = ['Critical', 'High', 'Medium', 'Low'] as const
const MOST = 999_999

/** An artifact whose scan is counted. */
export interface Counted {
  repo: string
  projectId: string
  digest: Digest
}

/** Sorts as text: the more critical ones, the later; of as many, by those that are high, and so on. */
export function dangerOfArtifact({ counts }: Summary): string {
  return RANKED.map((each) => String(Math.min(counts[each] ?? 0, MOST)).padStart(6, '0')).join('')
}

/**
 * Writes together with the change of the sums.
 * @param before the artifact's listing (`SC#`) as it was read; it has to be as it was
 * @param after absent where nothing is left of its scan
 * @returns as of the writes; `failed` has the index after theirs when the listing was changed meanwhile
 */
export function transactScanTotals(
  registry: Registry,
  artifact: Counted,
  writes: Write[],
  before: Item | undefined,
  after?: { item: Item; summary: Summary },
): Promise<Outcome> {
  const { repo, projectId, digest } = artifact
  const key = keys.scanned(projectId, repo, digest)
  const old = before?.attributes.counted === true ? summaryIn(before) : undefined
  const unchanged = before
    ? { kind: 'equals' as const, attributes: { atMs: Number(before.attributes.atMs) } }
    : { kind: 'absent' as const }
  const listing: Write = after
    ? {
        kind: 'put',
        if: unchanged,
        item: { ...after.item, attributes: { ...after.item.attributes, counted: true } },
      }
    : { kind: 'delete', key, if: unchanged }
  const [gone, come] = [old && rankOf(artifact, old), after && rankOf(artifact, after.summary)]
  return transactCounting(
    registry,
    [
      ...writes,
      listing,
      ...(gone && gone.sk !== come?.sk
        ? [{ kind: 'delete' as const, key: { pk: gone.pk, sk: gone.sk } }]
        : []),
      ...(come && after ? [{ kind: 'put' as const, item: withNames(come, after.item, projectId) }] : []),
    ],
    keys.scanTotal(repo),
    difference(old, after?.summary),
  )
}

export function summaryIn(item: Item): Summary {
  return item.attributes.summary as unknown as Summary
}

/** @returns undefined where nothing is wrong with it */
function rankOf({ repo, digest }: Counted, summary: Summary): Item | undefined {
  const danger = dangerOfArtifact(summary)
  if (/^0+$/.test(danger)) return undefined
  const attributes: Attributes = { v: 1, summary: summary as unknown as Attributes }
  return { ...keys.dangerous(danger, repo, digest), attributes }
}

function withNames(rank: Item, { attributes: { repository } }: Item, project: string): Item {
  return { ...rank, attributes: { ...rank.attributes, repository: repository!, project } }
}

function difference(old: Summary | undefined, now: Summary | undefined): Record<string, number> {
  const change: Record<string, number> = {
    scanned: Number(now !== undefined) - Number(old !== undefined),
    fixable: (now?.fixable ?? 0) - (old?.fixable ?? 0),
  }
  for (const each of SEVERITIES) change[each] = (now?.counts[each] ?? 0) - (old?.counts[each] ?? 0)
  return change
}
