// This registry as a place to copy from and to, by the same functions that serve clients: quotas, events and
// collections hold for what is replicated too.
import { isShown, readCollection } from '../artifacts/collection.ts'
import { readLabels } from '../artifacts/labels.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { parseReference, projectOf } from '../oci/reference.ts'
import { appendToUpload } from '../registry/append-upload.ts'
import { findBlob, openBlob } from '../registry/blobs.ts'
import { commitUpload } from '../registry/commit-upload.ts'
import { deleteReference } from '../registry/deletion.ts'
import { keys, partitions } from '../registry/keys.ts'
import { findManifest, putManifest } from '../registry/manifests.ts'
import { mountFromAnywhere } from '../registry/mounts.ts'
import { PAGE, pagesOf } from '../registry/partitions.ts'
import type { Json } from '../registry/ports.ts'
import { createProject, findProject } from '../registry/projects.ts'
import { listReferrers } from '../registry/referrers.ts'
import { type Actor, type Registry, text } from '../registry/registry.ts'
import { openRepository, readRepository } from '../registry/repositories.ts'
import type { Session } from '../registry/session-token.ts'
import { startUpload, uploadOffset } from '../registry/uploads.ts'
import { prefixOf } from './patterns.ts'
import { partsOf } from './pieces.ts'
import type { Source, Target, Upload } from './place.ts'

/** How far an upload is becomes known as often; each is one durable append. */
const PART_BYTES = 64 * 1024 * 1024
const ALSO_IN = 3
/** Of a repository's artifacts, as far as lists go. */
const LISTED = 100_000

export function sourceHere(registry: Registry): Source {
  return {
    name: 'this registry',
    repositories: (pattern) => repositories(registry, prefixOf(pattern)),
    tags: (repository) => tags(registry, repository),
    untagged: (repository) => untagged(registry, repository),
    head: (repository, reference) => head(registry, repository, reference),
    manifest: async (repository, digest) => {
      const { record, bytes } = await findManifest(registry, repository, { kind: 'digest', digest })
      return { digest, mediaType: record.mediaType, bytes }
    },
    referrers: (repository, subject) => referrers(registry, repository, subject),
    labels: (repository, digest) => labels(registry, repository, digest),
    alsoIn: (repository, digest) => alsoIn(registry, repository, digest),
    open: (repository, blob, fromByte) => open(registry, repository, blob, fromByte),
  }
}

/** @param actor who pushes, for history and events */
export function targetHere(registry: Registry, actor: Actor): Target {
  return {
    name: 'this registry',
    head: (repository, reference) => head(registry, repository, reference),
    hasBlob: async (repository, { digest }) =>
      (await present(() => findBlob(registry, repository, digest, true))) !== undefined,
    upload: (upload) => receive(registry, actor, upload),
    put: async (repository, reference, { bytes, mediaType }) => {
      await ensureProject(registry, repository, actor)
      const content = { bytes, contentType: mediaType }
      await putManifest(registry, repository, parseReference(reference), content, [], actor)
    },
    delete: async (repository, reference) =>
      (await present(async () => {
        await deleteReference(registry, repository, parseReference(reference), actor)
        return true
      })) ?? false,
  }
}

async function* repositories(registry: Registry, prefix: string): AsyncGenerator<string[]> {
  const range = { pk: partitions.catalog, ...(prefix === '' ? {} : { prefix }) }
  for await (const page of pagesOf(registry.metadata, range)) yield page.map(({ sk }) => sk)
}

async function* tags(registry: Registry, name: string): AsyncGenerator<string[]> {
  const found = await readRepository(registry, name)
  if (found) yield* tagsIn(registry, found.repository.id)
}

/** @param repo the repository's id; a deleted one keeps its tags until its undo window ends */
export async function* tagsIn(registry: Registry, repo: string): AsyncGenerator<string[]> {
  const pk = partitions.tags(repo)
  for await (const page of pagesOf(registry.metadata, { pk })) yield page.map(({ sk }) => sk)
}

async function* untagged(registry: Registry, name: string): AsyncGenerator<Digest[]> {
  const found = await readRepository(registry, name)
  if (found) yield* untaggedIn(registry, found.repository.id)
}

