// Access: who sends a request, and whether they may. Denials say in the clients' own words what was missing.
import { RegistryError } from '../oci/errors.ts'
import type { Registry } from '../registry/registry.ts'
import { parseBasic, parseBearer } from './credentials.ts'
import type { IdentityProvider } from './identity-providers.ts'
import { Passwords } from './passwords.ts'
import { grantedActions } from './permissions.ts'
import { ANONYMOUS, OPEN, type Principal } from './principal.ts'
import { principalNamed } from './principals.ts'
import { RecentPrincipals } from './recent-principals.ts'
import { formatScopes, type ResourceActions } from './resources.ts'
import type { Secrets } from './secret-keys.ts'
import { answerTokenRequest, type TokenRequest } from './token-endpoint.ts'
import { type AccessToken, Tokens } from './tokens.ts'

export type { ResourceActions } from './resources.ts'

export interface Caller {
  principal: string
  kind: Principal['kind']
  /** Our own scanner: policies on pulls do not hold for it. */
  scan?: true
  /** Whether this request is allowed it: a token counts for what it was asked for and no more. */
  may(action: string, repositoryName: string): Promise<boolean>
  /** Whether the caller could get it allowed: clients ask for each request's token with that request's scope alone. */
  mayAskFor(action: string, repositoryName: string): Promise<boolean>
}

/** What a request says of who sends it, and from where. */
export interface Sender {
  authorization: string | undefined
  /** Of the client: failed logins are counted by it. */
  address: string
}

export interface AccessOptions {
  registry: Registry
  secrets: Secrets
  /** Named in challenges and tokens. */
  service: string
  /** Everybody may everything. */
  open: boolean
  /** Who checks passwords that are not ours. */
  providers?: IdentityProvider[]
  /** Told what each principal asked for and got. */
  onAccess(principal: string, asked: ResourceActions[], granted: ResourceActions[]): void
}

export interface Access {
  /**
   * @param realm the absolute URL of the token endpoint
   * @param needed nothing for the base endpoint, which still asks for a login
   * @param wished what would help besides: only named in the challenge
   * @throws UNAUTHORIZED with a challenge; DENIED when the caller is known and may not
   */
  authorize(
    sender: Sender,
    realm: string,
    needed: ResourceActions[],
    wished?: ResourceActions[],
  ): Promise<Caller>
  /**
   * Who sends a request to the management API, which takes names with passwords; tokens are for images alone.
   * @returns the anonymous principal without credentials
   * @throws UNAUTHORIZED, TOOMANYREQUESTS
   */
  authenticate(sender: Sender): Promise<Principal>
  /** @returns undefined when name or secret is wrong. @throws TOOMANYREQUESTS */
  logIn(name: string, secret: string, address: string): Promise<Principal | undefined>
  token(request: TokenRequest): Promise<Record<string, unknown>>
  publicKeys(): { keys: object[] }
}

export function createAccess(options: AccessOptions): Access {
  const { registry, service, open } = options
  const tokens = new Tokens(options.secrets, service, registry.clock)
  const passwords = new Passwords(registry, options.providers)
  const recent = new RecentPrincipals(registry)
  const endpoint = { registry, passwords, tokens, open, onAccess: options.onAccess }

  function callerOf(principal: Principal): Caller {
    const may = async (action: string, name: string) => {
      const resource = { type: 'repository', name, actions: [action] }
      return (await grantedActions(registry, principal, resource)).actions.length > 0
    }
    return { principal: principal.name, kind: principal.kind, may, mayAskFor: may }
  }

  async function asPrincipal(principal: Principal, needed: ResourceActions[]): Promise<Caller> {
    for (const resource of needed) {
      const grant = await grantedActions(registry, principal, resource)
      options.onAccess(principal.name, [resource], [{ ...resource, actions: grant.actions }])
      if (!covers(grant.actions, resource)) throw denied(principal.name, resource, grant.why)
    }
    return callerOf(principal)
  }

  async function asAnonymous(needed: ResourceActions[], challenge: RegistryError): Promise<Caller> {
    if (needed.length === 0) throw challenge
    for (const resource of needed) {
      const grant = await grantedActions(registry, ANONYMOUS, resource)
      if (!covers(grant.actions, resource)) throw challenge
    }
    return callerOf(ANONYMOUS)
  }

  return {
    async authorize({ authorization, address }, realm, needed, wished = []) {
      if (open) return callerOf(OPEN)
      const challenge = (error?: string) => unauthorized(realm, service, [...needed, ...wished], error)
      if (authorization === undefined) return asAnonymous(needed, challenge())
      const bearer = parseBearer(authorization)
      if (bearer !== undefined) {
        const token = await tokens.verify(bearer)
        if (!token || (await isRevoked(recent, token, needed))) throw challenge('invalid_token')
        return asBearer(registry, token, needed, challenge('insufficient_scope'))
      }
      const basic = parseBasic(authorization)
      const scan = basic && (await tokens.verifyScan(basic))
      if (scan) return asBearer(registry, scan, needed, challenge('insufficient_scope'))
      const principal = basic && (await passwords.verify(basic.name, basic.password, address))
      if (!principal) throw challenge()
      return asPrincipal(principal, needed)
    },
    async authenticate({ authorization, address }) {
      if (open) return OPEN
      if (authorization === undefined) return ANONYMOUS
      const basic = parseBasic(authorization)
      const principal = basic && (await passwords.verify(basic.name, basic.password, address))
      if (!principal) throw new RegistryError('UNAUTHORIZED', 'unauthorized: incorrect user name or password')
      return principal
    },
    logIn: async (name, secret, address) => (open ? undefined : passwords.verify(name, secret, address)),
    token: (request) => answerTokenRequest(endpoint, request),
    publicKeys: () => ({ keys: tokens.publicKeys() }),
  }
}

