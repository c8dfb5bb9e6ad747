// Webhook policies of projects. They come disabled unless told otherwise: what is copied here would be told to their
// receivers as pushed, while the source tells them of the same.

import { isWebhookEvent } from '../events/webhook-events.ts'
import { createPolicy, type Keeping, listPolicies, updatePolicy } from '../events/webhook-policies.ts'
import { authHeaderOf, type PolicyText, type WebhookPolicy } from '../events/webhook-policy.ts'
import { type Fields, flagIn, objectsIn, textIn, textsIn } from './fields.ts'
import type { Import } from './import.ts'
import { differing, settle } from './outcome.ts'
import type { Both } from './projects.ts'

/** @throws HarborApiError */
export async function bringWebhooks(context: Import, { there, here }: Both): Promise<void> {
  const { registry, source, upstreams, origin, actor, report, enableRules } = context
  const keeping: Keeping = { registry, keys: upstreams.keys, origin }
  const present = here ? await listPolicies(registry, here.id) : []
  for (const row of await source.all(`/projects/${there.number}/webhook/policies`)) {
    const wanted = policyIn(row)
    const label = `${there.name} ${wanted.name}`
    const note = (why: string) => report({ kind: 'webhook', name: label, state: 'note', why })
    const found = present.find(({ name }) => name === wanted.name)
    const enabled = enableRules ? wanted.enabled : (found?.enabled ?? false)
    const policy = { ...wanted, enabled }
    const state = await settle(context, {
      kind: 'webhook',
      name: label,
      differences: found && differences(context, policy, found),
      create: () => createPolicy(keeping, here!, policy, {}, actor.principal),
      ...(found ? { change: () => updatePolicy(keeping, here!, found.number, policy, {}) } : {}),
      deed: () => ({ resourceType: 'webhook_policy', resource: wanted.name, projectId: here!.id }),
    })
    const unknown = textsIn(row, 'event_types').filter((event) => !isWebhookEvent(event))
    if (unknown.length > 0) note(`events that are not told here: ${unknown.join(', ')}`)
    if (wanted.enabled && !enabled && state !== 'failed') note('it comes disabled: --enable-rules enables it')
  }
}

function policyIn(row: Fields): PolicyText {
  return {
    name: textIn(row, 'name'),
    description: textIn(row, 'description'),
    enabled: flagIn(row, 'enabled'),
    events: textsIn(row, 'event_types').filter(isWebhookEvent),
    targets: objectsIn(row, 'targets').map((target) => ({
      type: textIn(target, 'type'),
      address: textIn(target, 'address'),
      format: textIn(target, 'payload_format') || (textIn(target, 'type') === 'http' ? 'Default' : ''),
      skipCertVerify: flagIn(target, 'skip_cert_verify'),
      authHeader: textIn(target, 'auth_header'),
    })),
  }
}

/** Headers that log in are compared, and not said. */
function differences({ upstreams }: Import, there: PolicyText, here: WebhookPolicy): string[] {
  const targets = there.targets.map(({ authHeader: _, ...target }) => target)
  const own = here.targets.map(({ type, address, format, skipCertVerify }) => ({
    type,
    address,
    format,
    skipCertVerify,
  }))
  const headers = here.targets.map((target) => authHeaderOf(upstreams.keys, here, target))
  const sameHeaders = there.targets.every(({ authHeader }, at) => authHeader === headers[at])
  return [
    ...differing('the events', there.events.toSorted(), here.events.toSorted()),
    ...differing('the targets', targets, own),
    ...(sameHeaders ? [] : ['a target’s login is another one']),
    ...differing('enabled', there.enabled, here.enabled),
    ...differing('the description', there.description, here.description),
  ]
}
