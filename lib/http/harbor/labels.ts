// Labels of the whole registry (`g`), which administrators keep, and of projects (`p`), which their maintainers do.
import { deleteLabel } from '../../artifacts/artifact-labels.ts'
import { createLabel, type Label, listLabels, requireLabel, updateLabel } from '../../artifacts/labels.ts'
import { RegistryError } from '../../oci/errors.ts'
import { type Deed, noted } from '../../registry/audit-log.ts'
import { projectNameOf } from '../../registry/project-numbers.ts'
import type { HttpResponse } from '../message.ts'
import { answer, created, done } from './answers.ts'
import { labelView } from './artifact-view.ts'
import { type Fields, numberIn, readFields, textIn } from './body.ts'
import {
  type HarborCall,
  type HarborRoute,
  requireLogin,
  requireProjectNamed,
  requireSystem,
} from './call.ts'
import { pageAnswer } from './lists.ts'
import { numberOf } from './number-in-path.ts'
import { requireWhole, wantedIn } from './repository-call.ts'

export const LABEL_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/labels', run: list },
  { method: 'POST', path: '/labels', run: create },
  { method: 'GET', path: '/labels/{label}', run: show },
  { method: 'PUT', path: '/labels/{label}', run: change },
  { method: 'DELETE', path: '/labels/{label}', run: remove },
]

async function list(call: HarborCall): Promise<HttpResponse> {
  const { query } = call.request
  const scope = scopeOf(query.get('scope') ?? '')
  const wanted = wantedIn(call.request)
  const name = query.get('name')
  if (name) wanted.filters.push({ field: 'name', term: { kind: 'fuzzy', value: name } })
  if (scope === 'g') requireLogin(call)
  const project =
    scope === 'p' ? await projectOfLabel(call, query.get('project_id') ?? '', 'list') : undefined
  const { labels, total } = await listLabels(call.registry, project?.id ?? 'g', wanted)
  requireWhole(wanted, total)
  return pageAnswer(call.request, wanted.shown, total, labels.map(labelView))
}

async function create(call: HarborCall): Promise<HttpResponse> {
  const fields = await readFields(call.request)
  const scope = scopeOf(textIn(fields, 'scope'))
  if (scope === 'g') requireSystem(call, 'label', 'create')
  const owner =
    scope === 'g' ? scope : await projectOfLabel(call, String(numberIn(fields, 'project_id') ?? ''), 'create')
  const label = await createLabel(call.registry, owner, textOf(fields))
  await note(call, 'create', label)
  return created(`/labels/${label.id}`)
}

async function show(call: HarborCall): Promise<HttpResponse> {
  return answer(200, labelView(await allowedLabel(call, 'read')))
}

async function change(call: HarborCall): Promise<HttpResponse> {
  const label = await allowedLabel(call, 'update')
  await note(
    call,
    'update',
    await updateLabel(call.registry, label.id, textOf(await readFields(call.request))),
  )
  return done()
}

async function remove(call: HarborCall): Promise<HttpResponse> {
  const label = await allowedLabel(call, 'delete')
  await note(call, 'delete', await deleteLabel(call.registry, label.id))
  return done()
}

async function allowedLabel(call: HarborCall, action: string): Promise<Label> {
  const label = await requireLabel(call.registry, numberOf(call, 'label'))
  if (label.scope === 'g') requireSystem(call, 'label', action)
  else await requireProjectNamed(call, 'label', action, label.projectName)
  return label
}

async function note(
  call: HarborCall,
  operation: Deed['operation'],
  { name, projectId }: Label,
): Promise<void> {
  const project = projectId === '' ? {} : { projectId }
  await noted(call, { operation, resourceType: 'label', resource: name, ...project })
}

function textOf(fields: Fields) {
  return {
    name: textIn(fields, 'name'),
    description: textIn(fields, 'description'),
    color: textIn(fields, 'color'),
  }
}

function scopeOf(scope: string): 'g' | 'p' {
  if (scope === 'g' || scope === 'p') return scope
  throw new RegistryError('REQUEST_INVALID', `invalid scope: ${scope.slice(0, 40)}: it is g or p`)
}

/** @param number Harbor's number of the project */
async function projectOfLabel(call: HarborCall, number: string, action: string) {
  if (!/^[1-9]\d{0,8}$/.test(number))
    throw new RegistryError('REQUEST_INVALID', 'must with project ID when to query project labels')
  const name = await projectNameOf(call.registry, number)
  return requireProjectNamed(call, 'label', action, name ?? `#${number}`)
}
