// Keeping webhook policies: made, listed, changed, deleted; and what a project has told at all for their sake.
import type { SealingKeys } from '../access/sealing.ts'
import { RegistryError } from '../oci/errors.ts'
import { changeItem } from '../registry/change-item.ts'
import { keys, partitions } from '../registry/keys.ts'
import { nextNumber } from '../registry/numbers.ts'
import { pagesOf } from '../registry/partitions.ts'
import type { Attributes, Item, Write } from '../registry/ports.ts'
import type { Project } from '../registry/projects.ts'
import type { Registry } from '../registry/registry.ts'
import { noticesFor, type WebhookEvent } from './webhook-events.ts'
import {
  checkedOptions,
  checkedPolicy,
  type PolicyOptions,
  type PolicyText,
  sealedSecret,
  sealedTarget,
  type WebhookPolicy,
} from './webhook-policy.ts'

/** They are read whole for each event. */
const POLICIES_LIMIT = 50

/** Who keeps a policy, and how the registry was addressed. */
export interface Keeping {
  registry: Registry
  keys: SealingKeys
  origin: string
}

/** @throws REQUEST_INVALID; CONFLICT when the project has a policy of that name */
export async function createPolicy(
  { registry, keys: sealing, origin }: Keeping,
  project: Project,
  given: PolicyText,
  options: Partial<PolicyOptions>,
  creator: string,
): Promise<WebhookPolicy> {
  const { targets, ...checked } = checkedPolicy(given)
  const { repositoryFilter = '', tagFilter = '', secret = '' } = checkedOptions(options)
  const { length } = await listPolicies(registry, project.id)
  if (length >= POLICIES_LIMIT)
    throw new RegistryError('REQUEST_INVALID', `a project has at most ${POLICIES_LIMIT} webhook policies`)
  const number = await nextNumber(registry, 'webhook-policy')
  const now = registry.clock.nowMs()
  const policy: WebhookPolicy = {
    ...checked,
    number,
    projectId: project.id,
    targets: targets.map((target) => sealedTarget(sealing, target, number)),
    repositoryFilter,
    tagFilter,
    sealedSecret: sealedSecret(sealing, secret, number),
    creator,
    origin,
    createdAtMs: now,
    updatedAtMs: now,
  }
  const attributes = { v: 1, gen: registry.newId(), ...policy } as unknown as Attributes
  const outcome = await registry.metadata.transact([
    { kind: 'put', if: { kind: 'absent' }, item: { ...keys.webhookPolicy(project.id, number), attributes } },
    nameWrite(policy),
  ])
  if (!outcome.ok) throw taken(policy.name)
  await askForNotices(registry, project)
  return policy
}

/** In the order they were made. */
export async function listPolicies(registry: Registry, projectId: string): Promise<WebhookPolicy[]> {
  const found: WebhookPolicy[] = []
  for await (const page of pagesOf(registry.metadata, { pk: partitions.webhookPolicies(projectId) }))
    found.push(...page.map(policyIn))
  return found
}

export async function findPolicy(
  registry: Registry,
  projectId: string,
  number: number,
): Promise<WebhookPolicy | undefined> {
  const item = await registry.metadata.get(keys.webhookPolicy(projectId, number))
  return item && policyIn(item)
}

/** @throws NOT_FOUND */
export async function requirePolicy(
  registry: Registry,
  project: Project,
  number: number,
): Promise<WebhookPolicy> {
  const policy = await findPolicy(registry, project.id, number)
  if (!policy) throw unknownPolicy(number)
  return policy
}

/**
 * Everything Harbor's policies have is replaced; options that are not given stay as they are.
 * @throws REQUEST_INVALID, NOT_FOUND, CONFLICT
 */
export async function updatePolicy(
  { registry, keys: sealing, origin }: Keeping,
  project: Project,
  number: number,
  given: PolicyText,
  options: Partial<PolicyOptions>,
): Promise<WebhookPolicy> {
  const { targets, ...checked } = checkedPolicy(given)
  const change = {
    ...checked,
    targets: targets.map((target) => sealedTarget(sealing, target, number)),
    ...optionsChange(sealing, number, options),
    origin,
  }
  return changePolicy(registry, project, number, change)
}

