// Webhook policies of a project, and what of them Harbor does not have: filters and a secret for signatures.
import { WEBHOOK_EVENTS } from '../../events/webhook-events.ts'
import {
  createPolicy,
  deletePolicy,
  type Keeping,
  lastTriggers,
  listPolicies,
  requirePolicy,
  setOptions,
  updatePolicy,
} from '../../events/webhook-policies.ts'
import {
  authHeaderOf,
  PAYLOAD_FORMATS,
  type PolicyOptions,
  type PolicyText,
  TARGET_TYPES,
  type WebhookPolicy,
} from '../../events/webhook-policy.ts'
import { RegistryError } from '../../oci/errors.ts'
import { type Deed, noted } from '../../registry/audit-log.ts'
import type { Project } from '../../registry/projects.ts'
import type { HttpResponse } from '../message.ts'
import { answer, created, done, time } from './answers.ts'
import { type Fields, flagIn, objectsIn, readFields, textIn } from './body.ts'
import { type HarborCall, type HarborRoute, requireProject } from './call.ts'
import { listAnswer, type Row } from './lists.ts'
import { numberOf } from './number-in-path.ts'

const POLICIES = '/projects/{project}/webhook/policies'
const RESOURCE = 'notification-policy'

export const WEBHOOK_ROUTES: HarborRoute[] = [
  { method: 'GET', path: POLICIES, run: list },
  { method: 'POST', path: POLICIES, run: create },
  { method: 'GET', path: `${POLICIES}/{policy}`, run: show },
  { method: 'PUT', path: `${POLICIES}/{policy}`, run: update },
  { method: 'DELETE', path: `${POLICIES}/{policy}`, run: remove },
  { method: 'GET', path: `${POLICIES}/{policy}/options`, own: 'getWebhookOptions', run: showOptions },
  { method: 'PUT', path: `${POLICIES}/{policy}/options`, own: 'updateWebhookOptions', run: changeOptions },
  { method: 'GET', path: '/projects/{project}/webhook/lasttrigger', run: triggers },
  { method: 'GET', path: '/projects/{project}/webhook/events', run: events },
]

async function list(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, RESOURCE, 'list')
  const policies = await listPolicies(call.registry, project.id)
  // The newest first, as Harbor sorts them.
  const rows = policies.reverse().map((policy) => policyView(call, project, policy))
  return listAnswer(call.request, rows)
}

function policyView({ upstreams }: HarborCall, { number }: Project, policy: WebhookPolicy): Row {
  return {
    id: policy.number,
    name: policy.name,
    description: policy.description,
    project_id: number,
    enabled: policy.enabled,
    event_types: policy.events,
    targets: policy.targets.map((target) => {
      const authHeader = authHeaderOf(upstreams.keys, policy, target)
      return {
        type: target.type,
        address: target.address,
        // Read back, as Harbor does: Terraform compares it.
        ...(authHeader === '' ? {} : { auth_header: authHeader }),
        skip_cert_verify: target.skipCertVerify,
        ...(target.format === '' ? {} : { payload_format: target.format }),
      }
    }),
    creator: policy.creator,
    creation_time: time(policy.createdAtMs),
    update_time: time(policy.updatedAtMs),
  }
}

async function create(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, RESOURCE, 'create')
  const fields = await readFields(call.request)
  const policy = await createPolicy(
    keeping(call),
    project,
    policyIn(fields),
    optionsIn(fields),
    call.principal.name,
  )
  await note(call, 'create', project, policy)
  return created(`/projects/${call.params.project}/webhook/policies/${policy.number}`)
}

/** The address that clients use: payloads name artifacts by it. */
function keeping({ registry, upstreams, request }: HarborCall): Keeping {
  return { registry, keys: upstreams.keys, origin: request.origin }
}

