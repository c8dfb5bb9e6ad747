// What becomes of the request: rebuilt for the bucket, marked with what only the edge knows for everybody else.
import { type Decision, type EdgeRequest, type EdgeValue, header } from './request.ts'

export interface EdgeResponse {
  statusCode: number
  statusDescription: string
  headers: Record<string, EdgeValue>
  body: string
}

/** CloudFront's functions may neither change nor take these away. */
const READ_ONLY = ['host', 'content-length', 'transfer-encoding', 'via']

export function applyDecision(
  request: EdgeRequest,
  decision: Decision,
  viewerAddress: string,
  requestId: string,
): EdgeRequest | EdgeResponse {
  if (decision.kind === 'refuse') return refusal(decision, requestId)
  if (decision.kind === 'blobs') return forBucket(request, decision)
  // Whatever the client sent under these names is overwritten: the API believes them with the origin's secret only.
  request.headers['x-entrepot-host'] = { value: header(request, 'host') || '' }
  request.headers['x-entrepot-viewer'] = { value: viewerAddress }
  request.headers['x-entrepot-request'] = { value: requestId }
  return request
}

/**
 * Nothing of the client's survives but the type it names: S3 takes instructions from headers and queries (copies, rights,
 * classes, tags), and checks the body against the hash that is in `x-amz-content-sha256`.
 */
function forBucket(request: EdgeRequest, decision: { key: string; hex: string; name: string }): EdgeRequest {
  const headers: Record<string, EdgeValue> = {}
  for (let at = 0; at < READ_ONLY.length; at++) {
    const name = READ_ONLY[at] as string
    const kept = request.headers[name]
    if (kept) headers[name] = kept
  }
  headers['content-type'] = { value: 'application/octet-stream' }
  headers['x-amz-content-sha256'] = { value: decision.hex }
  // For the answer alone; S3 ignores it.
  headers['x-entrepot-name'] = { value: decision.name }
  request.headers = headers
  request.querystring = {}
  request.cookies = {}
  request.uri = `/${decision.key}`
  return request
}

function refusal(
  decision: { status: number; code: string; message: string; challenge?: string },
  requestId: string,
): EdgeResponse {
  const headers: Record<string, EdgeValue> = {
    'content-type': { value: 'application/json' },
    'cache-control': { value: 'no-store' },
    'docker-distribution-api-version': { value: 'registry/2.0' },
    'x-request-id': { value: requestId },
  }
  if (decision.challenge) headers['www-authenticate'] = { value: decision.challenge }
  return {
    statusCode: decision.status,
    statusDescription: REASONS[decision.status] || 'Refused',
    headers: headers,
    body: JSON.stringify({ errors: [{ code: decision.code, message: decision.message }] }),
  }
}

const REASONS: Record<number, string> = {
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
}
