// Harbor's REST API v2.0 (goharbor/harbor api/v2.0/swagger.yaml, v2.14): routes to handlers.
import { OCI_ERRORS, RegistryError } from '../../oci/errors.ts'
import type { Api } from '../api.ts'
import { methodNotAllowed } from '../errors.ts'
import type { HttpRequest, HttpResponse } from '../message.ts'
import { answer } from './answers.ts'
import { answerSession, bySession, withCsrfToken } from './browser-session.ts'
import type { HarborCall } from './call.ts'
import { type MatchedRoute, matchRoute } from './router.ts'

const BASE = '/api/v2.0'

/** Errors too are answered as Harbor does. @param onError told what was thrown */
export async function handleHarbor(
  api: Api,
  request: HttpRequest,
  onError: (error: unknown) => void,
): Promise<HttpResponse> {
  try {
    return await route(api, request)
  } catch (error) {
    onError(error)
    return renderHarborError(error, request.id)
  }
}

async function route(api: Api, request: HttpRequest): Promise<HttpResponse> {
  const path = request.path.replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1')
  if (path.startsWith('/c/')) return answerSession(api, { ...request, path })
  if (path === '/api/version') return answer(200, { version: 'v2.0' })
  if (!path.startsWith(`${BASE}/`)) throw noEndpoint(path)
  const matched = matchRoute(request.method, path.slice(BASE.length))
  if (!matched) throw noEndpoint(path)
  if ('allowed' in matched) throw methodNotAllowed(request.method, matched.allowed)
  return run(api, request, matched)
}

async function run(api: Api, request: HttpRequest, { route, params }: MatchedRoute): Promise<HttpResponse> {
  const { authorization } = request.headers
  const session = authorization === undefined ? await bySession(api, request) : undefined
  const principal = session ?? (await api.access.authenticate({ authorization, address: request.address }))
  const actor = { principal: principal.name, requestId: request.id }
  const { registry, recorder, access, jobs, upstreams } = api
  const authority = api.authority?.()
  const services = { registry, recorder, access, authority, jobs, upstreams }
  const call: HarborCall = { ...services, request, principal, actor, params }
  const response = await route.run(call)
  return session ? withCsrfToken(response, request) : response
}

function noEndpoint(path: string): RegistryError {
  return new RegistryError('NOT_FOUND', `${path.slice(0, 200)} is no endpoint of this API`)
}

/** By status: what Harbor calls an error of that kind. */
const CODES: Record<number, string> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  409: 'CONFLICT',
  412: 'PRECONDITION',
  413: 'REQUEST_ENTITY_TOO_LARGE',
  422: 'UNPROCESSABLE_ENTITY',
  429: 'TOO_MANY_REQUEST',
}

function renderHarborError(error: unknown, requestId: string): HttpResponse {
  const known = error instanceof RegistryError && error.status < 500 ? error : undefined
  if (!known) {
    const status = error instanceof RegistryError ? error.status : OCI_ERRORS.UNKNOWN.status
    const message = `internal server error: look for request ${requestId} in the registry’s log`
    return answer(status, { errors: [{ code: 'UNKNOWN', message }] })
  }
  const code = CODES[known.status] ?? 'BAD_REQUEST'
  return answer(known.status, { errors: [{ code, message: known.message }] }, known.headers)
}
