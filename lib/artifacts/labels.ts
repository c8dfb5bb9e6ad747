// Labels: names with a colour, of the whole registry or of one project, that people put on artifacts.
import { RegistryError } from '../oci/errors.ts'
import { keys, partitions } from '../registry/keys.ts'
import { nextNumber } from '../registry/numbers.ts'
import { pagesOf } from '../registry/partitions.ts'
import type { Attributes, Item, Write } from '../registry/ports.ts'
import type { Project } from '../registry/projects.ts'
import { number, type Registry, text } from '../registry/registry.ts'
import { comparator, type Fields, matcher, type Page, pageOf } from './matching.ts'
import type { Filter, Sort } from './query.ts'

export interface Label {
  id: number
  name: string
  description: string
  /** As CSS has it, e.g. `#FF0000`; may be empty. */
  color: string
  /** `g`: of the whole registry; `p`: of one project. */
  scope: 'g' | 'p'
  /** The project's own id, not its number; empty for `g`, as its name. */
  projectId: string
  projectName: string
  /** 0 for `g`. */
  projectNumber: number
  createdAtMs: number
  updatedAtMs: number
}

export type LabelText = Pick<Label, 'name' | 'description' | 'color'>

/** A scope's labels are filtered in memory; more than these are no labels any more. */
const LABELS_LIMIT = 1000
const NAME_LIMIT = 128
const DESCRIPTION_LIMIT = 1024
const COLOR = /^(#[0-9a-fA-F]{3,8}|[a-zA-Z]{1,30})?$/
const ATTEMPTS = 20

const FIELDS: Fields<Label> = {
  id: { kind: 'number', of: (label) => label.id },
  name: { kind: 'text', of: (label) => label.name },
  description: { kind: 'text', of: (label) => label.description },
  color: { kind: 'text', of: (label) => label.color },
  creation_time: { kind: 'time', of: (label) => label.createdAtMs },
  update_time: { kind: 'time', of: (label) => label.updatedAtMs },
}

/**
 * @param scope `g`, or a project
 * @throws REQUEST_INVALID, with status 409 when the scope has a label of that name
 */
export async function createLabel(
  registry: Registry,
  scope: 'g' | Pick<Project, 'id' | 'name' | 'number'>,
  label: LabelText,
): Promise<Label> {
  const checked = check(label)
  const owner = scope === 'g' ? { id: '', name: '', number: 0 } : scope
  if ((await labelsOf(registry, owner.id || 'g')).length >= LABELS_LIMIT)
    throw new RegistryError('REQUEST_INVALID', `there are ${LABELS_LIMIT} labels already: delete some first`)
  const now = registry.clock.nowMs()
  const made: Label = {
    id: await nextNumber(registry, 'label'),
    ...checked,
    scope: scope === 'g' ? 'g' : 'p',
    projectId: owner.id,
    projectName: owner.name,
    projectNumber: owner.number,
    createdAtMs: now,
    updatedAtMs: now,
  }
  const outcome = await registry.metadata.transact([
    { kind: 'put', if: { kind: 'absent' }, item: itemOf(registry, made) },
    listingOf(made),
  ])
  if (!outcome.ok) throw taken(made.name)
  return made
}

/** @throws NOT_FOUND */
export async function requireLabel(registry: Registry, id: number): Promise<Label> {
  const label = labelIn(await registry.metadata.get(keys.label(id)))
  if (!label) throw unknownLabel(id)
  return label
}

/** Those of the numbers that exist, in their order. */
export async function readLabels(registry: Registry, ids: number[]): Promise<Map<number, Label>> {
  const found = new Map<number, Label>()
  for (let at = 0; at < ids.length; at += 100)
    for (const item of await registry.metadata.batchGet(
      ids.slice(at, at + 100).map((id) => keys.label(id)),
    )) {
      const label = labelIn(item)
      if (label) found.set(label.id, label)
    }
  return found
}

/**
 * @param scope `g`, or the id of a project
 * @throws REQUEST_INVALID for a query that cannot be understood
 */
export async function listLabels(
  registry: Registry,
  scope: string,
  wanted: Page & { filters: Filter[]; sort: Sort[] },
): Promise<{ labels: Label[]; total: number }> {
  const matches = matcher(wanted.filters, FIELDS)
  const labels = (await labelsOf(registry, scope)).filter(matches)
  labels.sort(comparator(wanted.sort, FIELDS, [{ field: 'id', descending: false }]))
  return { labels: pageOf(labels, wanted), total: labels.length }
}

/** @throws NOT_FOUND; REQUEST_INVALID, with status 409 when another label of its scope has the new name */
export async function updateLabel(registry: Registry, id: number, change: LabelText): Promise<Label> {
  const checked = check(change)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const item = await registry.metadata.get(keys.label(id))
    const label = labelIn(item)
    if (!item || !label) throw unknownLabel(id)
    const changed = { ...label, ...checked, updatedAtMs: registry.clock.nowMs() }
    const renamed = changed.name !== label.name
    const outcome = await registry.metadata.transact([
      { kind: 'put', if: asRead(item), item: itemOf(registry, changed) },
      ...(renamed ? [listingOf(changed), unlisted(label)] : []),
    ])
    if (outcome.ok) return changed
    if (!outcome.failed.includes(0)) throw taken(changed.name)
  }
  throw tooBusy(id)
}

