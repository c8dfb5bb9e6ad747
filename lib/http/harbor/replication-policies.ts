// Replication policies: rules that copy between this registry and another one.
import { RegistryError } from '../../oci/errors.ts'
import { listRegistries } from '../../registries/registries.ts'
import { type RemoteRegistry, requireRemoteRegistry } from '../../registries/remote-registry.ts'
import { type Deed, noted } from '../../registry/audit-log.ts'
import { createPolicy, deletePolicy, listPolicies, updatePolicy } from '../../replication/policies.ts'
import {
  type FilterType,
  type PolicyFilter,
  type PolicyText,
  type PolicyTrigger,
  type ReplicationPolicy,
  requirePolicy,
} from '../../replication/policy.ts'
import type { HttpResponse } from '../message.ts'
import { answer, created, done, time } from './answers.ts'
import { type Fields, flagIn, numberIn, objectIn, objectsIn, readFields, textIn } from './body.ts'
import { type HarborCall, type HarborRoute, requireSystem } from './call.ts'
import { listAnswer, type Row } from './lists.ts'
import { numberOf } from './number-in-path.ts'
import { registryView } from './registry-view.ts'

export const REPLICATION_POLICY_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/replication/policies', run: list },
  { method: 'POST', path: '/replication/policies', run: create },
  { method: 'GET', path: '/replication/policies/{policy}', run: show },
  { method: 'PUT', path: '/replication/policies/{policy}', run: change },
  { method: 'DELETE', path: '/replication/policies/{policy}', run: remove },
]

const RESOURCE = 'replication-policy'
const FILTERS_LIMIT = 100

async function list(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'list')
  const name = call.request.query.get('name') ?? ''
  const registries = new Map((await listRegistries(call.registry)).map((each) => [each.id, each]))
  const policies = (await listPolicies(call.registry)).filter((each) => each.name.includes(name))
  return listAnswer(
    call.request,
    policies.map((each) => view(call, each, registries.get(each.registryId))),
  )
}

async function show(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'read')
  const policy = await requirePolicy(call.registry, numberOf(call, 'policy'))
  return answer(200, view(call, policy, await requireRemoteRegistry(call.registry, policy.registryId)))
}

async function create(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'create')
  const { registry, actor, request } = call
  const given = policyTextIn(await readFields(request))
  const made = await createPolicy(registry, given, { creator: actor.principal, ownUrl: request.origin })
  await note(call, 'create', made)
  return created(`/replication/policies/${made.id}`)
}

async function change(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'update')
  const id = numberOf(call, 'policy')
  const given = policyTextIn(await readFields(call.request))
  await note(call, 'update', await updatePolicy(call.registry, id, given, call.request.origin))
  return done()
}

async function remove(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'delete')
  await note(call, 'delete', await deletePolicy(call.registry, numberOf(call, 'policy')))
  return done()
}

async function note(
  call: HarborCall,
  operation: Deed['operation'],
  { name }: ReplicationPolicy,
): Promise<void> {
  await noted(call, { operation, resourceType: 'replication', resource: name })
}

function policyTextIn(fields: Fields): PolicyText {
  const source = numberIn(objectIn(fields, 'src_registry'), 'id') ?? 0
  const destination = numberIn(objectIn(fields, 'dest_registry'), 'id') ?? 0
  if (source > 0 === destination > 0)
    throw new RegistryError(
      'REQUEST_INVALID',
      "either src_registry or dest_registry should be empty and the other one shouldn't be empty",
    )
  const trigger = objectIn(fields, 'trigger')
  return {
    name: textIn(fields, 'name'),
    description: textIn(fields, 'description', 4096),
    direction: destination > 0 ? 'push' : 'pull',
    registryId: destination > 0 ? destination : source,
    namespace: textIn(fields, 'dest_namespace'),
    replaceCount: numberIn(fields, 'dest_namespace_replace_count') ?? -1,
    trigger: (textIn(trigger, 'type') || 'manual') as PolicyTrigger,
    cron: textIn(objectIn(trigger, 'trigger_settings'), 'cron'),
    filters: objectsIn(fields, 'filters', FILTERS_LIMIT).map(filterIn),
    override: flagIn(fields, 'override') ?? false,
    deletion: (flagIn(fields, 'replicate_deletion') || flagIn(fields, 'deletion')) ?? false,
    enabled: flagIn(fields, 'enabled') ?? false,
    speed: numberIn(fields, 'speed') ?? 0,
    copyByChunk: flagIn(fields, 'copy_by_chunk') ?? false,
    singleActive: flagIn(fields, 'single_active_replication') ?? false,
  }
}

/** What is wrong with a filter is said where it is checked. */
function filterIn(fields: Fields): PolicyFilter {
  const { value } = fields
  const isList = Array.isArray(value) && value.every((each) => typeof each === 'string')
  if (typeof value !== 'string' && !isList)
    throw new RegistryError('REQUEST_INVALID', "the type of filter value isn't string")
  return {
    type: textIn(fields, 'type') as FilterType,
    value: value as string | string[],
    decoration: textIn(fields, 'decoration') as PolicyFilter['decoration'],
  }
}

function view(call: HarborCall, policy: ReplicationPolicy, remote: RemoteRegistry | undefined): Row {
  const here = { id: 0, name: 'Local', type: 'harbor', url: call.request.origin, status: 'healthy' }
  const there = remote ? registryView(remote) : { id: policy.registryId }
  const push = policy.direction === 'push'
  return {
    id: policy.id,
    name: policy.name,
    description: policy.description,
    src_registry: push ? here : there,
    dest_registry: push ? there : here,
    dest_namespace: policy.namespace,
    dest_namespace_replace_count: policy.replaceCount,
    trigger: {
      type: policy.trigger,
      trigger_settings: policy.cron === '' ? {} : { cron: policy.cron },
    },
    filters: policy.filters.map(({ decoration, ...filter }) => ({
      ...filter,
      ...(decoration === '' ? {} : { decoration }),
    })),
    replicate_deletion: policy.deletion,
    deletion: policy.deletion,
    override: policy.override,
    enabled: policy.enabled,
    speed: policy.speed,
    copy_by_chunk: policy.copyByChunk,
    single_active_replication: policy.singleActive,
    creation_time: time(policy.createdAtMs),
    update_time: time(policy.updatedAtMs),
  }
}