/** @throws REQUEST_INVALID, NOT_FOUND */
export async function setOptions(
  { registry, keys: sealing }: Keeping,
  project: Project,
  number: number,
  options: Partial<PolicyOptions>,
): Promise<WebhookPolicy> {
  return changePolicy(registry, project, number, optionsChange(sealing, number, options))
}

function optionsChange(
  sealing: SealingKeys,
  number: number,
  options: Partial<PolicyOptions>,
): Partial<WebhookPolicy> {
  const { secret, ...filters } = checkedOptions(options)
  return {
    ...filters,
    ...(secret === undefined ? {} : { sealedSecret: sealedSecret(sealing, secret, number) }),
  }
}

async function changePolicy(
  registry: Registry,
  project: Project,
  number: number,
  change: Partial<WebhookPolicy>,
): Promise<WebhookPolicy> {
  const updatedAtMs = registry.clock.nowMs()
  try {
    const item = await changeItem(
      registry,
      keys.webhookPolicy(project.id, number),
      (before) => ({ ...before, ...(change as unknown as Attributes), updatedAtMs }),
      (after, before) =>
        after.name === before.name
          ? []
          : [
              nameWrite(after as unknown as WebhookPolicy),
              { kind: 'delete', key: keys.webhookName(project.id, before.name as string) },
            ],
    )
    if (!item) throw unknownPolicy(number)
    await askForNotices(registry, project)
    return policyIn(item)
  } catch (error) {
    throw error instanceof RegistryError && error.code === 'CONFLICT' ? taken(change.name ?? '') : error
  }
}

/** What of it waits to be delivered is not any more. @throws NOT_FOUND */
export async function deletePolicy(
  registry: Registry,
  project: Project,
  number: number,
): Promise<WebhookPolicy> {
  const policy = await requirePolicy(registry, project, number)
  const triggers = await registry.metadata.query({ pk: partitions.webhookTriggers(number), limit: 100 })
  await registry.metadata.transact([
    { kind: 'delete', key: keys.webhookPolicy(project.id, number) },
    { kind: 'delete', key: keys.webhookName(project.id, policy.name) },
  ])
  await registry.metadata.batchWrite(triggers.map(({ pk, sk }) => ({ kind: 'delete', key: { pk, sk } })))
  await askForNotices(registry, project)
  return policy
}

/** When each kind of event last triggered the policy. */
export async function lastTriggers(registry: Registry, number: number): Promise<Map<WebhookEvent, number>> {
  const items = await registry.metadata.query({ pk: partitions.webhookTriggers(number), limit: 100 })
  return new Map(items.map(({ sk, attributes }) => [sk as WebhookEvent, attributes.atMs as number]))
}

/** Has the project tell what any of its policies wants to know. Read again for each attempt, so that the last one is right. */
async function askForNotices(registry: Registry, { id, name }: Project): Promise<void> {
  await changeItem(registry, keys.project(name), async (before) => {
    if (before.id !== id) return undefined
    const policies = (await listPolicies(registry, id)).filter(({ enabled }) => enabled)
    const notices = noticesFor(policies.flatMap(({ events }) => events))
    return JSON.stringify(before.notices ?? []) === JSON.stringify(notices)
      ? undefined
      : { ...before, notices }
  })
}

function nameWrite({ projectId, name, number }: WebhookPolicy): Write {
  const item = { ...keys.webhookName(projectId, name), attributes: { v: 1, number } }
  return { kind: 'put', if: { kind: 'absent' }, item }
}

function policyIn(item: Item): WebhookPolicy {
  const { v: _, gen: __, ...policy } = item.attributes
  return policy as unknown as WebhookPolicy
}

function unknownPolicy(number: number): RegistryError {
  return new RegistryError('NOT_FOUND', `webhook policy ${number} not found`)
}

function taken(name: string): RegistryError {
  return new RegistryError('CONFLICT', `notification policy named ${name} already exists`)
}
