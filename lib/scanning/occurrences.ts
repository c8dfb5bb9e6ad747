// Where vulnerabilities that are searched for are read from: the fewest rows that can hold them.
import type { Digest } from '../oci/digest.ts'
import { keys, partitions } from '../registry/keys.ts'
import type { Item } from '../registry/ports.ts'
import { listProjects } from '../registry/projects.ts'
import type { Registry } from '../registry/registry.ts'
import { byDanger, type Criteria, isWanted, type Occurrence, occurrencesIn } from './occurrence.ts'
import { shortIn } from './reports.ts'
import type { ShortVulnerability } from './scan.ts'
import { summaryIn } from './scan-totals.ts'
import type { Severity } from './severity.ts'
import { dangerOf } from './vulnerability-rows.ts'

/** Some of what is searched for, and how many rows were read for it. */
export interface Batch {
  found: Occurrence[]
  rows: number
}

/** Artifacts whose reports are put together in memory; of more, the rows of vulnerabilities are read. */
const ARTIFACTS_LIMIT = 500
const ROWS_AT_ONCE = 1000
const REPORTS_AT_ONCE = 20
const VULNERABILITIES_AT_ONCE = 16
const PROJECTS_AT_ONCE = 100

/** Worst first, but those of one vulnerability that is named: in the order of repositories where there are many. */
export async function* occurrences(registry: Registry, wanted: Criteria): AsyncGenerator<Batch> {
  if (wanted.cve !== undefined) return yield* ofVulnerability(registry, wanted.cve, wanted)
  const artifacts = await artifactsOf(registry, wanted)
  if (artifacts) return yield* ofArtifacts(registry, artifacts, wanted)
  yield* ofAll(registry, wanted)
}

async function* ofVulnerability(registry: Registry, cve: string, wanted: Criteria): AsyncGenerator<Batch> {
  let first = true
  for await (const page of rowsOf(registry, partitions.vulnerable(cve), wanted)) {
    const found = page.flatMap(occurrencesIn).filter((each) => isWanted(each, wanted))
    yield { rows: page.length, found: first && page.length < ROWS_AT_ONCE ? found.sort(byDanger) : found }
    first = false
  }
}

/** Rows by artifact, of a repository alone where that is known. */
async function* rowsOf(registry: Registry, pk: string, { repo, digest }: Criteria): AsyncGenerator<Item[]> {
  const prefix = repo === undefined ? undefined : `${repo}#${digest ?? ''}`
  let after: string | undefined
  for (;;) {
    const page: Item[] = await registry.metadata.query({
      pk,
      limit: ROWS_AT_ONCE,
      ...(prefix === undefined ? {} : { prefix }),
      ...(after === undefined ? {} : { after }),
    })
    if (page.length > 0) yield page
    if (page.length < ROWS_AT_ONCE) return
    after = page.at(-1)!.sk
  }
}

/** Scanned artifacts that may have what is searched for. @returns undefined where they are not few */
async function artifactsOf(registry: Registry, wanted: Criteria): Promise<Item[] | undefined> {
  const { projectId, digest, severity } = wanted
  if (projectId === undefined) return digest === undefined ? undefined : artifactsWithDigest(registry, digest)
  const artifacts: Item[] = []
  for await (const page of rowsOf(registry, partitions.scanned(projectId), wanted)) {
    for (const item of page) {
      const { counts, total } = summaryIn(item)
      if ((severity === undefined ? total : (counts[severity] ?? 0)) === 0) continue
      if (digest === undefined || item.sk.endsWith(`#${digest}`)) artifacts.push(item)
    }
    if (artifacts.length > ARTIFACTS_LIMIT) return undefined
  }
  return artifacts
}

/** Of whatever project: those that count the digest are asked for its repositories. */
async function artifactsWithDigest(registry: Registry, digest: Digest): Promise<Item[] | undefined> {
  const artifacts: Item[] = []
  let after: string | undefined
  for (;;) {
    const page = await listProjects(registry, {
      limit: PROJECTS_AT_ONCE,
      ...(after === undefined ? {} : { after }),
    })
    const counted = await registry.metadata.batchGet(page.map(({ id }) => keys.projectBlob(id, digest)))
    for (const { id } of page.filter((_, index) => counted[index])) {
      const users = await registry.metadata.query({ pk: partitions.usage(id, digest), limit: ROWS_AT_ONCE })
      const repos = new Set(users.map(({ sk }) => sk.split('#')[0]!))
      if (artifacts.length + repos.size > ARTIFACTS_LIMIT) return undefined
      for (const repo of repos) {
        const item = await registry.metadata.get(keys.scanned(id, repo, digest))
        if (item) artifacts.push(item)
      }
    }
    if (page.length < PROJECTS_AT_ONCE) return artifacts
    after = page.at(-1)!.name
  }
}