function policyIn(fields: Fields): PolicyText {
  return {
    name: textIn(fields, 'name'),
    description: textIn(fields, 'description', 4096),
    enabled: flagIn(fields, 'enabled') ?? false,
    events: textsIn(fields, 'event_types'),
    targets: objectsIn(fields, 'targets', 100).map((target) => ({
      type: textIn(target, 'type'),
      address: textIn(target, 'address', 4096),
      format: textIn(target, 'payload_format'),
      skipCertVerify: flagIn(target, 'skip_cert_verify') ?? false,
      authHeader: textIn(target, 'auth_header', 8192),
    })),
  }
}

function textsIn(fields: Fields, name: string): string[] {
  const value = fields[name] ?? []
  if (!Array.isArray(value) || value.length > 100 || value.some((each) => typeof each !== 'string'))
    throw new RegistryError('REQUEST_INVALID', `${name} in body must be a list of at most 100 texts`, {
      status: 422,
    })
  return value as string[]
}

/** What of the options is given; empty texts take them away. */
function optionsIn(fields: Fields): Partial<PolicyOptions> {
  return {
    ...given(fields, 'repository_filter', 'repositoryFilter'),
    ...given(fields, 'tag_filter', 'tagFilter'),
    ...given(fields, 'secret', 'secret'),
  }
}

function given(fields: Fields, name: string, as: keyof PolicyOptions): Partial<PolicyOptions> {
  return fields[name] === undefined ? {} : { [as]: textIn(fields, name, 8192) }
}

async function show(call: HarborCall): Promise<HttpResponse> {
  const { project, policy } = await policyOf(call, 'read')
  return answer(200, policyView(call, project, policy))
}

/** The policy of the path, if the caller may do that in its project. @throws as `requireProject`, and NOT_FOUND */
export async function policyOf(
  call: HarborCall,
  action: string,
): Promise<{ project: Project; policy: WebhookPolicy }> {
  const project = await requireProject(call, RESOURCE, action)
  return { project, policy: await requirePolicy(call.registry, project, numberOf(call, 'policy')) }
}

async function update(call: HarborCall): Promise<HttpResponse> {
  const { project, policy } = await policyOf(call, 'update')
  const fields = await readFields(call.request)
  const options = optionsIn(fields)
  await note(
    call,
    'update',
    project,
    await updatePolicy(keeping(call), project, policy.number, policyIn(fields), options),
  )
  return done()
}

async function remove(call: HarborCall): Promise<HttpResponse> {
  const { project, policy } = await policyOf(call, 'delete')
  await note(call, 'delete', project, await deletePolicy(call.registry, project, policy.number))
  return done()
}

async function showOptions(call: HarborCall): Promise<HttpResponse> {
  const { policy } = await policyOf(call, 'read')
  return answer(200, {
    repository_filter: policy.repositoryFilter,
    tag_filter: policy.tagFilter,
    signed: policy.sealedSecret !== '',
  })
}

async function changeOptions(call: HarborCall): Promise<HttpResponse> {
  const { project, policy } = await policyOf(call, 'update')
  const options = optionsIn(await readFields(call.request))
  await note(call, 'update', project, await setOptions(keeping(call), project, policy.number, options))
  return done()
}

async function triggers(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, RESOURCE, 'read')
  const policies = await listPolicies(call.registry, project.id)
  const rows = await Promise.all(
    policies.map(async (policy) => {
      const last = await lastTriggers(call.registry, policy.number)
      return policy.events.map((event) => ({
        policy_name: policy.name,
        event_type: event,
        enabled: policy.enabled,
        creation_time: time(policy.createdAtMs),
        ...(last.has(event) ? { last_trigger_time: time(last.get(event)!) } : {}),
      }))
    }),
  )
  return answer(200, rows.flat())
}

async function events(call: HarborCall): Promise<HttpResponse> {
  await requireProject(call, RESOURCE, 'read')
  return answer(200, {
    event_type: Object.keys(WEBHOOK_EVENTS),
    notify_type: TARGET_TYPES,
    payload_formats: [{ notify_type: 'http', formats: PAYLOAD_FORMATS }],
  })
}

async function note(
  call: HarborCall,
  operation: Deed['operation'],
  { id }: Project,
  { name }: WebhookPolicy,
): Promise<void> {
  await noted(call, { operation, resourceType: 'webhook_policy', resource: name, projectId: id })
}
