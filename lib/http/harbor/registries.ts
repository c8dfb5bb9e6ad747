// Other registries: kept by administrators, copied from and to by proxy cache projects and replication.
import { RegistryError } from '../../oci/errors.ts'
import { checkRegistry } from '../../registries/health.ts'
import {
  createRegistry,
  deleteRegistry,
  listRegistries,
  requireHealthy,
  updateRegistry,
} from '../../registries/registries.ts'
import {
  checkedText,
  opened,
  type RegistryText,
  type RemoteRegistry,
  requireRemoteRegistry,
} from '../../registries/remote-registry.ts'
import { type Deed, noted } from '../../registry/audit-log.ts'
import { PROVIDERS, type Provider } from '../../upstream/providers.ts'
import type { HttpResponse } from '../message.ts'
import { answer, created, done } from './answers.ts'
import { type Fields, flagIn, numberIn, objectIn, readFields, textIn } from './body.ts'
import { type HarborCall, type HarborRoute, requireSystem } from './call.ts'
import { listAnswer, type Row } from './lists.ts'
import { numberOf } from './number-in-path.ts'
import { registryView, SHOWN_SECRET } from './registry-view.ts'

export const REGISTRY_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/replication/adapters', run: adapters },
  { method: 'GET', path: '/replication/adapterinfos', run: adapterInfos },
  { method: 'GET', path: '/registries', run: list },
  { method: 'POST', path: '/registries', run: create },
  { method: 'POST', path: '/registries/ping', run: ping },
  { method: 'GET', path: '/registries/{registry}', run: show },
  { method: 'PUT', path: '/registries/{registry}', run: change },
  { method: 'DELETE', path: '/registries/{registry}', run: remove },
  { method: 'GET', path: '/registries/{registry}/info', run: info },
]

const SECRET_LIMIT = 16 * 1024
const CA_LIMIT = 64 * 1024

async function adapters(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'replication-adapter', 'list')
  return answer(
    200,
    PROVIDERS.map(({ type }) => type),
  )
}

async function adapterInfos(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'replication-adapter', 'list')
  return answer(200, Object.fromEntries(PROVIDERS.map((each) => [each.type, providerView(each)])))
}

const ENDPOINTS = {
  standard: 'EndpointPatternTypeStandard',
  fix: 'EndpointPatternTypeFix',
  list: 'EndpointPatternTypeList',
}

function providerView({ endpoints, credential }: Provider): Row {
  return {
    endpoint_pattern: { endpoint_type: ENDPOINTS[endpoints.type], endpoints: endpoints.choices },
    ...(credential
      ? {
          credential_pattern: {
            access_key_type: 'AccessKeyTypeFix',
            access_key_data: credential.accessKey,
            access_secret_type:
              credential.secret === 'file' ? 'AccessSecretTypeFile' : 'AccessSecretTypePass',
            access_secret_data: '',
          },
        }
      : {}),
  }
}

async function list(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'registry', 'list')
  const name = call.request.query.get('name') || ''
  const found = await listRegistries(call.registry)
  return listAnswer(call.request, found.filter((each) => each.name.includes(name)).map(registryView))
}

async function create(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'registry', 'create')
  const fields = await readFields(call.request)
  const credential = objectIn(fields, 'credential')
  const made = await createRegistry(call.registry, call.upstreams, {
    name: textIn(fields, 'name'),
    description: textIn(fields, 'description', 4096),
    type: textIn(fields, 'type'),
    url: textIn(fields, 'url', 4096),
    insecure: flagIn(fields, 'insecure') ?? false,
    caCertificate: textIn(fields, 'ca_certificate', CA_LIMIT),
    credentialType: textIn(credential, 'type'),
    accessKey: textIn(credential, 'access_key', SECRET_LIMIT),
    accessSecret: textIn(credential, 'access_secret', SECRET_LIMIT),
  })
  await note(call, 'create', made)
  return created(`/registries/${made.id}`)
}

async function show(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'registry', 'read')
  return answer(200, registryView(await requireRemoteRegistry(call.registry, numberOf(call, 'registry'))))
}

async function change(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'registry', 'update')
  const id = numberOf(call, 'registry')
  const fields = await readFields(call.request)
  await note(call, 'update', await updateRegistry(call.registry, call.upstreams, id, givenIn(fields)))
  return done()
}

async function remove(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'registry', 'delete')
  await note(call, 'delete', await deleteRegistry(call.registry, numberOf(call, 'registry')))
  return done()
}

/** A stored registry is looked at where it is: its secret goes to no other address because somebody asks so. */
async function ping(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'registry', 'read')
  const fields = await readFields(call.request)
  const { registry, upstreams } = call
  const id = numberIn(fields, 'id')
  const type = fields.type === undefined ? {} : { type: textIn(fields, 'type') }
  if (id === undefined) {
    await requireHealthy(upstreams, checkedText({ ...UNNAMED, ...givenIn(fields), ...type }))
    return done()
  }
  const remote = await requireRemoteRegistry(registry, id)
  const { accessKey, accessSecret, credentialType } = givenIn(fields)
  const given = Object.entries({ accessKey, accessSecret, credentialType, ...type })
  const other = Object.fromEntries(given.filter(([, value]) => value !== undefined))
  if (Object.keys(other).length > 0) {
    await requireHealthy(upstreams, checkedText({ ...opened(upstreams.keys, remote), ...other }))
    return done()
  }
  const reason = await checkRegistry(registry, upstreams, remote)
  if (reason !== undefined) throw new RegistryError('REQUEST_INVALID', `the registry is unhealthy: ${reason}`)
  return done()
}

const UNNAMED: RegistryText = {
  name: 'ping',
  description: '',
  type: '',
  url: '',
  insecure: false,
  caCertificate: '',
  credentialType: '',
  accessKey: '',
  accessSecret: '',
}

async function info(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'registry', 'read')
  const { type } = await requireRemoteRegistry(call.registry, numberOf(call, 'registry'))
  return answer(200, {
    type,
    description: PROVIDERS.find((each) => each.type === type)?.description ?? '',
    supported_resource_filters: [
      { type: 'name', style: 'input' },
      { type: 'tag', style: 'input' },
      { type: 'resource', style: 'radio', values: ['image', 'artifact'] },
    ],
    supported_triggers: ['manual', 'scheduled'],
    supported_copy_by_chunk: true,
  })
}

/** What of a body is there to be changed. */
function givenIn(fields: Fields): Partial<Omit<RegistryText, 'type'>> {
  const text = (field: string, name: keyof RegistryText, limit = 4096) =>
    fields[field] === undefined || fields[field] === null ? {} : { [name]: textIn(fields, field, limit) }
  const insecure = flagIn(fields, 'insecure')
  return {
    ...text('name', 'name'),
    ...text('description', 'description'),
    ...text('url', 'url'),
    ...text('ca_certificate', 'caCertificate', CA_LIMIT),
    ...text('credential_type', 'credentialType'),
    ...text('access_key', 'accessKey', SECRET_LIMIT),
    // What is shown of a secret, sent back, is no change of it.
    ...(fields.access_secret === SHOWN_SECRET ? {} : text('access_secret', 'accessSecret', SECRET_LIMIT)),
    ...(insecure === undefined ? {} : { insecure }),
  }
}

async function note(call: HarborCall, operation: Deed['operation'], { name }: RemoteRegistry): Promise<void> {
  await noted(call, { operation, resourceType: 'registry', resource: name })
}