/**
 * What has the label loses it a moment later: see `forgetLabel`.
 * @throws NOT_FOUND
 */
export async function deleteLabelItem(registry: Registry, id: number): Promise<Label> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const item = await registry.metadata.get(keys.label(id))
    const label = labelIn(item)
    if (!item || !label) throw unknownLabel(id)
    const outcome = await registry.metadata.transact([
      { kind: 'delete', if: asRead(item), key: keys.label(id) },
      unlisted(label),
    ])
    if (outcome.ok) return label
  }
  throw tooBusy(id)
}

export function unknownLabel(id: number): RegistryError {
  return new RegistryError('NOT_FOUND', `label ${id} not found`)
}

async function labelsOf(registry: Registry, scope: string): Promise<Label[]> {
  const ids: number[] = []
  for await (const page of pagesOf(registry.metadata, { pk: partitions.labels(scope) }))
    ids.push(...page.map((item) => number(item, 'id')))
  return [...(await readLabels(registry, ids)).values()]
}

/** @throws REQUEST_INVALID */
function check({ name, description, color }: LabelText): LabelText {
  const invalid = (why: string) => new RegistryError('REQUEST_INVALID', `invalid label: ${why}`)
  if (name === '') throw invalid('its name cannot be empty')
  if (Buffer.byteLength(name) > NAME_LIMIT) throw invalid(`its name has more than ${NAME_LIMIT} bytes`)
  if (Buffer.byteLength(description) > DESCRIPTION_LIMIT)
    throw invalid(`its description has more than ${DESCRIPTION_LIMIT} bytes`)
  if (!COLOR.test(color)) throw invalid(`${JSON.stringify(color.slice(0, 40))} is no colour such as #FF0000`)
  return { name, description, color }
}

function labelIn(item: Item | undefined): Label | undefined {
  if (!item) return undefined
  const { v: _, gen: __, ...label } = item.attributes
  return label as unknown as Label
}

function itemOf(registry: Registry, label: Label): Item {
  return { ...keys.label(label.id), attributes: { v: 1, gen: registry.newId(), ...label } as Attributes }
}

function asRead(item: Item) {
  return { kind: 'equals' as const, attributes: { gen: text(item, 'gen') } }
}

function listingOf({ id, scope, projectId, name }: Label): Write {
  const key = keys.labelListing(scope === 'g' ? 'g' : projectId, name)
  return { kind: 'put', if: { kind: 'absent' }, item: { ...key, attributes: { v: 1, id } } }
}

function unlisted({ scope, projectId, name }: Label): Write {
  return { kind: 'delete', key: keys.labelListing(scope === 'g' ? 'g' : projectId, name) }
}

function taken(name: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', `label ${name} already exists`, { status: 409 })
}

function tooBusy(id: number): RegistryError {
  return new RegistryError('UNAVAILABLE', `label ${id} is being changed by many requests: try again`)
}
