// Another registry as a place to copy from and to, over the OCI protocol.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { parseManifest, referrerDescriptor } from '../oci/manifest.ts'
import { OCI_INDEX } from '../oci/media-types.ts'
import { projectOf } from '../oci/reference.ts'
import { VIA_HEADER } from '../registry/identity.ts'
import type { Json } from '../registry/ports.ts'
import { makeHarborProject } from '../upstream/harbor-projects.ts'
import { upstreamCatalog, upstreamTags } from '../upstream/lists.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { UpstreamError } from '../upstream/upstream-error.ts'
import {
  beginUpload,
  deleteUpstreamManifest,
  finishUpload,
  pushManifest,
  type UploadProgress,
  uploadChunk,
  uploadStatus,
  uploadWhole,
} from '../upstream/writing.ts'
import { chunksOf } from './pieces.ts'
import { CameFromThere, type PlacedManifest, type Source, type Target, type Upload } from './place.ts'

/** As Harbor's. */
const CHUNK_BYTES = 10 * 1024 * 1024
const TRIES = 5
const FIRST_WAIT_MS = 500
const LOOP = 508

export function sourceThere(upstream: Upstream): Source {
  return {
    name: upstream.host,
    repositories: () => upstreamCatalog(upstream),
    tags: (repository) => tags(upstream, repository),
    // The protocol lists tags alone.
    untagged: async function* () {},
    head: (repository, reference) => head(upstream, repository, reference),
    manifest: (repository, digest) => upstream.getManifest(repository, digest),
    referrers: (repository, subject) => referrers(upstream, repository, subject),
    labels: async () => [],
    alsoIn: async () => [],
    open: (repository, blob, fromByte) => upstream.readBlob(repository, blob.digest, blob.size, fromByte),
  }
}

export interface TargetOptions {
  /** Registries that what is put has gone through, this one the last of them. */
  via: string[]
  /** Ends waiting. */
  signal: AbortSignal
  /** Of a project that has to be made there. */
  isPublic(): Promise<boolean>
}

export function targetThere(upstream: Upstream, { via, signal, isPublic }: TargetOptions): Target {
  const headers = { [VIA_HEADER]: via.join(',') }
  /** Where the project may be missing it is made, and asked once more. */
  const inProject = async <T>(repository: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof UpstreamError && ['absent', 'denied'].includes(error.failure))) throw error
      if (!(await makeHarborProject(upstream, projectOf(repository), isPublic))) throw error
      return work()
    }
  }
  return {
    name: upstream.host,
    head: (repository, reference) => inProject(repository, () => head(upstream, repository, reference)),
    hasBlob: async (repository, { digest }) => (await upstream.headBlob(repository, digest)) !== undefined,
    upload: (upload) => inProject(upload.repository, () => send(upstream, upload, signal)),
    put: (repository, reference, manifest) =>
      inProject(repository, () => put(upstream, repository, reference, manifest, headers)),
    delete: (repository, reference, digest) => remove(upstream, repository, reference, digest),
  }
}

/** Older registries delete no tags, only what they name. */
async function remove(
  upstream: Upstream,
  repository: string,
  reference: string,
  digest: Digest | undefined,
): Promise<boolean> {
  try {
    return await deleteUpstreamManifest(upstream, repository, reference)
  } catch (error) {
    if (!(error instanceof UpstreamError && (error.status === 400 || error.status === 405))) throw error
    const now = await head(upstream, repository, reference)
    if (now === undefined) return false
    if (now === digest) return deleteUpstreamManifest(upstream, repository, digest)
    throw new UpstreamError('failed', `${upstream.host} deletes no tags (${error.message})`, {
      ...(error.status === undefined ? {} : { status: error.status }),
      cause: error,
    })
  }
}

async function* tags(upstream: Upstream, repository: string): AsyncGenerator<string[]> {
  try {
    yield* upstreamTags(upstream, repository)
  } catch (error) {
    // A repository of the catalog that lost its last tag.
    if (!(error instanceof UpstreamError && error.failure === 'absent')) throw error
  }
}

async function head(upstream: Upstream, repository: string, reference: string): Promise<Digest | undefined> {
  return (await upstream.headManifest(repository, reference))?.digest
}

