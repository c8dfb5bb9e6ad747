// The security hub: how many vulnerabilities there are in everything, and which.
import { projectOf } from '../../oci/reference.ts'
import { keys } from '../../registry/keys.ts'
import { projectIn } from '../../registry/projects.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Occurrence } from '../../scanning/occurrence.ts'
import { describe, searchSecurity, tagsShown } from '../../scanning/security-search.ts'
import {
  dangerousArtifacts,
  dangerousVulnerabilities,
  securitySummary,
} from '../../scanning/security-summary.ts'
import type { HttpResponse } from '../message.ts'
import { answer } from './answers.ts'
import { type HarborCall, type HarborRoute, requireSystem } from './call.ts'
import { flagInQuery, pageAnswer, pageOf } from './lists.ts'
import { criteriaIn } from './security-query.ts'

export const SECURITY_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/security/summary', run: summary },
  { method: 'GET', path: '/security/vul', run: list },
]

const RESOURCE = 'security-hub'
/** As many as Harbor gives where none are asked for. */
const SIZE = 15

async function summary(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'read')
  const { registry, request } = call
  const withCves = flagInQuery(request, 'with_dangerous_cve', false)
  const withArtifacts = flagInQuery(request, 'with_dangerous_artifact', false)
  const { counts, fixable, total, scanned, artifacts } = await securitySummary(registry)
  return answer(200, {
    critical_cnt: counts.Critical,
    high_cnt: counts.High,
    medium_cnt: counts.Medium,
    low_cnt: counts.Low,
    // As Harbor maps it.
    none_cnt: counts.None + counts.Negligible,
    unknown_cnt: counts.Unknown,
    total_vuls: total,
    fixable_cnt: fixable,
    scanned_cnt: scanned,
    total_artifact: artifacts,
    ...(withCves ? { dangerous_cves: await cves(registry) } : {}),
    ...(withArtifacts ? { dangerous_artifacts: await artifactViews(registry) } : {}),
  })
}

async function cves(registry: Registry): Promise<object[]> {
  const worst = await dangerousVulnerabilities(registry)
  const about = await describe(
    registry,
    worst.map(({ cve }) => cve),
  )
  return worst.map(({ cve, severity, score, name, version }) => ({
    cve_id: cve,
    severity,
    cvss_score_v3: score,
    desc: about.get(cve)?.description ?? '',
    package: name,
    version,
  }))
}

async function artifactViews(registry: Registry): Promise<object[]> {
  const worst = await dangerousArtifacts(registry)
  const numbers = await projectNumbers(registry, worst)
  return worst.map(({ repository, digest, summary: { counts } }) => ({
    project_id: numbers.get(projectOf(repository)) ?? 0,
    repository_name: repository,
    digest,
    critical_cnt: counts.Critical ?? 0,
    high_cnt: counts.High ?? 0,
    medium_cnt: counts.Medium ?? 0,
  }))
}

async function list(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'list')
  const { registry, request } = call
  const asked = pageOf(request)
  const size = asked.size || SIZE
  const tuned = flagInQuery(request, 'tune_count', false)
  const withTags = flagInQuery(request, 'with_tag', false)
  const wanted = await criteriaIn(registry, request.query.get('q'))
  const from = (asked.number - 1) * size
  const page = wanted
    ? await searchSecurity(registry, wanted, { from, size, tuned })
    : { found: [], total: 0, more: false }
  const seen = from + page.found.length + Number(page.more)
  const { headers, ...rest } = pageAnswer(
    request,
    { number: asked.number, size },
    page.total ?? seen,
    await views(registry, page.found, withTags),
  )
  return { ...rest, headers: { ...headers, 'X-Total-Count': String(page.total ?? -1) } }
}

async function views(registry: Registry, found: Occurrence[], withTags: boolean): Promise<object[]> {
  const [about, numbers, tags] = await Promise.all([
    describe(
      registry,
      found.map(({ cve }) => cve),
    ),
    projectNumbers(registry, found),
    withTags ? tagsShown(registry, found) : undefined,
  ])
  return found.map((each) => ({
    project_id: numbers.get(projectOf(each.repository)) ?? 0,
    repository_name: each.repository,
    digest: each.digest,
    ...(tags ? { tags: tags.get(`${each.repo}#${each.digest}`) ?? [] } : {}),
    cve_id: each.cve,
    severity: each.severity,
    status: each.status,
    cvss_v3_score: each.score,
    package: each.name,
    version: each.version,
    fixed_version: each.fix,
    desc: about.get(each.cve)?.description ?? '',
    links: about.get(each.cve)?.links ?? [],
  }))
}

/** By the projects' names; of at most 100. */
async function projectNumbers(
  registry: Registry,
  found: readonly { repository: string }[],
): Promise<Map<string, number>> {
  const names = [...new Set(found.map(({ repository }) => projectOf(repository)))]
  const items = await registry.metadata.batchGet(names.map((name) => keys.project(name)))
  return new Map(
    names.flatMap((name, index) => {
      const item = items[index]
      return item ? [[name, projectIn(item, name).number] as const] : []
    }),
  )
}
