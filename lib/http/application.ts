// The whole HTTP core: one request in, one answer out, never an exception.
import { RegistryError } from '../oci/errors.ts'
import { type Api, handleApi } from './api.ts'
import { isRefusal, renderError } from './errors.ts'
import { type HttpRequest, type HttpResponse, json } from './message.ts'
import { answerToken } from './token.ts'

/** Told every error that was answered; `expected` ones are the client's. */
export type OnError = (request: HttpRequest, error: unknown, expected: boolean) => void

export async function handle(api: Api, request: HttpRequest, onError: OnError): Promise<HttpResponse> {
  let response: HttpResponse
  const note = (error: unknown) => {
    onError(request, error, error instanceof RegistryError && error.status < 500)
    noteDenial(api, request, error)
  }
  try {
    response =
      api.management && isManagement(request)
        ? await api.management(api, request, note)
        : await route(api, request)
  } catch (error) {
    note(error)
    response = renderError(error, request.id)
  }
  response.headers['Cache-Control'] ??= 'no-store'
  response.headers['X-Request-Id'] = request.id
  return response
}

function isManagement({ path }: HttpRequest): boolean {
  return path === '/api' || path.startsWith('/api/') || path.startsWith('/c/')
}

async function route(api: Api, request: HttpRequest): Promise<HttpResponse> {
  const answer = await handleApi(api, request)
  if (answer) return answer
  if (request.path === '/service/token') return answerToken(api.access, request)
  if (request.path === '/service/jwks.json') return json(200, await api.access.publicKeys())
  throw new RegistryError(
    'NOT_FOUND',
    `${request.path.slice(0, 200)} does not exist here; the registry is at /v2/`,
  )
}

/** Kept for 30 days, so that people can see why something was refused. Challenges are no denials. */
function noteDenial(api: Api, request: HttpRequest, error: unknown): void {
  if (!(error instanceof RegistryError)) return
  const refused = isRefusal(error) || (error.code === 'UNAUTHORIZED' && request.headers.authorization)
  if (!refused) return
  api.recorder.denial({
    principal: error.principal ?? '',
    asked: `${request.method} ${request.path.slice(0, 300)}`,
    rule: error.message.slice(0, 2000),
    requestId: request.id,
    client: (request.headers['user-agent'] ?? '').slice(0, 200),
  })
}
