// Another registry, as one writes to it: mounts, uploads whole or in chunks, manifests, deletions.
import type { Digest } from '../oci/digest.ts'
import type { Incoming } from '../outbound/http-client.ts'
import type { Upstream } from './upstream.ts'
import { UpstreamError } from './upstream-error.ts'

export interface UploadContent {
  digest: Digest
  sizeBytes: number
  /** The blob's bytes from there to the end; called again when a part has to be sent again. */
  open(fromByte: number): AsyncIterable<Uint8Array>
}

/** An upload under way, with its bytes so far. JSON, so that another process can go on with it. */
export interface UploadProgress {
  location: string
  offset: number
}

/**
 * Begins an upload, or has the blob at once.
 * @param from a repository there that has it, to be mounted from
 * @returns undefined when the blob is there already
 * @throws UpstreamError
 */
export async function beginUpload(
  upstream: Upstream,
  repository: string,
  digest: Digest,
  from?: string,
): Promise<UploadProgress | undefined> {
  const query =
    from === undefined ? '' : `?${new URLSearchParams({ mount: digest, from: upstream.at(from) })}`
  const scope = from === undefined ? pushScope(upstream, repository) : mountScope(upstream, repository, from)
  const answer = await upstream.exchange.send({
    method: 'POST',
    path: `/v2/${upstream.at(repository)}/blobs/uploads/${query}`,
    scope,
    headers: { 'content-length': '0' },
  })
  answer.discard()
  return answer.status === 201 ? undefined : { location: locationOf(answer), offset: 0 }
}

/** The whole blob in one PUT. @throws UpstreamError */
export async function uploadWhole(
  upstream: Upstream,
  repository: string,
  { location }: UploadProgress,
  { digest, sizeBytes, open }: UploadContent,
): Promise<void> {
  const answer = await upstream.exchange.send({
    method: 'PUT',
    path: withDigest(location, digest),
    scope: pushScope(upstream, repository),
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(sizeBytes) },
    body: open(0),
  })
  answer.discard()
}

/**
 * The next bytes of a blob in one PATCH.
 * @param bytes exactly the chunk that begins at the progress's offset
 * @returns where the upload is now
 * @throws UpstreamError; with status 416 the upload stands elsewhere than was thought
 */
export async function uploadChunk(
  upstream: Upstream,
  repository: string,
  { location, offset }: UploadProgress,
  bytes: Uint8Array,
): Promise<UploadProgress> {
  const answer = await upstream.exchange.send({
    method: 'PATCH',
    path: new URL(location),
    scope: pushScope(upstream, repository),
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(bytes.length),
      'content-range': `${offset}-${offset + bytes.length - 1}`,
    },
    body: bytes,
  })
  answer.discard()
  return { location: locationOf(answer), offset: offset + bytes.length }
}

/** Where an interrupted upload stands. @returns undefined when it is gone: begin another. @throws UpstreamError */
export async function uploadStatus(
  upstream: Upstream,
  repository: string,
  { location }: UploadProgress,
): Promise<UploadProgress | undefined> {
  const answer = await upstream.exchange.send({
    method: 'GET',
    path: new URL(location),
    scope: pushScope(upstream, repository),
    expected: [404, 405],
  })
  answer.discard()
  if (answer.status >= 400) return undefined
  const last = /^(?:bytes=)?0-(\d{1,15})$/.exec(String(answer.headers.range ?? ''))?.[1]
  // `0-0` is what some say of no byte at all; one byte more or less is found out by the next chunk's 416.
  const offset = last === undefined || last === '0' ? 0 : Number(last) + 1
  return { location: answer.headers.location === undefined ? location : locationOf(answer), offset }
}

/** Ends an upload in chunks. @throws UpstreamError */
export async function finishUpload(
  upstream: Upstream,
  repository: string,
  { location }: UploadProgress,
  digest: Digest,
): Promise<void> {
  const answer = await upstream.exchange.send({
    method: 'PUT',
    path: withDigest(location, digest),
    scope: pushScope(upstream, repository),
    headers: { 'content-length': '0' },
  })
  answer.discard()
}

/**
 * @param reference a tag or the digest
 * @returns whether the registry lists it among its subject's referrers by itself
 * @throws UpstreamError
 */
export async function pushManifest(
  upstream: Upstream,
  repository: string,
  reference: string,
  { bytes, mediaType }: { bytes: Uint8Array; mediaType: string },
  headers: Record<string, string> = {},
): Promise<{ listsReferrers: boolean }> {
  const answer = await upstream.exchange.send({
    method: 'PUT',
    path: `/v2/${upstream.at(repository)}/manifests/${reference}`,
    scope: pushScope(upstream, repository),
    headers: { ...headers, 'content-type': mediaType, 'content-length': String(bytes.length) },
    body: bytes,
  })
  answer.discard()
  return { listsReferrers: answer.headers['oci-subject'] !== undefined }
}

/** @param reference a tag, where the registry can delete those, or a digest. @returns false when there was none */
export async function deleteUpstreamManifest(
  upstream: Upstream,
  repository: string,
  reference: string,
): Promise<boolean> {
  const answer = await upstream.exchange.send({
    method: 'DELETE',
    path: `/v2/${upstream.at(repository)}/manifests/${reference}`,
    scope: `repository:${upstream.at(repository)}:delete`,
    expected: [404],
  })
  answer.discard()
  return answer.status !== 404
}

function pushScope(upstream: Upstream, repository: string): string {
  return `repository:${upstream.at(repository)}:pull,push`
}

function mountScope(upstream: Upstream, repository: string, from: string): string {
  return `${pushScope(upstream, repository)} ${upstream.pullScope(from)}`
}

/** @throws UpstreamError `lying` when there is none */
function locationOf({ headers, url }: Incoming): string {
  const { location } = headers
  if (location === undefined || !URL.canParse(location, url.href))
    throw new UpstreamError('lying', `${url.host} began an upload and did not say where`)
  return new URL(location, url).href
}

/** Everything else of the query stays as it is: some registries sign it. */
function withDigest(location: string, digest: Digest): URL {
  return new URL(`${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`)
}
