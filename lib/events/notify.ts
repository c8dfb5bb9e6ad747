// Webhooks: an event becomes one execution for each target of each policy that wants it, however often it is told.
import type { Vendor } from '../jobs/execution.ts'
import { type Jobs, startExecution } from '../jobs/executions.ts'
import { readConfiguration } from '../registry/configuration.ts'
import { keys } from '../registry/keys.ts'
import type { Attributes } from '../registry/ports.ts'
import { findProject, type Project } from '../registry/projects.ts'
import { epochSeconds, type Registry } from '../registry/registry.ts'
import { countedBytes } from '../registry/usage.ts'
import { bodyFor } from './bodies.ts'
import { deliveryOf } from './delivery.ts'
import type { RegistryEvent, Subscriber } from './event.ts'
import { contextOf, type EventContext, notificationOf, quotaWarning } from './notification.ts'
import { type WebhookEvent, webhookEventsOf } from './webhook-events.ts'
import { listPolicies } from './webhook-policies.ts'
import { passesFilters, type WebhookPolicy, type WebhookTarget } from './webhook-policy.ts'

/** An event stays in the outbox while it cannot be relayed: for so long it is known that it was handed on. */
const REMEMBERED_SECONDS = 30 * 86_400
/** Of the quota, as in Harbor. */
const WARNING_PERCENT = 85

/** One read for an event of a project without policies. */
export function webhooks(jobs: Jobs): Subscriber {
  return async (event) => {
    const kinds = webhookEventsOf(event)
    if (kinds.length === 0) return
    const { registry } = jobs
    const policies = (await listPolicies(registry, event.projectId)).filter(
      ({ enabled, events }) => enabled && kinds.some((kind) => events.includes(kind)),
    )
    if (policies.length === 0 || !(await readConfiguration(registry)).notification_enable) return
    const project = await findProject(registry, event.project)
    if (project?.id !== event.projectId) return
    const context = await contextOf(registry, project, event)
    for (const kind of kinds) await notify(jobs, kind, context, policies)
  }
}

async function notify(
  jobs: Jobs,
  kind: WebhookEvent,
  context: EventContext,
  policies: WebhookPolicy[],
): Promise<void> {
  const wanting = policies.filter(({ events }) => events.includes(kind))
  if (wanting.length === 0) return
  const details = await detailsOf(jobs.registry, kind, context)
  if (!details) return
  for (const policy of wanting) {
    const resources = resourcesFor(policy, context)
    if (!resources) continue
    const notification = notificationOf(kind, context, resources, policy, details)
    for (const [index, target] of policy.targets.entries()) {
      const { contentType, text } = bodyFor(target, notification)
      const delivery = deliveryOf(policy, index, kind, { contentType, text })
      const extra = { event_type: kind, payload: text }
      await begin(jobs, policy, target, index, `${context.event.id}#${kind}`, extra, delivery)
    }
    await noteTrigger(jobs.registry, policy, kind, context.event)
  }
}

/** @returns undefined when there is nothing to tell after all */
async function detailsOf(
  registry: Registry,
  kind: WebhookEvent,
  { event, project }: EventContext,
): Promise<Attributes | undefined> {
  if (kind !== 'QUOTA_WARNING') return event.details
  return warningOf(registry, project)
}

async function warningOf(registry: Registry, { id, quotaBytes }: Project): Promise<Attributes | undefined> {
  if (quotaBytes < 0) return undefined
  const used = await countedBytes(registry, id)
  return used * 100 < quotaBytes * WARNING_PERCENT
    ? undefined
    : quotaWarning(used, quotaBytes, WARNING_PERCENT)
}

/** Filters are about artifacts: what a whole project is told of passes them. @returns undefined when none passes */
function resourcesFor(
  policy: WebhookPolicy,
  { event, resources }: EventContext,
): EventContext['resources'] | undefined {
  const name = event.repository.slice(event.project.length + 1)
  if (name === '') return resources
  if (resources.length === 0) return passesFilters(policy, name, event.tags) ? resources : undefined
  const passing = resources.filter(({ tag }) => passesFilters(policy, name, tag === undefined ? [] : [tag]))
  return passing.length > 0 ? passing : undefined
}

async function begin(
  jobs: Jobs,
  policy: WebhookPolicy,
  target: WebhookTarget,
  index: number,
  event: string,
  extra: Attributes,
  payload: Attributes,
): Promise<void> {
  const expiresAtEpochSeconds = epochSeconds(jobs.registry) + REMEMBERED_SECONDS
  const marker = {
    ...keys.webhookDelivery(event, policy.number, index),
    attributes: { v: 1 },
    expiresAtEpochSeconds,
  }
  if (await jobs.registry.metadata.get(marker)) return
  await startExecution(
    jobs,
    { vendor: vendorOf(target), rule: policy.number, trigger: 'EVENT', extra },
    [{ payload, extra: { event_type: extra.event_type! }, target: `${policy.number}-${index}` }],
    [{ kind: 'put', if: { kind: 'absent' }, item: marker }],
  )
}

function vendorOf({ type }: WebhookTarget): Vendor {
  return type === 'slack' ? 'SLACK' : 'WEBHOOK'
}

async function noteTrigger(
  registry: Registry,
  { number }: WebhookPolicy,
  kind: WebhookEvent,
  { atMs }: RegistryEvent,
): Promise<void> {
  const item = { ...keys.webhookTrigger(number, kind), attributes: { v: 1, atMs } }
  await registry.metadata.batchWrite([{ kind: 'put', item }])
}
