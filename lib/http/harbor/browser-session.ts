// Sessions of browsers, as Harbor's portal has them: /c/login and /c/log_out, the cookie `sid`, and a token that every
// change needs beside it, because a browser sends cookies for anybody's page.

import type { Principal } from '../../access/principal.ts'
import { beginSession, csrfToken, endSession, isCsrfToken, sessionPrincipal } from '../../access/sessions.ts'
import { RegistryError } from '../../oci/errors.ts'
import { noted } from '../../registry/audit-log.ts'
import { readConfiguration } from '../../registry/configuration.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Api } from '../api.ts'
import { methodNotAllowed } from '../errors.ts'
import type { HttpRequest, HttpResponse } from '../message.ts'
import { readForm } from '../token.ts'
import { done } from './answers.ts'

/** Of a name that somebody typed, in the log. */
const NAME_LIMIT = 255
const COOKIE = 'sid'
const TOKEN_HEADER = 'X-Harbor-CSRF-Token'
const SAFE = ['GET', 'HEAD', 'OPTIONS']

/** @throws UNAUTHORIZED; NOT_FOUND for other paths below /c */
export async function answerSession(api: Api, request: HttpRequest): Promise<HttpResponse> {
  if (request.path === '/c/login') return logIn(api, request)
  if (request.path === '/c/log_out') return logOut(api, request)
  throw new RegistryError('NOT_FOUND', `${request.path.slice(0, 200)} is no endpoint of this registry`)
}

/** A form of `principal` and `password`. Where to go next is the page's own business: nobody is redirected. */
async function logIn({ access, registry }: Api, request: HttpRequest): Promise<HttpResponse> {
  if (request.method !== 'POST') throw methodNotAllowed(request.method, ['POST'])
  if (request.headers['sec-fetch-site'] === 'cross-site')
    throw new RegistryError('DENIED', 'another site’s page cannot log anybody in here')
  const form = await readForm(request)
  const name = form.get('principal') ?? ''
  const principal = await access.logIn(name, form.get('password') ?? '', request.address)
  const user = principal?.kind === 'user' ? principal : undefined
  await note(registry, request, 'login', user?.name ?? name, user !== undefined)
  if (!user) throw new RegistryError('UNAUTHORIZED', 'unauthorized: incorrect user name or password')
  const { session_timeout: minutes } = await readConfiguration(registry)
  const id = await beginSession(registry, user, minutes * 60)
  return withCookie(done(), request, id, minutes * 60)
}

async function logOut({ registry }: Api, request: HttpRequest): Promise<HttpResponse> {
  if (request.method !== 'GET' && request.method !== 'POST')
    throw methodNotAllowed(request.method, ['GET', 'POST'])
  const id = sessionIn(request)
  const principal = id === undefined ? undefined : await sessionPrincipal(registry, id)
  if (id !== undefined) await endSession(registry, id)
  if (principal) await note(registry, request, 'logout', principal.name, true)
  return withCookie(done(), request, '', 0)
}

/** Harbor notes the logins of pages alone: clients of images log in with every token. One that has to wait is none. */
function note(
  registry: Registry,
  { id: requestId }: HttpRequest,
  operation: 'login' | 'logout',
  name: string,
  succeeded: boolean,
): Promise<void> {
  const resource = name.slice(0, NAME_LIMIT)
  const actor = { principal: resource, requestId }
  return noted({ registry, actor }, { operation, resourceType: 'user', resource }, succeeded)
}

/**
 * Who sends a request without other credentials, by the session's cookie.
 * @returns undefined without a session that still counts
 * @throws DENIED for a change without the session's token; the answer brings the token
 */
export async function bySession({ registry }: Api, request: HttpRequest): Promise<Principal | undefined> {
  const id = sessionIn(request)
  const principal = id === undefined ? undefined : await sessionPrincipal(registry, id)
  if (id === undefined || !principal) return undefined
  const given = request.headers[TOKEN_HEADER.toLowerCase()]
  if (SAFE.includes(request.method) || isCsrfToken(id, given)) return principal
  throw new RegistryError(
    'DENIED',
    `CSRF token invalid: send the header ${TOKEN_HEADER} of an earlier answer`,
    {
      headers: { [TOKEN_HEADER]: csrfToken(id), 'Set-Cookie': `_gorilla_csrf=1; Path=/; SameSite=Lax` },
      principal: principal.name,
    },
  )
}

/** Answers to a session bring its token along. */
export function withCsrfToken(response: HttpResponse, request: HttpRequest): HttpResponse {
  const id = sessionIn(request)
  if (id === undefined || request.headers.authorization !== undefined) return response
  return { ...response, headers: { ...response.headers, [TOKEN_HEADER]: csrfToken(id) } }
}

function sessionIn({ headers }: HttpRequest): string | undefined {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim())
  return pairs.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1) || undefined
}

/** Not for scripts of the page, nor for requests that other sites' pages send. */
function withCookie(
  response: HttpResponse,
  { origin }: HttpRequest,
  id: string,
  seconds: number,
): HttpResponse {
  const secure = origin.startsWith('https:') ? '; Secure' : ''
  const cookie = `${COOKIE}=${id}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`
  return { ...response, headers: { ...response.headers, 'Set-Cookie': cookie } }
}
