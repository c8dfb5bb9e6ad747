// Opens another registry: its client, login and provider put together.
import type { AddressGuard } from '../outbound/address-guard.ts'
import { HttpClient } from '../outbound/http-client.ts'
import { Authorization, type Login } from './authorization.ts'
import { Exchange } from './exchange.ts'
import { loginOf, type Provider, protocolUrl } from './providers.ts'
import type { RateLimits } from './rate-limits.ts'
import { Upstream } from './upstream.ts'
import { UpstreamError } from './upstream-error.ts'

export interface UpstreamAddress {
  provider: Provider
  /** As people wrote it. */
  url: string
  insecure: boolean
  /** PEM; empty for none. */
  caCertificate: string
  accessKey: string
  accessSecret: string
}

/** What ECR gives for a signed request. */
export interface EcrLogin extends Login {
  /** Of the registry itself, which `https://api.ecr.….amazonaws.com` stands for. */
  url: string
  expiresAtMs: number
}

/** Asks AWS for a login; with keys of one's own, or with those the program runs with where `accessKey` is empty. */
export type EcrAuthorization = (
  url: string,
  keys: { accessKey: string; accessSecret: string },
) => Promise<EcrLogin>

export interface UpstreamOptions {
  guard: AddressGuard
  /** Absent where ECR cannot be asked. */
  ecr?: EcrAuthorization
  onLimits?: (limits: RateLimits) => void
  /** Shorter than usual where somebody waits for nothing but the connection. Default 60 s. */
  answerMs?: number
  idleMs?: number
}

/** A login of twelve hours is asked for again well before its end. */
const ECR_MARGIN_MS = 600_000

/** @throws UpstreamError when ECR refuses the login */
export async function openUpstream(address: UpstreamAddress, options: UpstreamOptions): Promise<Upstream> {
  const { provider, caCertificate, insecure } = address
  const { guard, answerMs, idleMs, onLimits = () => {} } = options
  const client = new HttpClient({
    guard,
    insecure,
    ...(caCertificate === '' ? {} : { caCertificate }),
    ...(answerMs === undefined ? {} : { answerMs }),
    ...(idleMs === undefined ? {} : { idleMs }),
  })
  const { base, login } =
    provider.auth === 'ecr'
      ? await ecrLogin(address, options)
      : { base: undefined, login: fixedLogin(address) }
  const url = base ?? protocolUrl(provider, address.url)
  const authorization = new Authorization(client, url, login)
  return new Upstream(provider, new Exchange(client, authorization, url, onLimits), url.host)
}

function fixedLogin({ provider, accessKey, accessSecret }: UpstreamAddress) {
  const login = loginOf(provider, accessKey, accessSecret)
  return async () => login
}

/** Without keys ECR Public is pulled from anonymously, as its challenge allows. @throws UpstreamError */
async function ecrLogin(
  { url, accessKey, accessSecret }: UpstreamAddress,
  { ecr }: UpstreamOptions,
): Promise<{ base: URL | undefined; login: () => Promise<Login | undefined> }> {
  const isPublic = new URL(url).hostname === 'public.ecr.aws'
  if (isPublic && accessKey === '') return { base: undefined, login: async () => undefined }
  if (!ecr) throw new UpstreamError('failed', 'this program cannot ask AWS for logins to ECR')
  const keys = { accessKey, accessSecret }
  let current = await ecr(url, keys)
  const login = async () => {
    if (current.expiresAtMs - ECR_MARGIN_MS < Date.now()) current = await ecr(url, keys)
    return current
  }
  return { base: new URL(current.url), login }
}
