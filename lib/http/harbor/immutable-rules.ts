// Rules of a project on tags that may neither move nor go.
import { RegistryError } from '../../oci/errors.ts'
import { noted } from '../../registry/audit-log.ts'
import {
  changeImmutableRule,
  createImmutableRule,
  deleteImmutableRule,
  type NewImmutableRule,
} from '../../registry/immutable-rules.ts'
import type { ImmutableRule } from '../../registry/immutable-tags.ts'
import type { Project } from '../../registry/projects.ts'
import type { HttpResponse } from '../message.ts'
import { created, done } from './answers.ts'
import { type Fields, flagIn, numberIn, objectIn, objectsIn, readFields, textIn } from './body.ts'
import { type HarborCall, type HarborRoute, requireProject } from './call.ts'
import { listAnswer } from './lists.ts'
import { numberOf } from './number-in-path.ts'

const LIST = '/projects/{project}/immutabletagrules'

export const IMMUTABLE_RULE_ROUTES: HarborRoute[] = [
  { method: 'GET', path: LIST, run: list },
  { method: 'POST', path: LIST, run: create },
  { method: 'PUT', path: `${LIST}/{rule}`, run: change },
  { method: 'DELETE', path: `${LIST}/{rule}`, run: remove },
]

async function list(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'immutable-tag', 'list')
  return listAnswer(call.request, (project.immutableRules ?? []).map(ruleView))
}

async function create(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'immutable-tag', 'create')
  const rule = await createImmutableRule(call.registry, project, ruleIn(await readFields(call.request)))
  await note(call, 'create', project, rule)
  return created(`/projects/${encodeURIComponent(call.params.project!)}/immutabletagrules/${rule.number}`)
}

async function change(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'immutable-tag', 'update')
  const number = numberOf(call, 'rule')
  const fields = await readFields(call.request)
  if (numberIn(fields, 'id') !== number)
    throw new RegistryError(
      'REQUEST_INVALID',
      "the immutable_rule_id doesn't match the id in the payload body of ImmutableRule",
    )
  const rule = { number, ...ruleIn(fields) }
  await changeImmutableRule(call.registry, project, rule)
  await note(call, 'update', project, rule)
  return done()
}

async function remove(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'immutable-tag', 'delete')
  const number = numberOf(call, 'rule')
  await deleteImmutableRule(call.registry, project, number)
  await note(call, 'delete', project, { number })
  return done()
}

/** Harbor's log has no such entries: here it can be seen who took a protection away. */
function note(
  call: HarborCall,
  operation: 'create' | 'update' | 'delete',
  project: Project,
  { number }: { number: number },
): Promise<void> {
  const resource = `${project.name}/immutabletagrules/${number}`
  return noted(call, { operation, resourceType: 'immutable-tag', resource, projectId: project.id })
}

/** @throws REQUEST_INVALID */
function ruleIn(fields: Fields): NewImmutableRule {
  for (const name of ['action', 'template'])
    if (textIn(fields, name, 255) === '') throw invalid(`${name} is required`)
  return {
    disabled: flagIn(fields, 'disabled') ?? false,
    priority: numberIn(fields, 'priority') ?? 0,
    repositories: selectorIn(
      objectsIn(objectIn(fields, 'scope_selectors'), 'repository')[0],
      'scope_selectors.repository',
      ['repoMatches', 'repoExcludes'],
    ),
    tags: selectorIn(objectsIn(fields, 'tag_selectors')[0], 'tag_selectors', ['matches', 'excludes']),
  }
}

/** Harbor too looks at the first only. */
function selectorIn(given: Fields | undefined, name: string, [matches, excludes]: [string, string]) {
  if (!given) throw invalid(`${name} is required: one selector`)
  const [kind, decoration] = [textIn(given, 'kind'), textIn(given, 'decoration')]
  if (kind !== 'doublestar') throw invalid(`the kind of ${name} is doublestar`)
  if (decoration !== matches && decoration !== excludes)
    throw invalid(`the decoration of ${name} is ${matches} or ${excludes}`)
  return { excludes: decoration === excludes, pattern: textIn(given, 'pattern') }
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', why)
}

function ruleView({ number, disabled, priority, repositories, tags }: ImmutableRule) {
  const selector = (decoration: string, pattern: string) => [
    { kind: 'doublestar', decoration, pattern, extras: '' },
  ]
  return {
    id: number,
    disabled,
    priority,
    action: 'immutable',
    template: 'immutable_template',
    params: {},
    tag_selectors: selector(tags.excludes ? 'excludes' : 'matches', tags.pattern),
    scope_selectors: {
      repository: selector(repositories.excludes ? 'repoExcludes' : 'repoMatches', repositories.pattern),
    },
  }
}