/** The token's claims decide what was asked for: nothing is looked up. */
function asBearer(
  registry: Registry,
  token: AccessToken,
  needed: ResourceActions[],
  insufficient: RegistryError,
): Caller {
  const claimed = (type: string, name: string) =>
    token.access.find((each) => each.type === type && each.name === name)?.actions
  for (const resource of needed) {
    const actions = claimed(resource.type, resource.name)
    if (actions === undefined) throw insufficient
    if (!covers(actions, resource)) {
      // Refused when asked for, or never asked for: a token for pull only is asked again with push.
      if (actions.length > 0) throw insufficient
      throw denied(token.subject, resource, 'the login does not grant it')
    }
  }
  const kind = token.subject === ANONYMOUS.name ? 'anonymous' : 'user'
  const mayAskFor = async (action: string, name: string) => {
    if (claimed('repository', name)?.includes(action)) return true
    if (token.scan) return false // its name is nobody's, though a user may be called so
    const known = kind === 'user' ? await principalNamed(registry, token.subject) : undefined
    const principal: Principal = known ? known.principal : ANONYMOUS
    const resource = { type: 'repository', name, actions: [action] }
    return (await grantedActions(registry, principal, resource)).actions.length > 0
  }
  // Where the token says nothing of it, as of a mount's source, the caller's own rights decide.
  const may = async (action: string, name: string) =>
    claimed('repository', name)?.includes(action) ?? mayAskFor(action, name)
  return { principal: token.subject, kind, ...(token.scan ? { scan: true } : {}), may, mayAskFor }
}

/** Pulls look nothing up and end with the token's life; whoever changes something is looked up each time. */
async function isRevoked(
  recent: RecentPrincipals,
  token: AccessToken,
  needed: ResourceActions[],
): Promise<boolean> {
  const changes = needed.some(({ actions }) => actions.includes('push') || actions.includes('delete'))
  if (!changes || token.subject === ANONYMOUS.name) return false
  const known = await recent.find(token.subject)
  return !known || token.issuedAtSeconds < known.notBeforeSeconds
}

function covers(granted: string[], { actions }: ResourceActions): boolean {
  return actions.every((action) => granted.includes(action) || granted.includes('*'))
}

/** Clients match on either of the two sentences: Docker's and Harbor's. */
function refusal({ type, name, actions }: ResourceActions): string {
  const what = type === 'repository' ? `repository: ${name}` : `${type}: ${name}`
  return `unauthorized to access ${what}, action: ${actions.at(-1)}`
}

function denied(principal: string, resource: ResourceActions, why: string): RegistryError {
  return new RegistryError(
    'DENIED',
    `requested access to the resource is denied: ${refusal(resource)}: ${principal}: ${why}`,
    { principal },
  )
}

function unauthorized(
  realm: string,
  service: string,
  needed: ResourceActions[],
  error?: string,
): RegistryError {
  const scope = needed.length > 0 ? `,scope="${formatScopes(needed)}"` : ''
  const reason = error ? `,error="${error}"` : ''
  const why = needed.length > 0 ? `: ${needed.map(refusal).join('; ')}` : ''
  return new RegistryError('UNAUTHORIZED', `authentication required${why}`, {
    headers: { 'WWW-Authenticate': `Bearer realm="${realm}",service="${service}"${scope}${reason}` },
  })
}
