// Whether we are well, who we are, and how much there is: what clients ask before anything else.
import { RegistryError } from '../../oci/errors.ts'
import { readConfiguration } from '../../registry/configuration.ts'
import type { HttpResponse } from '../message.ts'
import { answer, time } from './answers.ts'
import { type HarborCall, type HarborRoute, requireSystem } from './call.ts'

/** The version of Harbor whose API this is; clients read the first numbers only. */
export const HARBOR_VERSION = 'v2.14.0-entrepot'

export const SYSTEM_ROUTES: HarborRoute[] = [
  {
    method: 'GET',
    path: '/ping',
    run: async () => ({ status: 200, headers: { 'Content-Type': 'text/plain' }, body: 'Pong' }),
  },
  { method: 'GET', path: '/health', run: health },
  { method: 'GET', path: '/systeminfo', run: systemInfo },
  { method: 'GET', path: '/systeminfo/volumes', run: volumes },
  { method: 'GET', path: '/systeminfo/getcert', run: certificate },
]

/** The parts that can fail by themselves; reading the configuration shows that the metadata can be read. */
async function health({ registry }: HarborCall): Promise<HttpResponse> {
  const metadata = await readConfiguration(registry).then(
    () => 'healthy',
    () => 'unhealthy',
  )
  const components = [
    { name: 'core', status: 'healthy' },
    { name: 'database', status: metadata },
    { name: 'registry', status: 'healthy' },
  ]
  return answer(200, { status: metadata, components })
}

async function systemInfo({ registry, request, principal, authority }: HarborCall): Promise<HttpResponse> {
  const settings = await readConfiguration(registry)
  const everybody = {
    auth_mode: settings.auth_mode,
    primary_auth_mode: settings.primary_auth_mode,
    self_registration: settings.self_registration,
    banner_message: settings.banner_message,
    oidc_provider_name: settings.oidc_name,
  }
  if (principal.kind === 'anonymous') return answer(200, everybody)
  return answer(200, {
    ...everybody,
    harbor_version: HARBOR_VERSION,
    registry_url: request.origin.replace(/^https?:\/\//, ''),
    external_url: request.origin,
    project_creation_restriction: settings.project_creation_restriction,
    read_only: settings.read_only,
    has_ca_root: authority !== undefined,
    notification_enable: settings.notification_enable,
    registry_storage_provider_name: 'entrepot',
    current_time: time(registry.clock.nowMs()),
  })
}

/** Storage grows as it is used: there is no total to tell, and Harbor’s clients take 0 for unknown. */
async function volumes(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'system-volumes', 'read')
  return answer(200, { storage: [{ total: 0, free: 0 }] })
}

/** For everybody: whoever is to trust it has no way to log in yet. */
async function certificate({ authority }: HarborCall): Promise<HttpResponse> {
  if (authority === undefined)
    throw new RegistryError('NOT_FOUND', 'there is no root certificate to download: the system’s are enough')
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': 'attachment; filename=ca.crt',
    'X-Content-Type-Options': 'nosniff',
  }
  return { status: 200, headers, body: authority }
}
