// What clients and operators do, as real calls of the registry's verbs. A refusal is a fine answer; a lie is not.
import type { Digest } from '../../lib/oci/digest.ts'
import { RegistryError } from '../../lib/oci/errors.ts'
import { appendToUpload } from '../../lib/registry/append-upload.ts'
import { deleteBlob, findBlob } from '../../lib/registry/blobs.ts'
import { commitUpload } from '../../lib/registry/commit-upload.ts'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { registerDirectUpload } from '../../lib/registry/direct-uploads.ts'
import { sweep } from '../../lib/registry/gc/sweep.ts'
import { putManifest } from '../../lib/registry/manifests.ts'
import { mountFrom } from '../../lib/registry/mounts.ts'
import { objectKeys } from '../../lib/registry/object-keys.ts'
import { type Registry, SYSTEM } from '../../lib/registry/registry.ts'
import { relay } from '../../lib/registry/relay.ts'
import { openRepository } from '../../lib/registry/repositories.ts'
import { deleteRepository, restoreRepository } from '../../lib/registry/repository-deletion.ts'
import { undo } from '../../lib/registry/undo.ts'
import { startUpload } from '../../lib/registry/uploads.ts'
import { BLOBS, MANIFESTS, type ModelBlob, type ModelManifest } from './content.ts'

export const REPOSITORIES = ['library/one', 'library/two']
export const TAGS = ['v1', 'v2']

/** How a client sends a blob: in one request, as a stream, or straight into the store. */
export type Way = 'whole' | 'chunked' | 'direct'

export type Operation =
  | { kind: 'push'; repo: number; manifest: number; tag: number | null; mount: boolean; way: Way }
  | { kind: 'put manifest'; repo: number; manifest: number; tag: number | null }
  | { kind: 'upload'; repo: number; blob: number; twice: boolean }
  | { kind: 'delete manifest'; repo: number; manifest: number }
  | { kind: 'delete tag'; repo: number; tag: number }
  | { kind: 'delete blob'; repo: number; blob: number }
  | { kind: 'undo tag'; repo: number; tag: number }
  | { kind: 'undo manifest'; repo: number; manifest: number }
  | { kind: 'delete repository'; repo: number }
  | { kind: 'undo repository'; repo: number }
  /** The store tells of a direct upload: at once, late, or again. */
  | { kind: 'event'; which: number }
  /** Time passes; the schedule does this once no client's operation is under way. */
  | { kind: 'wait'; hours: number }
  /** The next operation starts only after so many steps, or when nothing else runs. */
  | { kind: 'delay'; steps: number }
  | { kind: 'sweep' }
  | { kind: 'relay' }

/** @returns whether the operation was acknowledged */
export async function perform(registry: Registry, operation: Operation, direct: string[]): Promise<boolean> {
  try {
    await run(registry, operation, direct)
    return true
  } catch (error) {
    if (error instanceof RegistryError && error.code !== 'UNKNOWN') return false
    throw error
  }
}

/** @param direct keys of all direct uploads so far */
async function run(registry: Registry, operation: Operation, direct: string[]): Promise<void> {
  const { kind } = operation
  if (kind === 'sweep') return void (await sweep(registry, 'model'))
  if (kind === 'wait' || kind === 'delay') return
  if (kind === 'relay') return void (await relay(registry))
  if (kind === 'event') {
    const key = direct[operation.which % Math.max(1, direct.length)]
    if (key !== undefined) await registerDirectUpload(registry, key)
    return
  }
  const name = REPOSITORIES[operation.repo]!
  if (kind === 'delete repository') return void (await deleteRepository(registry, name, SYSTEM))
  if (kind === 'undo repository') return void (await restoreRepository(registry, name, SYSTEM))
  if (kind === 'push') return push(registry, name, operation, direct)
  if (kind === 'put manifest') return put(registry, name, MANIFESTS[operation.manifest]!, operation.tag)
  if (kind === 'upload')
    return upload(registry, name, BLOBS[operation.blob]!, 'whole', operation.twice, direct)
  if (kind === 'delete blob') return deleteBlob(registry, name, BLOBS[operation.blob]!.digest as Digest)
  const reference =
    kind === 'delete tag' || kind === 'undo tag'
      ? { kind: 'tag' as const, tag: TAGS[operation.tag]! }
      : { kind: 'digest' as const, digest: MANIFESTS[operation.manifest]!.digest as Digest }
  if (kind === 'delete tag' || kind === 'delete manifest')
    return deleteReference(registry, name, reference, SYSTEM)
  await undo(registry, name, reference, SYSTEM)
}

/** As clients push: ask for each blob, mount or upload what is missing, children first, then the manifest. */
async function push(
  registry: Registry,
  name: string,
  { manifest, tag, mount, way }: Extract<Operation, { kind: 'push' }>,
  direct: string[],
): Promise<void> {
  const wanted = MANIFESTS[manifest]!
  for (const child of wanted.children) await pushOne(registry, name, child, null, mount, way, direct)
  await pushOne(registry, name, wanted, tag, mount, way, direct)
}

async function pushOne(
  registry: Registry,
  name: string,
  manifest: ModelManifest,
  tag: number | null,
  mount: boolean,
  way: Way,
  direct: string[],
): Promise<void> {
  for (const blob of manifest.blobs) {
    if (await has(registry, name, blob)) continue
    if (mount && (await mounted(registry, name, blob))) continue
    await upload(registry, name, blob, way, false, direct)
  }
  await put(registry, name, manifest, tag)
}

async function has(registry: Registry, name: string, blob: ModelBlob): Promise<boolean> {
  try {
    await findBlob(registry, name, blob.digest as Digest, true)
    return true
  } catch (error) {
    if (error instanceof RegistryError && error.status === 404) return false
    throw error
  }
}

async function mounted(registry: Registry, name: string, blob: ModelBlob): Promise<boolean> {
  const target = await openRepository(registry, name, SYSTEM)
  return mountFrom(registry, target, blob.digest as Digest, REPOSITORIES.find((other) => other !== name)!)
}

async function upload(
  registry: Registry,
  name: string,
  blob: ModelBlob,
  way: Way,
  twice: boolean,
  direct: string[],
): Promise<void> {
  const repository = await openRepository(registry, name, SYSTEM)
  let session = startUpload(registry, repository.id)
  const digest = blob.digest as Digest
  if (way === 'direct') {
    const key = objectKeys.direct(repository.id, digest, session.id)
    await registry.blobs.put(key, once(blob.bytes))
    direct.push(key)
    return
  }
  const chunked = way === 'chunked'
  const body = () => ({ bytes: once(blob.bytes), lengthBytes: blob.bytes.length })
  if (chunked) session = (await appendToUpload(registry, session, body())).session
  const commit = () => commitUpload(registry, session, digest, chunked ? undefined : body())
  // A client that lost the answer repeats its commit while the first may still be under way.
  if (twice) await Promise.all([commit(), commit()])
  else await commit()
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function put(
  registry: Registry,
  name: string,
  manifest: ModelManifest,
  tag: number | null,
): Promise<void> {
  const reference =
    tag === null
      ? { kind: 'digest' as const, digest: manifest.digest as Digest }
      : { kind: 'tag' as const, tag: TAGS[tag]! }
  const content = { bytes: manifest.bytes, contentType: manifest.mediaType }
  await putManifest(registry, name, reference, content, [], SYSTEM)
}
