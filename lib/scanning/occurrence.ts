// A vulnerability of a package in an artifact, and what may be asked of it.
import type { Digest } from '../oci/digest.ts'
import { keys } from '../registry/keys.ts'
import type { Item } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import { tagOf } from '../registry/tags.ts'
import type { Severity } from './severity.ts'
import { dangerOf, type FoundPackage } from './vulnerability-rows.ts'

export interface Occurrence extends FoundPackage {
  cve: string
  repo: string
  repository: string
  projectId: string
  digest: Digest
}

/** What is searched for; all of it has to be so. */
export interface Criteria {
  cve?: string
  severity?: Severity
  status?: string
  /** CVSS 3, inclusive. */
  score?: { from: number; to: number }
  package?: string
  /** Ids of a project and a repository. */
  projectId?: string
  repo?: string
  digest?: Digest
  tag?: string
}

/** How many rows one search looks at. */
export const LOOKED_AT = 20_000
const READ_AT_ONCE = 100

/** @param row of the partition of a vulnerability (`CV#`) */
export function occurrencesIn({ pk, sk, attributes }: Item): Occurrence[] {
  const [repo, digest] = sk.split('#') as [string, Digest]
  const where = {
    cve: pk.slice(pk.indexOf('#') + 1),
    repo,
    digest,
    repository: attributes.repository as string,
    projectId: attributes.project as string,
  }
  return (attributes.packages as unknown as FoundPackage[]).map((each) => ({ ...each, ...where }))
}

/** Whether it is what is searched for, but for its tag. */
export function isWanted(each: Occurrence, wanted: Criteria): boolean {
  const { severity, status, score } = wanted
  return (
    (wanted.cve === undefined || each.cve === wanted.cve) &&
    (severity === undefined || each.severity === severity) &&
    (status === undefined || each.status === status) &&
    (score === undefined || (each.score > 0 && each.score >= score.from && each.score <= score.to)) &&
    (wanted.package === undefined || each.name === wanted.package) &&
    (wanted.projectId === undefined || each.projectId === wanted.projectId) &&
    (wanted.repo === undefined || each.repo === wanted.repo) &&
    (wanted.digest === undefined || each.digest === wanted.digest)
  )
}

/** Worst first; the same ones by vulnerability and artifact; packages as they stand in the report. */
export function byDanger(one: Occurrence, other: Occurrence): number {
  const [a, b] = [dangerOf(one.score, one.severity), dangerOf(other.score, other.severity)]
  if (a !== b) return a < b ? 1 : -1
  if (one.cve !== other.cve) return one.cve < other.cve ? 1 : -1
  const [x, y] = [`${one.repo}#${one.digest}`, `${other.repo}#${other.digest}`]
  return x < y ? -1 : Number(x > y)
}

/** Those whose artifact has the tag now: one read for each repository that was not met before. */
export function taggedAs(registry: Registry, tag: string): (some: Occurrence[]) => Promise<Occurrence[]> {
  const digests = new Map<string, Digest | undefined>()
  return async (some) => {
    const repos = [...new Set(some.map(({ repo }) => repo))].filter((repo) => !digests.has(repo))
    for (let at = 0; at < repos.length; at += READ_AT_ONCE) {
      const asked = repos.slice(at, at + READ_AT_ONCE)
      const items = await registry.metadata.batchGet(asked.map((repo) => keys.tag(repo, tag)))
      for (const [index, repo] of asked.entries())
        digests.set(repo, tagOf(items[index], tag)?.digest ?? undefined)
    }
    return some.filter(({ repo, digest }) => digests.get(repo) === digest)
  }
}
