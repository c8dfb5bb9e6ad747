// Where a request goes: to the API, to the tasks that take streams, straight into the bucket, or back with a challenge.
// One pure function; refusing needs no trust, and accepting is always somebody else's.
import { type Decision, type EdgeRequest, type EdgeSettings, header, type SignWith } from './request.ts'
import { type Need, needsOf, standing } from './scopes.ts'
import { verifySession } from './session.ts'

/** S3 takes no single PUT beyond this. */
const DIRECT_LIMIT_BYTES = 5 * 1024 * 1024 * 1024
const UPLOAD = /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/
const BLOB = /^\/v2\/.+\/blobs\/[^/]+$/
const DIGEST = /^sha256(?::|%3[aA])([0-9a-f]{64})$/

const API: Decision = { kind: 'api' }
const INGEST: Decision = { kind: 'ingest' }

export async function route(
  request: EdgeRequest,
  settings: EdgeSettings,
  signWith: SignWith,
  nowMs: number,
): Promise<Decision> {
  const upload = UPLOAD.exec(request.uri)
  if (upload) return routeUpload(request, upload[1] as string, upload[2] as string, settings, signWith, nowMs)
  if (request.uri.indexOf('/v2/') !== 0 && request.uri !== '/v2') return API
  const needs = needsOf(request)
  if (!needs) return API
  const how = standing(request, needs, nowMs)
  if (how === 'claims it' || how === 'unknown scheme')
    return settings.ingest && wantsBytesOfCache(request) ? INGEST : API
  const error =
    how === 'invalid' ? 'invalid_token' : how === 'insufficient' ? 'insufficient_scope' : undefined
  return challenge(request, needs, error)
}

/** A function cannot send what it has to fetch first: it sends the client here again, with this in the query. */
function wantsBytesOfCache(request: EdgeRequest): boolean {
  const via = request.querystring.via
  return request.method === 'GET' && BLOB.test(request.uri) && via !== undefined && via.value === 'ingest'
}

/** An upload is judged by its session token alone: a Bearer token may expire in the middle of it. */
async function routeUpload(
  request: EdgeRequest,
  name: string,
  token: string,
  settings: EdgeSettings,
  signWith: SignWith,
  nowMs: number,
): Promise<Decision> {
  const method = request.method
  const patched = token.slice(-2) === '~p'
  if (method !== 'PUT' && method !== 'PATCH') return patched && settings.ingest ? INGEST : API
  // An empty body brings no bytes: the zero-byte blob of a fresh session, which the API can take.
  if (method === 'PUT' && !patched && header(request, 'content-length') === '0') return API
  const hex = method === 'PUT' && !patched ? wholeBlob(request) : undefined
  if (hex === undefined || !isDirect(await settings.directUploads(), name))
    return settings.ingest ? INGEST : noIngest()
  const session = await verifySession(token, name, signWith, nowMs)
  if (!session)
    return {
      kind: 'refuse',
      status: 404,
      code: 'BLOB_UPLOAD_UNKNOWN',
      message: 'this upload session is unknown to the repository, or has expired: start a new one',
    }
  if (Number(header(request, 'content-length')) > session.limitBytes)
    return {
      kind: 'refuse',
      status: 413,
      code: 'SIZE_INVALID',
      message: `the blob is larger than the ${session.limitBytes} bytes allowed`,
    }
  return { kind: 'blobs', key: `b/${session.repository}/sha256/${hex}/${session.id}`, hex: hex, name: name }
}

/** A repository may be called `on` or `off`: the two words come first. */
function isDirect(setting: string | undefined, name: string): boolean {
  return setting === 'on' || (setting !== 'off' && setting === name)
}

/** @returns the digest's hex when the request is one S3 can take as it is: a whole body of known length and digest */
function wholeBlob(request: EdgeRequest): string | undefined {
  const length = header(request, 'content-length')
  if (length === undefined || !/^[0-9]{1,12}$/.test(length) || Number(length) > DIRECT_LIMIT_BYTES)
    return undefined
  if (header(request, 'content-range') !== undefined) return undefined
  if (header(request, 'transfer-encoding') !== undefined) return undefined
  const encoding = header(request, 'content-encoding')
  if (encoding !== undefined && encoding !== 'identity') return undefined
  const digest = request.querystring.digest
  if (!digest || (digest.multiValue && digest.multiValue.length > 1)) return undefined
  const match = DIGEST.exec(digest.value)
  return match ? (match[1] as string) : undefined
}

function noIngest(): Decision {
  return {
    kind: 'refuse',
    status: 405,
    code: 'UNSUPPORTED',
    message:
      'this registry takes whole blobs only: push with Docker 29 or newer, buildx, containerd, helm, oras or regctl; for docker 28 and older, podman, skopeo, buildah and crane an administrator sets ingest in its configuration',
  }
}

function challenge(request: EdgeRequest, needs: Need[], error: string | undefined): Decision {
  const scopes = []
  const refused = []
  for (let at = 0; at < needs.length; at++) {
    const need = needs[at] as Need
    scopes.push(`${need.type}:${need.name}:${need.actions.join(',')}`)
    const what = need.type === 'repository' ? 'repository: ' : `${need.type}: `
    refused.push(
      `unauthorized to access ${what}${need.name}, action: ${need.actions[need.actions.length - 1]}`,
    )
  }
  const scope = scopes.length > 0 ? `,scope="${scopes.join(' ')}"` : ''
  const reason = error ? `,error="${error}"` : ''
  return {
    kind: 'refuse',
    status: 401,
    code: 'UNAUTHORIZED',
    message: `authentication required${refused.length > 0 ? `: ${refused.join('; ')}` : ''}`,
    challenge: `Bearer realm="https://${header(request, 'host')}/service/token",service="entrepot"${scope}${reason}`,
  }
}
