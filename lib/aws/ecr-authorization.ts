// Logins to ECR: GetAuthorizationToken, signed with keys that somebody gave, or with those this program runs with.
import { S3Client } from '@aws-sdk/client-s3'
import { SignatureV4 } from '@smithy/signature-v4'
import type { EcrAuthorization, EcrLogin } from '../upstream/open-upstream.ts'
import { UpstreamError } from '../upstream/upstream-error.ts'

/** `123456789012.dkr.ecr.eu-west-1.amazonaws.com`, or the API's own host. */
const PRIVATE =
  /^(?:api|(?<account>\d{12})\.dkr)\.ecr(?<fips>-fips)?\.(?<region>[a-z0-9-]+)\.(?<domain>amazonaws\.com(?:\.cn)?)$/
const PUBLIC = 'public.ecr.aws'
/** Its API is in one region alone. */
const PUBLIC_REGION = 'us-east-1'
const ANSWER_MS = 15_000

interface Service {
  host: string
  region: string
  signingName: string
  target: string
  body: string
}

/** @throws UpstreamError with what AWS says; `denied` when the keys are wrong or may not */
export const ecrAuthorization: EcrAuthorization = async (url, { accessKey, accessSecret }) => {
  const service = serviceOf(new URL(url).hostname)
  const { credentials, sha256 } = new S3Client({
    region: service.region,
    ...(accessKey === '' ? {} : { credentials: { accessKeyId: accessKey, secretAccessKey: accessSecret } }),
  }).config
  const { host, region, signingName, target, body } = service
  const signer = new SignatureV4({ service: signingName, region, credentials, sha256 })
  const headers = { host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target }
  const signed = await signer.sign({
    method: 'POST',
    protocol: 'https:',
    hostname: host,
    path: '/',
    headers,
    body,
  })
  return loginIn(url, await ask(host, signed.headers, body))
}

/** @throws UpstreamError for what is no registry of AWS's */
function serviceOf(host: string): Service {
  if (host === PUBLIC)
    return {
      host: `api.ecr-public.${PUBLIC_REGION}.amazonaws.com`,
      region: PUBLIC_REGION,
      signingName: 'ecr-public',
      target: 'SpencerFrontendService.GetAuthorizationToken',
      body: '{}',
    }
  const found = PRIVATE.exec(host)?.groups as
    | { account?: string; fips?: string; region: string; domain: string }
    | undefined
  if (!found)
    throw new UpstreamError(
      'failed',
      `${host} is no registry of ECR: https://<account>.dkr.ecr.<region>.amazonaws.com`,
    )
  const { account, fips, region, domain } = found
  return {
    host: fips ? `ecr-fips.${region}.${domain}` : `api.ecr.${region}.${domain}`,
    region,
    signingName: 'ecr',
    target: 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
    body: JSON.stringify(account === undefined ? {} : { registryIds: [account] }),
  }
}

async function ask(host: string, headers: Record<string, string>, body: string): Promise<unknown> {
  let answer: Response
  try {
    const { host: _, ...sent } = headers
    const signal = AbortSignal.timeout(ANSWER_MS)
    answer = await fetch(`https://${host}/`, {
      method: 'POST',
      headers: sent,
      body,
      redirect: 'error',
      signal,
    })
  } catch (cause) {
    throw new UpstreamError('unreachable', `no connection to ${host}`, { cause })
  }
  const value = (await answer.json().catch(() => ({}))) as {
    message?: unknown
    Message?: unknown
    __type?: unknown
  }
  if (answer.ok) return value
  const said = [value.__type, value.message ?? value.Message]
    .filter((each) => typeof each === 'string')
    .join(': ')
  const failure = answer.status === 400 || answer.status === 403 ? 'denied' : 'failed'
  throw new UpstreamError(failure, `${host} answered ${answer.status}: ${said.slice(0, 300)}`, {
    status: answer.status,
  })
}

/** Private registries answer with a list, ECR Public with one. @throws UpstreamError `lying` */
function loginIn(url: string, answer: unknown): EcrLogin {
  const { authorizationData } = answer as { authorizationData?: unknown }
  const data = (Array.isArray(authorizationData) ? authorizationData[0] : authorizationData) as
    | { authorizationToken?: string; expiresAt?: number; proxyEndpoint?: string }
    | undefined
  const [name, ...password] = Buffer.from(data?.authorizationToken ?? '', 'base64')
    .toString('utf8')
    .split(':')
  if (!name || password.length === 0) throw new UpstreamError('lying', 'AWS answered without a login')
  return {
    name,
    password: password.join(':'),
    url: data?.proxyEndpoint ?? url,
    expiresAtMs: (data?.expiresAt ?? Date.now() / 1000 + 3600) * 1000,
  }
}