async function referrers(upstream: Upstream, repository: string, subject: Digest): Promise<Digest[]> {
  const bytes = await upstream.getReferrers(repository, subject)
  return bytes ? parseManifest(bytes, OCI_INDEX).children.map(({ digest }) => digest) : []
}

async function send(upstream: Upstream, upload: Upload, signal: AbortSignal): Promise<boolean> {
  const { repository, blob, mountFrom, open } = upload
  const chunked = upload.byChunk && blob.size > CHUNK_BYTES
  let progress = chunked ? await standing(upstream, repository, upload.progress) : undefined
  if (progress) upload.log(`${blob.digest}: goes on at byte ${progress.offset} of ${blob.size}`)
  for (const from of mountFrom) {
    if (progress) break
    progress = await beginUpload(upstream, repository, blob.digest, from)
    if (!progress) return false
  }
  progress ??= await beginUpload(upstream, repository, blob.digest)
  if (!progress) return false
  if (chunked) await sendChunks(upstream, upload, progress, signal)
  else await uploadWhole(upstream, repository, progress, { digest: blob.digest, sizeBytes: blob.size, open })
  return true
}

/** Where an upload that was kept stands now, as the registry itself says. */
async function standing(
  upstream: Upstream,
  repository: string,
  kept: Json | undefined,
): Promise<UploadProgress | undefined> {
  if (!kept) return undefined
  try {
    const now = await uploadStatus(upstream, repository, kept as unknown as UploadProgress)
    return now && now.offset > 0 ? now : undefined
  } catch (error) {
    if (error instanceof UpstreamError && error.status !== undefined && error.status < 500) return undefined
    throw error
  }
}

/** A chunk that failed is sent again from where the registry says that the upload stands. */
async function sendChunks(
  upstream: Upstream,
  upload: Upload,
  begun: UploadProgress,
  signal: AbortSignal,
): Promise<void> {
  const { repository, blob } = upload
  let progress = begun
  for (let failures = 0; progress.offset < blob.size; ) {
    try {
      for await (const chunk of chunksOf(upload.open(progress.offset), CHUNK_BYTES)) {
        progress = await uploadChunk(upstream, repository, progress, chunk)
        await upload.save({ ...progress })
        failures = 0
      }
    } catch (error) {
      signal.throwIfAborted()
      failures += 1
      if (!(error instanceof UpstreamError) || error.failure === 'denied' || failures === TRIES) throw error
      // Who asks to be left alone is: what has arrived is kept for the next attempt of the task.
      if (error.waitMs(Date.now()) > FIRST_WAIT_MS) throw error
      upload.log(`${blob.digest}: chunk at byte ${progress.offset} failed (${error.message}); again`)
      await sleep(FIRST_WAIT_MS * 2 ** failures, undefined, { signal })
      const now = await uploadStatus(upstream, repository, progress)
      if (!now) throw error
      progress = now
    }
  }
  await finishUpload(upstream, repository, progress, blob.digest)
}

async function put(
  upstream: Upstream,
  repository: string,
  reference: string,
  manifest: PlacedManifest,
  headers: Record<string, string>,
): Promise<void> {
  const { listsReferrers } = await pushManifest(upstream, repository, reference, manifest, headers).catch(
    (error) => {
      throw error instanceof UpstreamError && error.status === LOOP ? new CameFromThere(error.message) : error
    },
  )
  const parsed = parseManifest(manifest.bytes, manifest.mediaType)
  if (!parsed.subject || listsReferrers) return
  const descriptor = referrerDescriptor(parsed, manifest.digest, manifest.bytes.length)
  await listByTag(upstream, repository, parsed.subject.digest, descriptor)
}

/** Where the registry does not keep the list of referrers, its clients do (distribution-spec v1.1.1 §"Referrers Tag Schema"). */
async function listByTag(
  upstream: Upstream,
  repository: string,
  subject: Digest,
  referrer: Descriptor,
): Promise<void> {
  const tag = subject.replace(':', '-')
  const listed = (await upstream.headManifest(repository, tag))
    ? parseManifest((await upstream.getManifest(repository, tag)).bytes, OCI_INDEX).children
    : []
  if (listed.some(({ digest }) => digest === referrer.digest)) return
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...listed, referrer] }
  const bytes = Buffer.from(JSON.stringify(index))
  await pushManifest(upstream, repository, tag, { bytes, mediaType: OCI_INDEX })
}
