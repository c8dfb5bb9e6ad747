// PATCH, PUT, GET and DELETE of an upload session. The session token in the path is the permission.
import { type Digest, parseDigest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { parseContentRange, uploadRange } from '../oci/range.ts'
import { appendToUpload } from '../registry/append-upload.ts'
import { commitUpload } from '../registry/commit-upload.ts'
import { issueSessionToken, readSessionToken, type Session } from '../registry/session-token.ts'
import type { UploadBody } from '../registry/upload-body.ts'
import { cancelUpload, uploadOffset } from '../registry/uploads.ts'
import type { Api } from './api.ts'
import { methodNotAllowed } from './errors.ts'
import { contentLength, empty, type HttpRequest, type HttpResponse, hasBody } from './message.ts'
import { created } from './uploads.ts'

export async function useUpload(
  api: Api,
  request: HttpRequest,
  name: string,
  token: string,
): Promise<HttpResponse> {
  const { registry, secrets } = api
  const session = readSessionToken(secrets.sessionKeys, name, token, registry.clock.nowMs())
  if (request.method === 'PATCH') {
    const body = { ...uploadBody(request), bytes: request.body }
    const after = await appendToUpload(registry, session, body)
    return empty(202, status(api, name, after.session, after.offset))
  }
  if (request.method === 'PUT') {
    const digest = digestParameter(request)
    await commitUpload(registry, session, digest, uploadBody(request))
    return created(name, digest)
  }
  if (request.method === 'GET' || request.method === 'HEAD')
    return empty(204, status(api, name, session, await uploadOffset(registry, session)))
  if (request.method === 'DELETE') {
    await cancelUpload(registry, session)
    return empty(204)
  }
  throw methodNotAllowed(request.method, ['PATCH', 'PUT', 'GET', 'HEAD', 'DELETE'])
}

function status(api: Api, name: string, session: Session, offset: number): Record<string, string> {
  return {
    Location: `/v2/${name}/blobs/uploads/${issueSessionToken(api.secrets.sessionKeys, name, session)}`,
    Range: uploadRange(offset),
    'Docker-Upload-UUID': session.id,
  }
}

/** @throws DIGEST_INVALID unless there is exactly one: with two, a proxy and the registry could each believe another */
export function digestParameter(request: HttpRequest): Digest {
  const given = request.query.getAll('digest')
  if (given.length === 0) throw new RegistryError('DIGEST_INVALID', 'the digest parameter is missing')
  if (given.length > 1)
    throw new RegistryError('DIGEST_INVALID', 'the digest parameter is given more than once')
  return parseDigest(given[0]!)
}

/** What the request carries of the blob; undefined when it has no body. */
export function uploadBody(request: HttpRequest): UploadBody | undefined {
  const contentRange = parseContentRange(request.headers['content-range'])
  if (!hasBody(request) && !contentRange) return undefined
  const lengthBytes = contentLength(request)
  return {
    bytes: request.body,
    ...(lengthBytes === undefined ? {} : { lengthBytes }),
    ...(contentRange === undefined ? {} : { contentRange }),
  }
}
