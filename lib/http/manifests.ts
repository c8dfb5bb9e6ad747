// GET, HEAD, PUT and DELETE of manifests.
import { RegistryError } from '../oci/errors.ts'
import { MANIFEST_LIMIT_BYTES } from '../oci/manifest.ts'
import type { Reference } from '../oci/reference.ts'
import { checkPull } from '../policy/pull-check.ts'
import { staleHeaders } from '../proxy/failures.ts'
import type { PulledManifest } from '../proxy/proxy-cache.ts'
import { deleteReference } from '../registry/deletion.ts'
import { VIA_HEADER, viaOf } from '../registry/identity.ts'
import { type FoundManifest, putManifest } from '../registry/manifests.ts'
import type { Call } from './api.ts'
import { etagOf, isNotModified } from './conditions.ts'
import { contentLength, empty, type HttpRequest, type HttpResponse } from './message.ts'

export async function readManifestRequest(
  call: Call,
  name: string,
  reference: Reference,
): Promise<HttpResponse> {
  let found: PulledManifest
  try {
    found = await call.proxy.manifest(name, reference)
  } catch (error) {
    notePull(call, name, reference, undefined)
    throw error
  }
  await checkPull(call.registry, found, call.caller)
  notePull(call, name, reference, found)
  const { record, bytes } = found
  const headers = {
    'Content-Type': record.mediaType,
    'Docker-Content-Digest': record.digest,
    ETag: etagOf(record.digest),
    ...(found.stale === undefined ? {} : staleHeaders(found.stale)),
  }
  if (isNotModified(call.request, record.digest)) return { status: 304, headers }
  return { status: 200, headers, body: bytes, lengthBytes: bytes.length }
}

/** Every GET is a line of the pull log; HEAD only asks. */
function notePull(call: Call, name: string, reference: Reference, found: FoundManifest | undefined): void {
  if (call.request.method !== 'GET') return
  call.recorder.pull({
    repo: found?.repository.id ?? '',
    ...(found ? { projectId: found.repository.projectId } : {}),
    repository: found?.repository.name ?? name,
    ...(reference.kind === 'tag' ? { tag: reference.tag } : {}),
    digest: found?.record.digest ?? (reference.kind === 'digest' ? reference.digest : ''),
    principal: call.caller.principal,
    client: (call.request.headers['user-agent'] ?? '').slice(0, 200),
    requestId: call.request.id,
    hit: found !== undefined,
  })
}

export async function writeManifest(call: Call, name: string, reference: Reference): Promise<HttpResponse> {
  const { registry, request } = call
  const via = await viaOf(registry, request.headers[VIA_HEADER])
  const actor = via ? { ...call.actor, replicated: { via } } : call.actor
  const bytes = await readBounded(request)
  const moreTags = reference.kind === 'digest' ? request.query.getAll('tag') : []
  const content = { bytes, contentType: request.headers['content-type'] }
  const { digest, subject, tags } = await putManifest(registry, name, reference, content, moreTags, actor)
  return empty(201, {
    Location: `/v2/${name}/manifests/${digest}`,
    'Docker-Content-Digest': digest,
    ...(subject === undefined ? {} : { 'OCI-Subject': subject }),
    ...(moreTags.length === 0 ? {} : { 'OCI-Tag': tags.join(', ') }),
  })
}

/** @throws MANIFEST_INVALID (413) as soon as the limit is passed */
async function readBounded(request: HttpRequest): Promise<Uint8Array> {
  const tooLarge = () =>
    new RegistryError(
      'MANIFEST_INVALID',
      `manifests of more than ${MANIFEST_LIMIT_BYTES} bytes are not accepted`,
      {
        status: 413,
      },
    )
  if ((contentLength(request) ?? 0) > MANIFEST_LIMIT_BYTES) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body) {
    size += chunk.length
    if (size > MANIFEST_LIMIT_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

export async function deleteManifestRequest(
  call: Call,
  name: string,
  reference: Reference,
): Promise<HttpResponse> {
  await deleteReference(call.registry, name, reference, call.actor)
  return empty(202)
}
