// Vulnerabilities of everything that was scanned, searched: the worst first, a page at a time, with bounded reads.
import { RegistryError } from '../oci/errors.ts'
import { keys, partitions } from '../registry/keys.ts'
import type { Registry } from '../registry/registry.ts'
import { readTotals } from '../registry/totals.ts'
import { type Criteria, LOOKED_AT, type Occurrence, taggedAs } from './occurrence.ts'
import { occurrences } from './occurrences.ts'
import { SEVERITIES } from './severity.ts'

/** As far as pages go. */
const PAGED = 10_000
/** Counted no further where that is asked for. */
const TUNED_COUNT = 1000
const TAGS_SHOWN = 10

export interface SecurityPage {
  found: Occurrence[]
  /** undefined: more than are counted. */
  total: number | undefined
  /** Another page follows. */
  more: boolean
}

/**
 * @param page `tuned`: counted up to 1,000 only
 * @throws REQUEST_INVALID beyond the first 10,000, and where the page is not full after 20,000 rows
 */
export async function searchSecurity(
  registry: Registry,
  wanted: Criteria,
  page: { from: number; size: number; tuned: boolean },
): Promise<SecurityPage> {
  const to = page.from + page.size
  if (to > PAGED)
    throw new RegistryError(
      'REQUEST_INVALID',
      `pages end after the first ${PAGED} vulnerabilities: narrow the search with q, e.g. q=severity=Critical`,
    )
  const known = await knownTotal(registry, wanted)
  // What is known need not be counted, but for whether another page follows.
  const countTo = known !== undefined ? to + 1 : Math.max(to + 1, page.tuned ? TUNED_COUNT + 1 : LOOKED_AT)
  const { found, count, whole } = await collect(registry, wanted, page.from, to, countTo)
  const total = known ?? (whole ? count : undefined)
  return {
    found,
    total: page.tuned && (total ?? count) > TUNED_COUNT ? undefined : total,
    more: count > to,
  }
}

async function collect(registry: Registry, wanted: Criteria, from: number, to: number, countTo: number) {
  const tagged = wanted.tag === undefined ? undefined : taggedAs(registry, wanted.tag)
  const found: Occurrence[] = []
  let [count, rows] = [0, 0]
  for await (const batch of occurrences(registry, wanted)) {
    rows += batch.rows
    const fitting = tagged ? await tagged(batch.found) : batch.found
    found.push(...fitting.slice(Math.max(0, from - count), Math.max(0, to - count)))
    count += fitting.length
    if (count >= countTo) return { found, count, whole: false }
    if (rows < LOOKED_AT) continue
    if (count >= to) return { found, count, whole: false }
    throw new RegistryError(
      'REQUEST_INVALID',
      `${LOOKED_AT} rows were looked at without filling the page: narrow the search with cve_id, repository_name or digest`,
    )
  }
  return { found, count, whole: true }
}

/** Without criteria, or with a severity alone, it is kept. */
async function knownTotal(registry: Registry, wanted: Criteria): Promise<number | undefined> {
  const { severity, ...others } = wanted
  if (Object.keys(others).length > 0) return undefined
  const sum = await readTotals(registry)
  return severity ? sum(severity) : SEVERITIES.reduce((all, each) => all + sum(each), 0)
}

/** What vulnerabilities are, by their names. @param cves at most 100 */
export async function describe(
  registry: Registry,
  cves: readonly string[],
): Promise<Map<string, { description: string; links: string[] }>> {
  const names = [...new Set(cves)]
  const items = await registry.metadata.batchGet(names.map((cve) => keys.vulnerability(cve)))
  return new Map(
    names.map((cve, index) => {
      const { description = '', links = [] } = items[index]?.attributes ?? {}
      return [cve, { description: description as string, links: links as string[] }]
    }),
  )
}

/** Up to ten tags of each artifact, by `<repo>#<digest>`. @param found at most 100 */
export async function tagsShown(
  registry: Registry,
  found: readonly Pick<Occurrence, 'repo' | 'digest'>[],
): Promise<Map<string, string[]>> {
  const artifacts = new Map(found.map(({ repo, digest }) => [`${repo}#${digest}`, { repo, digest }]))
  const tags = await Promise.all(
    [...artifacts].map(async ([name, { repo, digest }]): Promise<[string, string[]]> => {
      const pk = partitions.tagsOfManifest(repo, digest)
      const listed = await registry.metadata.query({ pk, limit: TAGS_SHOWN })
      return [name, listed.map(({ sk }) => sk)]
    }),
  )
  return new Map(tags)
}
