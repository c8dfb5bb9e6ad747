// GET, HEAD and DELETE of blobs (distribution-spec v1.1.1 §"Pulling blobs", RFC 9110 §13 and §14).
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { parseRange } from '../oci/range.ts'
import { deleteBlob, type FoundBlob, findBlob, locateBlob, openBlob } from '../registry/blobs.ts'
import type { Call } from './api.ts'
import { etagOf, isNotModified } from './conditions.ts'
import { empty, type HttpResponse } from './message.ts'

export async function readBlob(call: Call, name: string, digest: Digest): Promise<HttpResponse> {
  const { request, registry } = call
  const head = request.method === 'HEAD'
  // Only who may push relies on a HEAD's answer for a push; only then is it noted as a use.
  const forPush = head && (await call.caller.may('push', name))
  // Whoever pushed reads with a token for pulling alone, so the token does not tell who may have pushed.
  const find = (at: string) =>
    findBlob(registry, at, digest, forPush, () => call.caller.mayAskFor('push', at))
  const headers: Record<string, string> = {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    'Accept-Ranges': 'bytes',
    ETag: etagOf(digest),
    'Cache-Control': 'private, max-age=31536000, immutable',
  }
  // A part of a blob that is still coming waits for the whole.
  const pulled = head
    ? await headOf(call, name, digest, find)
    : await call.proxy.blob(name, digest, find, request.headers.range !== undefined)
  if (pulled.kind === 'upstream') return { status: 200, headers, lengthBytes: pulled.sizeBytes }
  if (pulled.kind === 'ingest') {
    // It comes back by the tasks, which can send what they have to fetch first; here it must not come twice.
    if (request.query.has('via'))
      throw new RegistryError(
        'UNAVAILABLE',
        `blob ${digest} is not cached yet, and the edge does not lead to ingest`,
      )
    const query = new URLSearchParams(request.query)
    query.set('via', 'ingest')
    return empty(307, { Location: `${request.path}?${query}`, 'Cache-Control': 'no-store' })
  }
  if (pulled.kind === 'growing')
    return { status: 200, headers, body: pulled.growing.body, lengthBytes: pulled.growing.sizeBytes }
  const { link } = pulled.blob
  if (isNotModified(request, digest)) return { status: 304, headers }
  const location = await locateBlob(registry, link, head ? 'HEAD' : 'GET')
  if (head && !location) return { status: 200, headers, lengthBytes: link.sizeBytes }

  const range = fits(request.headers['if-range'], digest)
    ? parseRange(request.headers.range, link.sizeBytes)
    : undefined
  if (range === 'unsatisfiable')
    throw new RegistryError('RANGE_INVALID', `the blob has ${link.sizeBytes} bytes`, {
      status: 416,
      headers: { 'Content-Range': `bytes */${link.sizeBytes}` },
    })
  // The client asks there with the same Range; what it gets is checked against the digest like any blob.
  if (location)
    return empty(307, { Location: location, 'Docker-Content-Digest': digest, 'Cache-Control': 'no-store' })
  const body = await openBlob(registry, link, range)
  if (!range) return { status: 200, headers, body, lengthBytes: link.sizeBytes }
  headers['Content-Range'] = `bytes ${range.start}-${range.end}/${link.sizeBytes}`
  return { status: 206, headers, body, lengthBytes: range.end - range.start + 1 }
}

/** What a cache does not have is asked for at its upstream, and not fetched. */
async function headOf(
  call: Call,
  name: string,
  digest: Digest,
  find: (name: string) => Promise<FoundBlob>,
): Promise<{ kind: 'stored'; blob: FoundBlob } | { kind: 'upstream'; sizeBytes: number }> {
  const found = await call.proxy.blobOrSize(name, digest, find)
  return typeof found === 'number' ? { kind: 'upstream', sizeBytes: found } : { kind: 'stored', blob: found }
}

/** A range counts only for the representation If-Range names (RFC 9110 §13.1.5). */
function fits(ifRange: string | undefined, digest: Digest): boolean {
  return ifRange === undefined || ifRange.trim() === etagOf(digest)
}

export async function deleteBlobRequest(call: Call, name: string, digest: Digest): Promise<HttpResponse> {
  await deleteBlob(call.registry, name, digest)
  return empty(202)
}
