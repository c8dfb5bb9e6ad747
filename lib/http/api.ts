// The OCI distribution API: routes to verbs.
import type { Access, Caller, ResourceActions } from '../access/access.ts'
import type { Jobs } from '../jobs/executions.ts'
import { RegistryError } from '../oci/errors.ts'
import { isName } from '../oci/reference.ts'
import { parseRoute, type Route } from '../oci/routes.ts'
import type { Mirrors } from '../proxy/mirrors.ts'
import type { ProxyCache } from '../proxy/proxy-cache.ts'
import type { Upstreams } from '../registries/upstreams.ts'
import type { Recorder } from '../registry/recorder.ts'
import type { Actor, Registry } from '../registry/registry.ts'
import type { SessionKeys } from '../registry/session-token.ts'
import { deleteBlobRequest, readBlob } from './blobs.ts'
import { methodNotAllowed } from './errors.ts'
import { listCatalogRequest, listReferrersRequest, listTagsRequest } from './lists.ts'
import { deleteManifestRequest, readManifestRequest, writeManifest } from './manifests.ts'
import { type HttpRequest, type HttpResponse, json } from './message.ts'
import { answerMirrored } from './mirrored.ts'
import { useUpload } from './upload-sessions.ts'
import { openUpload } from './uploads.ts'

export interface Api {
  registry: Registry
  access: Access
  recorder: Recorder
  upstreams: Upstreams
  proxy: ProxyCache
  mirrors: Mirrors
  jobs: Jobs
  /** Read anew at each use: keys are rotated while requests are under way. */
  secrets: { readonly sessionKeys: SessionKeys }
  /** PEM of the private authority that signed our certificate, where there is one. Read anew at each use. */
  authority?(): string | undefined
  /** Harbor's API, where it is served: the function that serves images does not carry it. */
  management?: ManagementApi
}

/** @param onError told of what was thrown, and answered */
export type ManagementApi = (
  api: Api,
  request: HttpRequest,
  onError: (error: unknown) => void,
) => Promise<HttpResponse>

/** One request that was routed and let in. */
export interface Call extends Api {
  request: HttpRequest
  caller: Caller
  actor: Actor
}

type Verb = (call: Call) => Promise<HttpResponse>

/** @returns undefined when the path is not one of `/v2` */
export async function handleApi(api: Api, request: HttpRequest): Promise<HttpResponse | undefined> {
  if (request.path !== '/v2' && !request.path.startsWith('/v2/')) return undefined
  const route = routeOf(request)
  if (!route)
    throw new RegistryError('NOT_FOUND', `${request.path.slice(0, 200)} is no endpoint of this registry`)
  const response = await answer(api, request, route)
  response.headers['Docker-Distribution-API-Version'] = 'registry/2.0'
  return response
}

/** A tag that cannot exist is simply not there for whoever reads; only a push is told the grammar. */
function routeOf(request: HttpRequest): Route | undefined {
  try {
    return parseRoute(request.path)
  } catch (error) {
    const asksForTag =
      error instanceof RegistryError && error.code === 'TAG_INVALID' && request.method !== 'PUT'
    throw asksForTag ? new RegistryError('MANIFEST_UNKNOWN', error.message) : error
  }
}

async function answer(api: Api, request: HttpRequest, route: Route): Promise<HttpResponse> {
  // Judged by its session token alone: a Bearer token may expire in the middle of an upload.
  if (route.kind === 'upload') return useUpload(api, request, route.name, route.session)
  if ('name' in route && (request.method === 'GET' || request.method === 'HEAD'))
    return answerMirrored(api.mirrors, request, route.name, (name, mirrored) =>
      run(api, request, { ...route, name }, mirrored),
    )
  return run(api, request, route, false)
}

/** @param mirrored the client's token is for the name it knows, so it may do what everybody may besides */
async function run(
  api: Api,
  request: HttpRequest,
  route: Exclude<Route, { kind: 'upload' }>,
  mirrored: boolean,
): Promise<HttpResponse> {
  const verbs = verbsOf(route)
  const verb = verbs[request.method]
  if (!verb) throw methodNotAllowed(request.method, Object.keys(verbs))
  const { authorization } = request.headers
  const authorize = (given: string | undefined) =>
    api.access.authorize(
      { authorization: given, address: request.address },
      `${request.origin}/service/token`,
      verb.needs,
      mountSource(request),
    )
  const caller = await authorize(authorization).catch((error) => {
    if (!mirrored || authorization === undefined) throw error
    return authorize(undefined)
  })
  const actor = { principal: caller.principal, requestId: request.id }
  return verb.run({ ...api, request, caller, actor })
}

/** A mount reads its source, so the challenge asks for that too; without it the client just uploads. */
function mountSource({ method, query }: HttpRequest): ResourceActions[] {
  const from = query.get('from')
  if (method !== 'POST' || !from || !query.has('mount') || !isName(from)) return []
  return repository(from, 'pull')
}

interface GuardedVerb {
  needs: ResourceActions[]
  run: Verb
}

function verbsOf(route: Exclude<Route, { kind: 'upload' }>): Record<string, GuardedVerb> {
  if (route.kind === 'base') return reading([], async () => json(200, {}))
  if (route.kind === 'catalog') {
    const needs = [{ type: 'registry', name: 'catalog', actions: ['*'] }]
    return reading(needs, listCatalogRequest)
  }
  const { name } = route
  const pull = repository(name, 'pull')
  if (route.kind === 'tags') return reading(pull, (call) => listTagsRequest(call, name))
  if (route.kind === 'referrers')
    return reading(pull, (call) => listReferrersRequest(call, name, route.digest))
  if (route.kind === 'uploads')
    return { POST: { needs: repository(name, 'pull', 'push'), run: (call) => openUpload(call, name) } }
  if (route.kind === 'blob')
    return {
      ...reading(pull, (call) => readBlob(call, name, route.digest)),
      DELETE: {
        needs: repository(name, 'delete'),
        run: (call) => deleteBlobRequest(call, name, route.digest),
      },
    }
  return {
    ...reading(pull, (call) => readManifestRequest(call, name, route.reference)),
    PUT: {
      needs: repository(name, 'pull', 'push'),
      run: (call) => writeManifest(call, name, route.reference),
    },
    DELETE: {
      needs: repository(name, 'delete'),
      run: (call) => deleteManifestRequest(call, name, route.reference),
    },
  }
}

function reading(needs: ResourceActions[], run: Verb): Record<string, GuardedVerb> {
  return { GET: { needs, run }, HEAD: { needs, run } }
}

function repository(name: string, ...actions: string[]): ResourceActions[] {
  return [{ type: 'repository', name, actions }]
}
