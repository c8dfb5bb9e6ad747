// The token endpoint: credentials, or none, for a token (Docker's token protocol, both its GET and its OAuth2 form).
import { RegistryError } from '../oci/errors.ts'
import type { Registry } from '../registry/registry.ts'
import { parseBasic } from './credentials.ts'
import type { Passwords } from './passwords.ts'
import { grantedActions } from './permissions.ts'
import { ANONYMOUS, OPEN, type Principal } from './principal.ts'
import { principalNamed } from './principals.ts'
import { parseScopes, type ResourceActions } from './resources.ts'
import { TOKEN_SECONDS, type Tokens } from './tokens.ts'

export interface TokenRequest {
  method: 'GET' | 'POST'
  query: URLSearchParams
  form?: URLSearchParams
  authorization?: string
  /** Of the client. */
  address: string
}

export interface TokenEndpoint {
  registry: Registry
  passwords: Passwords
  tokens: Tokens
  open: boolean
  onAccess(principal: string, asked: ResourceActions[], granted: ResourceActions[]): void
}

/** @throws UNAUTHORIZED, REQUEST_INVALID, TOOMANYREQUESTS */
export async function answerTokenRequest(
  endpoint: TokenEndpoint,
  request: TokenRequest,
): Promise<Record<string, unknown>> {
  const scan = await scanTokenIn(endpoint, request)
  if (scan) return scan
  const parameters = request.form ?? request.query
  const principal = endpoint.open ? OPEN : await whoAsks(endpoint, request)
  const asked = parseScopes(parameters.getAll('scope'))
  const granted = await Promise.all(
    asked.map(async (resource): Promise<ResourceActions> => {
      const { actions, projectId } = await grantedActions(endpoint.registry, principal, resource)
      return {
        type: resource.type,
        name: resource.name,
        actions,
        ...(projectId === undefined ? {} : { projectId }),
      }
    }),
  )
  endpoint.onAccess(principal.name, asked, granted)
  const token = await endpoint.tokens.issue(principal.name, granted)
  const offline = parameters.get('offline_token') === 'true' || parameters.get('access_type') === 'offline'
  return {
    token,
    access_token: token,
    expires_in: TOKEN_SECONDS,
    issued_at: new Date(endpoint.registry.clock.nowMs()).toISOString(),
    ...(offline && (principal.kind === 'user' || principal.kind === 'robot')
      ? { refresh_token: await endpoint.tokens.issueRefresh(principal.name) }
      : {}),
  }
}

/** A scanner that logs in with its token gets just that: whatever it asks for, it grants no more. */
async function scanTokenIn(
  { tokens, registry }: TokenEndpoint,
  { authorization }: TokenRequest,
): Promise<Record<string, unknown> | undefined> {
  const basic = authorization === undefined ? undefined : parseBasic(authorization)
  const scan = basic && (await tokens.verifyScan(basic))
  if (!scan) return undefined
  const { expiresAtSeconds, issuedAtSeconds } = scan
  return {
    token: basic.password,
    access_token: basic.password,
    expires_in: Math.max(0, expiresAtSeconds - Math.floor(registry.clock.nowMs() / 1000)),
    issued_at: new Date(issuedAtSeconds * 1000).toISOString(),
  }
}

async function whoAsks(endpoint: TokenEndpoint, request: TokenRequest): Promise<Principal> {
  const { form, authorization, address } = request
  if (authorization !== undefined) {
    const basic = parseBasic(authorization)
    if (!basic) throw wrong('log in with user and password (Basic), or without anything')
    return byPassword(endpoint, basic.name, basic.password, address)
  }
  const grant = form?.get('grant_type')
  if (grant === 'password')
    return byPassword(endpoint, form?.get('username') ?? '', form?.get('password') ?? '', address)
  if (grant === 'refresh_token') return byRefreshToken(endpoint, form?.get('refresh_token') ?? '')
  if (grant)
    throw new RegistryError(
      'REQUEST_INVALID',
      `grant_type ${JSON.stringify(grant.slice(0, 40))} is not known: use password or refresh_token`,
    )
  return ANONYMOUS
}

async function byPassword(
  endpoint: TokenEndpoint,
  name: string,
  password: string,
  address: string,
): Promise<Principal> {
  const principal = await endpoint.passwords.verify(name, password, address)
  if (!principal) throw wrong('incorrect username or password')
  return principal
}

async function byRefreshToken(endpoint: TokenEndpoint, token: string): Promise<Principal> {
  const refresh = await endpoint.tokens.verifyRefresh(token)
  const known = refresh && (await principalNamed(endpoint.registry, refresh.subject))
  if (!known || refresh.issuedAtSeconds < known.notBeforeSeconds)
    throw wrong('the refresh token is not valid: log in again')
  return known.principal
}

function wrong(why: string): RegistryError {
  return new RegistryError('UNAUTHORIZED', `authentication required: ${why}`)
}