async function* ofArtifacts(registry: Registry, artifacts: Item[], wanted: Criteria): AsyncGenerator<Batch> {
  const found: Occurrence[] = []
  for (let at = 0; at < artifacts.length; at += REPORTS_AT_ONCE) {
    const places = artifacts.slice(at, at + REPORTS_AT_ONCE).map(placeIn)
    const shorts = await registry.metadata.batchGet(
      places.map(({ repo, digest }) => keys.shortReport(repo, digest)),
    )
    for (const [index, place] of places.entries()) {
      const all = (await shortIn(shorts[index])).map((each) => occurrenceOf(each, place))
      found.push(...all.filter((each) => isWanted(each, wanted)))
    }
  }
  yield { found: found.sort(byDanger), rows: artifacts.length }
}

function placeIn(listed: Item) {
  const [repo, digest] = listed.sk.split('#') as [string, Digest]
  const projectId = listed.pk.slice(listed.pk.indexOf('#') + 1)
  return { repo, digest, projectId, repository: listed.attributes.repository as string }
}

function occurrenceOf(each: ShortVulnerability, place: ReturnType<typeof placeIn>): Occurrence {
  const { id, package: name, version, fix, status = '', score = 0 } = each
  return { cve: id, name, version, fix, status, severity: each.severity as Severity, score, ...place }
}

/** From the worst vulnerability downwards, each with all its artifacts. */
async function* ofAll(registry: Registry, wanted: Criteria): AsyncGenerator<Batch> {
  // A score ends in its severity, which is below any letter.
  let before = wanted.score && `${dangerOf(wanted.score.to, 'Critical')}~`
  for (;;) {
    const listed: Item[] = await registry.metadata.query({
      pk: partitions.vulnerabilities,
      limit: ROWS_AT_ONCE,
      reverse: true,
      ...(before === undefined ? {} : { after: before }),
    })
    const some = listed.filter((item) => mayHold(item, wanted))
    // Those that are passed over cost a little too.
    yield { found: [], rows: Math.ceil((listed.length - some.length) / 10) }
    for (let at = 0, size = 2; at < some.length; size = Math.min(2 * size, VULNERABILITIES_AT_ONCE)) {
      yield* ofListed(registry, some.slice(at, at + size), wanted)
      at += size
    }
    const last = listed.at(-1)
    if (listed.length < ROWS_AT_ONCE || (wanted.score && last && scoreIn(last) < wanted.score.from)) return
    before = last!.sk
  }
}

function scoreIn({ sk }: Item): number {
  return Number(sk.slice(0, 3)) / 10
}

function mayHold(listed: Item, { severity, package: name, score }: Criteria): boolean {
  const packages = listed.attributes.packages as string[] | undefined
  const danger = listed.sk.slice(0, listed.sk.indexOf('#'))
  return (
    (severity === undefined || danger.endsWith(dangerOf(0, severity).slice(3))) &&
    (name === undefined || packages === undefined || packages.includes(name)) &&
    (score === undefined || scoreIn(listed) >= score.from)
  )
}

/** The first rows of a few at once; where one has more, they follow before the next one’s. */
async function* ofListed(registry: Registry, listed: Item[], wanted: Criteria): AsyncGenerator<Batch> {
  const entries = listed.map(({ sk }) => ({
    danger: sk.slice(0, sk.indexOf('#')),
    cve: sk.slice(sk.indexOf('#') + 1),
  }))
  const firsts = await Promise.all(
    entries.map(({ cve }) =>
      registry.metadata.query({ pk: partitions.vulnerable(cve), limit: PROJECTS_AT_ONCE }),
    ),
  )
  for (const [index, { danger, cve }] of entries.entries()) {
    let page = firsts[index]!
    for (;;) {
      const found = page
        .flatMap(occurrencesIn)
        .filter((each) => dangerOf(each.score, each.severity) === danger && isWanted(each, wanted))
      yield { found, rows: Math.max(1, page.length) }
      if (page.length < PROJECTS_AT_ONCE) break
      page = await registry.metadata.query({
        pk: partitions.vulnerable(cve),
        limit: PROJECTS_AT_ONCE,
        after: page.at(-1)!.sk,
      })
    }
  }
}
