// S3's answer to a direct upload, as the specification wants it: clients accept nothing but a 201.
import { type EdgeRequest, type EdgeValue, header } from './request.ts'

export interface ViewerResponse {
  statusCode: number
  statusDescription?: string
  headers: Record<string, EdgeValue>
}

const KEY = /^\/b\/[0-9a-z]+\/sha256\/([0-9a-f]{64})\/[0-9a-z]+$/
const UPLOAD = /^\/v2\/(.+)\/blobs\/uploads\/[^/]+$/
const DIGEST = /^sha256(?::|%3[aA])([0-9a-f]{64})$/

/** @param request as the viewer-request function left it, or as the viewer sent it: AWS does not say which */
export function answerUpload(request: EdgeRequest, response: ViewerResponse): ViewerResponse {
  // The API and ingest answer an upload's PUT with 201; a 200 is S3's.
  if (request.method !== 'PUT' || response.statusCode !== 200) return response
  const stored = KEY.exec(request.uri)
  const sent = UPLOAD.exec(request.uri)
  const given = request.querystring.digest
  const claimed = sent && given ? DIGEST.exec(given.value) : null
  const hex = stored ? stored[1] : claimed ? claimed[1] : undefined
  if (hex === undefined) return response
  const digest = `sha256:${hex}`
  const name = sent ? sent[1] : header(request, 'x-entrepot-name')
  const headers: Record<string, EdgeValue> = {
    'docker-content-digest': { value: digest },
    'docker-distribution-api-version': { value: 'registry/2.0' },
    'cache-control': { value: 'no-store' },
    'x-entrepot-path': { value: 'direct' },
  }
  if (name) headers.location = { value: `/v2/${name}/blobs/${digest}` }
  const length = response.headers['content-length']
  if (length) headers['content-length'] = length
  return { statusCode: 201, statusDescription: 'Created', headers: headers }
}
