// What a request needs to be allowed, and what its token claims. Claims are read without trust: they only spare the way
// to the API, which verifies.
import { type EdgeRequest, header } from './request.ts'

export interface Need {
  type: string
  name: string
  actions: string[]
}

const NAME = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)*'
/** The tail decides, because a name may itself contain `blobs` or `tags`. */
const ROUTE = new RegExp(
  `^/v2/(${NAME})/(manifests/[^/]+|blobs/uploads/?|blobs/[^/]+|tags/list|referrers/[^/]+)$`,
)

/** @returns undefined when the path is none that the edge knows: the API says what is wrong with it */
export function needsOf(request: EdgeRequest): Need[] | undefined {
  if (request.uri === '/v2/' || request.uri === '/v2') return []
  if (request.uri === '/v2/_catalog') return [{ type: 'registry', name: 'catalog', actions: ['*'] }]
  const match = ROUTE.exec(request.uri)
  if (!match) return undefined
  const needs = [{ type: 'repository', name: match[1] as string, actions: actionsOf(request.method) }]
  const from = request.querystring.from
  // A mount reads its source too; a value in other spelling than the plain one is left to the API.
  if (
    request.method === 'POST' &&
    request.querystring.mount &&
    from &&
    new RegExp(`^${NAME}$`).test(from.value)
  )
    needs.push({ type: 'repository', name: from.value, actions: ['pull'] })
  return needs
}

function actionsOf(method: string): string[] {
  if (method === 'GET' || method === 'HEAD') return ['pull']
  if (method === 'DELETE') return ['delete']
  return ['pull', 'push']
}

export type Standing = 'unknown scheme' | 'none' | 'invalid' | 'insufficient' | 'claims it'

/** How a request's Authorization stands to what it needs first; what would only help besides is not asked for. */
export function standing(request: EdgeRequest, needs: Need[], nowMs: number): Standing {
  const authorization = header(request, 'authorization')
  if (authorization === undefined) return 'none'
  const bearer = /^bearer +([^\s,]+) *$/i.exec(authorization)
  if (!bearer) return 'unknown scheme'
  const claims = claimsOf(bearer[1] as string)
  if (!claims || typeof claims.exp !== 'number' || claims.exp * 1000 <= nowMs) return 'invalid'
  const needed = needs[0]
  if (!needed) return 'claims it'
  const access = Array.isArray(claims.access) ? claims.access : []
  let granted: string[] | undefined
  for (let at = 0; at < access.length; at++) {
    const each = access[at] as Need
    if (each && each.type === needed.type && each.name === needed.name && Array.isArray(each.actions))
      granted = each.actions
  }
  if (granted === undefined) return 'insufficient'
  // Asked for and refused: the API says which right was missing.
  if (granted.length === 0) return 'claims it'
  for (let at = 0; at < needed.actions.length; at++)
    if (granted.indexOf(needed.actions[at] as string) < 0 && granted.indexOf('*') < 0) return 'insufficient'
  return 'claims it'
}

function claimsOf(token: string): { exp?: unknown; access?: unknown } | undefined {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  try {
    const claims = JSON.parse(Buffer.from(parts[1] as string, 'base64url').toString())
    return claims && typeof claims === 'object' ? claims : undefined
  } catch (_error) {
    return undefined
  }
}
