// The HTTP core as a function behind API Gateway.
import { createAccess } from '../access/access.ts'
import type { IdentityProvider } from '../access/identity-providers.ts'
import type { Secrets } from '../access/secret-keys.ts'
import { openAwsStores } from '../aws/open-stores.ts'
import { privateNetworks } from '../config/registry-settings.ts'
import type { Api, ManagementApi } from '../http/api.ts'
import { handle } from '../http/application.ts'
import { renderError } from '../http/errors.ts'
import { fromGateway, type GatewayEvent, type GatewayResult, toGateway } from '../http/gateway.ts'
import type { HttpResponse } from '../http/message.ts'
import type { Dispatch } from '../jobs/messages.ts'
import { taskEnded } from '../kinds/ended.ts'
import { createAddressGuard } from '../outbound/address-guard.ts'
import { Mirrors } from '../proxy/mirrors.ts'
import { ProxyCache } from '../proxy/proxy-cache.ts'
import { Upstreams } from '../registries/upstreams.ts'
import { accessRecords } from '../registry/access-records.ts'
import { Recorder } from '../registry/recorder.ts'
import type { Registry } from '../registry/registry.ts'
import { logLine } from './log.ts'
import type { FunctionSettings } from './settings.ts'

export type HttpFunction = (event: GatewayEvent) => Promise<GatewayResult>

/**
 * Opens the stores and reads the keys; nothing else is fetched before the first request.
 * @param parts of the function that serves Harbor's API
 */
export async function openHttpFunction(
  settings: FunctionSettings,
  parts: { management?: ManagementApi; dispatch?: Dispatch | undefined } = {},
): Promise<HttpFunction> {
  const { registry, secrets, providers, ecr } = await openAwsStores(settings.config, { prepared: true })
  const guard = createAddressGuard(privateNetworks(settings.config))
  const upstreams = new Upstreams({ keys: secrets, guard, ...(ecr ? { ecr } : {}) })
  return httpFunction(registry, secrets, settings.config.edge === 'on', {
    providers,
    upstreams,
    ingest: settings.config.ingest === 'on',
    ...parts,
  })
}

/** @param behindEdge requests that do not come through the edge are refused */
export function httpFunction(
  registry: Registry,
  secrets: Secrets,
  behindEdge: boolean,
  parts: {
    providers?: IdentityProvider[] | undefined
    management?: ManagementApi | undefined
    upstreams?: Upstreams
    /** There are tasks to send a client to for what has to be fetched. */
    ingest?: boolean
    dispatch?: Dispatch | undefined
  } = {},
): HttpFunction {
  const recorder = new Recorder(registry, (pull) => logLine({ component: 'pull', ...pull }))
  const access = createAccess({
    registry,
    secrets,
    service: 'entrepot',
    open: false,
    providers: parts.providers ?? [],
    onAccess: accessRecords(recorder),
  })
  const { management, dispatch = noWorkers } = parts
  const { upstreams = new Upstreams({ keys: secrets, guard: createAddressGuard([]) }) } = parts
  const jobs = { registry, dispatch, ended: taskEnded }
  const proxy = new ProxyCache({ registry, upstreams, blobsBy: parts.ingest ? 'ingest' : 'nobody' })
  const api: Api = {
    registry,
    access,
    recorder,
    jobs,
    upstreams,
    proxy,
    mirrors: new Mirrors(registry),
    secrets,
    ...(management ? { management } : {}),
  }

  return async (event) => {
    const response = await answer(api, event, behindEdge ? (secrets.document.origin ?? '') : undefined)
    // The container may be frozen as soon as this returns: what was noted is written now.
    if (proxy.pending) await proxy.flush().catch(() => {}) // lossy
    if (recorder.pending)
      await recorder.flush().catch((error) => logLine({ component: 'recorder', error: String(error) }))
    return toGateway(event, response)
  }
}

/** Functions that serve images begin no jobs. */
const noWorkers: Dispatch = () => Promise.reject(new Error('this function begins no jobs'))

async function answer(api: Api, event: GatewayEvent, edgeSecret: string | undefined): Promise<HttpResponse> {
  try {
    const request = fromGateway(event, edgeSecret)
    return await handle(api, request, (failed, error, expected) => {
      if (!expected) logLine({ component: 'http', requestId: failed.id, error: describe(error) })
    })
  } catch (error) {
    // It came around the edge, or is no event of a gateway.
    const { requestId } = event.requestContext
    const response = renderError(error, requestId)
    return {
      ...response,
      headers: { ...response.headers, 'Cache-Control': 'no-store', 'X-Request-Id': requestId },
    }
  }
}

function describe(error: unknown): string {
  const { stack, cause } = error as Error
  return cause ? `${stack}\ncaused by ${(cause as Error).stack ?? String(cause)}` : (stack ?? String(error))
}
