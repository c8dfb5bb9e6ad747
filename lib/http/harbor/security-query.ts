// What the security hub is asked for in `q`: Harbor's keys, and what each may be.
import { isDigest } from '../../oci/digest.ts'
import { RegistryError } from '../../oci/errors.ts'
import { keys } from '../../registry/keys.ts'
import type { Registry } from '../../registry/registry.ts'
import { readRepository } from '../../registry/repositories.ts'
import type { Criteria } from '../../scanning/occurrence.ts'
import { SEVERITIES } from '../../scanning/severity.ts'
import { type Filter, parseQuery, type Term } from './query.ts'

const SCORE = 'cvss_score_v3'
/** The name it has in answers. */
const SCORE_SHOWN = 'cvss_v3_score'
const EXACT = ['cve_id', 'severity', 'status', 'project_id', 'repository_name', 'package', 'tag', 'digest']

/**
 * @returns undefined where nothing can be found: there is no such project or repository
 * @throws REQUEST_INVALID with the key that is not allowed, or whose value is not
 */
export async function criteriaIn(registry: Registry, q: string | null): Promise<Criteria | undefined> {
  const filters = new Map(parseQuery(q).map((filter) => [checked(filter), filter.term]))
  const text = (key: string) => {
    const term = filters.get(key)
    return term?.kind === 'exact' ? term.value : undefined
  }
  const [cve, status, name, tag] = ['cve_id', 'status', 'package', 'tag'].map(text)
  const [severity, digest] = [text('severity'), text('digest')]
  if (digest !== undefined && !isDigest(digest)) throw invalid('digest', `${quoted(digest)} is no digest`)
  const place = await placeOf(registry, text('project_id'), text('repository_name'))
  const score = filters.get(SCORE)
  if (!place) return undefined
  return {
    ...(cve === undefined ? {} : { cve }),
    ...(severity === undefined ? {} : { severity: severityIn(severity) }),
    ...(status === undefined ? {} : { status }),
    ...(name === undefined ? {} : { package: name }),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
    ...(score ? { score: rangeIn(score) } : {}),
    ...place,
  }
}

/** @returns its key, under one name for the score */
function checked({ field, term }: Filter): string {
  const key = field === SCORE_SHOWN ? SCORE : field
  const kind = key === SCORE ? 'range' : EXACT.includes(key) ? 'exact' : undefined
  if (!kind)
    throw new RegistryError(
      'REQUEST_INVALID',
      `keyword: ${field.slice(0, 80)} is not allowed: use ${[...EXACT, SCORE].join(', ')}`,
    )
  if (term.kind !== kind)
    throw invalid(
      field,
      `the query type is not allowed: use ${kind === 'range' ? `${field}=[7~10]` : `${field}=value`}`,
    )
  return key
}

function severityIn(given: string) {
  const found = SEVERITIES.find((each) => each.toLowerCase() === given.toLowerCase())
  if (!found) throw invalid('severity', `${quoted(given)} is none of ${SEVERITIES.join(', ')}`)
  return found
}

function rangeIn(term: Term): { from: number; to: number } {
  const { from = '0', to = '10' } = term as Extract<Term, { kind: 'range' }>
  const ends = [from, to].map((each) => {
    if (!/^\d{1,3}(\.\d{1,6})?$/.test(each)) throw invalid(SCORE, `${quoted(each)} is no score`)
    return Math.min(Number(each), 10)
  }) as [number, number]
  if (ends[0] > ends[1]) throw invalid(SCORE, `[${from}~${to}] ends before it begins`)
  return { from: ends[0], to: ends[1] }
}

async function placeOf(
  registry: Registry,
  project: string | undefined,
  repository: string | undefined,
): Promise<Pick<Criteria, 'projectId' | 'repo'> | undefined> {
  if (project !== undefined && !/^\d{1,9}$/.test(project))
    throw invalid('project_id', `${quoted(project)} is no number`)
  const item =
    project === undefined ? undefined : await registry.metadata.get(keys.projectNumber(Number(project)))
  if (project !== undefined && !item) return undefined
  const projectId = item?.attributes.id as string | undefined
  if (repository === undefined) return projectId === undefined ? {} : { projectId }
  const found = (await readRepository(registry, repository))?.repository
  if (!found || (projectId !== undefined && found.projectId !== projectId)) return undefined
  return { projectId: found.projectId, repo: found.id }
}

function invalid(key: string, why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', `keyword: ${key}, ${why}`)
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80))
}