/** @param repo as of `tagsIn`. @throws REQUEST_INVALID where there are more artifacts than are looked at */
export async function* untaggedIn(registry: Registry, repo: string): AsyncGenerator<Digest[]> {
  const collection = await readCollection(registry, repo, LISTED)
  const rows = [...collection.rows.values()]
  yield rows.filter((row) => row.tags.length === 0 && isShown(row, collection)).map(({ digest }) => digest)
}

async function head(registry: Registry, name: string, reference: string): Promise<Digest | undefined> {
  const found = await present(() => findManifest(registry, name, parseReference(reference)))
  return found?.record.digest
}

async function referrers(registry: Registry, name: string, subject: Digest): Promise<Digest[]> {
  const found: Digest[] = []
  let after: string | undefined
  do {
    const page = await listReferrers(registry, name, subject, after === undefined ? {} : { after })
    found.push(...page.descriptors.map(({ digest }) => digest))
    after = page.next
  } while (after !== undefined)
  return found
}

async function labels(registry: Registry, name: string, digest: Digest): Promise<string[]> {
  const found = await readRepository(registry, name, (id) => [keys.labelsOfManifest(id, digest)])
  const ids = (found?.items[0]?.attributes.labels ?? []) as number[]
  return [...(await readLabels(registry, ids)).values()].map((label) => label.name)
}

async function alsoIn(registry: Registry, name: string, digest: Digest): Promise<string[]> {
  const found = await readRepository(registry, name)
  if (!found) return []
  const { id, projectId } = found.repository
  const uses = await registry.metadata.query({ pk: partitions.usage(projectId, digest), limit: PAGE })
  const others = [...new Set(uses.map(({ sk }) => sk.split('#')[0]!))].filter((each) => each !== id)
  const homes = await registry.metadata.batchGet(others.slice(0, ALSO_IN).map(keys.repositoryById))
  return homes.flatMap((home) => (home?.attributes.state === 'live' ? [text(home, 'name')] : []))
}

async function* open(
  registry: Registry,
  name: string,
  { digest, size }: Descriptor,
  fromByte: number,
): AsyncGenerator<Uint8Array> {
  const { link } = await findBlob(registry, name, digest, false)
  if (fromByte >= size) return
  const range = fromByte === 0 ? undefined : { start: fromByte, end: link.sizeBytes - 1 }
  const body = await openBlob(registry, link, range)
  if (body instanceof Uint8Array) yield body
  else yield* body
}

/** As Harbor does for what it pulls: a private project, where there is none. */
async function ensureProject(registry: Registry, repository: string, actor: Actor): Promise<void> {
  const name = projectOf(repository)
  const project = await findProject(registry, name)
  if (project?.registryId !== undefined)
    throw new RegistryError('DENIED', `project ${name} caches another registry: nothing is pushed to it`)
  if (project) return
  await createProject(registry, name, {}, actor).catch(async (error) => {
    if (!(await findProject(registry, name))) throw error
  })
}

async function receive(registry: Registry, actor: Actor, upload: Upload): Promise<boolean> {
  const { blob, progress, save, open } = upload
  await ensureProject(registry, upload.repository, actor)
  const repository = await openRepository(registry, upload.repository, actor)
  if (await mountFromAnywhere(registry, repository, blob.digest)) return false
  const resumed = await resume(registry, progress, repository.id)
  let session = resumed?.session ?? startUpload(registry, repository.id)
  if (resumed) upload.log(`${blob.digest}: goes on at byte ${resumed.offset} of ${blob.size}`)
  if (!resumed || resumed.offset < blob.size)
    for await (const part of partsOf(open(resumed?.offset ?? 0), PART_BYTES)) {
      session = (await appendToUpload(registry, session, { bytes: part })).session
      await save({ ...session })
    }
  await commitUpload(registry, session, blob.digest, undefined)
  return true
}

/** @returns undefined when it has to begin anew */
async function resume(
  registry: Registry,
  progress: Json | undefined,
  repositoryId: string,
): Promise<{ session: Session; offset: number } | undefined> {
  const session = progress as unknown as Session | undefined
  if (session?.repositoryId !== repositoryId) return undefined
  try {
    const offset = await uploadOffset(registry, session)
    return offset > 0 ? { session, offset } : undefined
  } catch (error) {
    if (error instanceof RegistryError) return undefined
    throw error
  }
}

/** @returns undefined for what is not there */
async function present<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof RegistryError && error.status === 404) return undefined
    throw error
  }
}
