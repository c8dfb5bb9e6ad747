// Blobs: presence, bytes, deletion (distribution-spec v1.1.1 §"Pulling blobs", §"Deleting Blobs").
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import type { ByteRange } from '../oci/range.ts'
import { AbsentContent } from './absent-content.ts'
import { objectCandidate } from './candidates.ts'
import { lookForDirectUpload } from './direct-uploads.ts'
import { keys, partitions } from './keys.ts'
import { type Link, linkChange, linkDeletion, linkOf, readLink, touchLink } from './links.ts'
import { referencesIn } from './references.ts'
import type { Registry } from './registry.ts'
import { type Repository, readRepository, requireRepository } from './repositories.ts'

const ATTEMPTS = 20
const NAMED_REFERENCES = 5

export interface FoundBlob {
  repository: Repository
  link: Link
}

/**
 * @param forPush the caller may push here and will rely on the answer, so the blob must stay for the push grace
 * @param mayHavePut whether the caller may have put the blob into the store a moment ago, and S3’s event is still on its
 *   way; asked only when there is no link
 * @throws NAME_UNKNOWN, BLOB_UNKNOWN
 */
export async function findBlob(
  registry: Registry,
  name: string,
  digest: Digest,
  forPush: boolean,
  mayHavePut: () => boolean | Promise<boolean> = () => forPush,
): Promise<FoundBlob> {
  if (!forPush) {
    // What a digest is never changes, so a link as of a moment ago is as good; only its absence has to be sure.
    const found = await readRepository(registry, name, (id) => [keys.link(id, digest)], { stale: true })
    const link = found && linkOf(found.items[0], found.repository.id, digest)
    if (link && link.state !== 'corrupt') return { repository: found.repository, link }
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { repository, items } = await requireRepository(registry, name, (id) => [keys.link(id, digest)])
    let link = linkOf(items[0], repository.id, digest)
    if (!link && registry.settings.directUploads && (await mayHavePut()))
      link = await lookForDirectUpload(registry, repository.id, digest)
    if (!link || link.state === 'corrupt') throw unknownBlob(repository, digest, link)
    if (!forPush || (await touchLink(registry, link))) return { repository, link }
  }
  throw new RegistryError(
    'UNAVAILABLE',
    `blob ${digest} is being changed by too many requests at once: try again`,
  )
}

/** How long a client may take to begin reading a blob it was sent to the store for. */
const LOCATION_SECONDS = 300

/** @returns a URL to read the blob from the store itself, or undefined where its bytes go through us */
export async function locateBlob(
  registry: Registry,
  link: Link,
  method: 'GET' | 'HEAD',
): Promise<string | undefined> {
  const { redirectBlobs, redirectHeads } = registry.settings
  if (!(method === 'GET' ? redirectBlobs : redirectHeads)) return undefined
  return registry.blobs.locate?.(link.object, method, LOCATION_SECONDS)
}

/**
 * Larger blobs come in chunks: whoever sends them counts, and breaks off when there are too few bytes.
 * @throws BLOB_UNKNOWN when the object is gone from the store, or cut short
 */
export async function openBlob(
  registry: Registry,
  link: Link,
  range?: ByteRange,
): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
  const body = await registry.blobs.open(link.object, range)
  const expectedBytes = range ? range.end - range.start + 1 : link.sizeBytes
  if (!body || (body instanceof Uint8Array && body.length !== expectedBytes))
    throw new RegistryError(
      'BLOB_UNKNOWN',
      `the bytes of ${link.digest} are ${body ? 'damaged in' : 'missing from'} the store: push the blob again`,
    )
  return body
}

function unknownBlob(repository: Repository, digest: Digest, link: Link | undefined): RegistryError {
  const why = link
    ? `blob ${digest} was found corrupt in the store and is not served: push it again to repair ${repository.name}`
    : `repository ${repository.name} has no blob ${digest}`
  return new AbsentContent(repository, 'BLOB_UNKNOWN', why, { digest })
}

/**
 * Deletes a blob nothing refers to: condemn it first, then look for references, as the collector does.
 * @throws BLOB_UNKNOWN; UNSUPPORTED (405) naming the manifests that use it
 */
export async function deleteBlob(registry: Registry, name: string, digest: Digest): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { link } = await findBlob(registry, name, digest, false, () => true)
    const condemned = await condemn(registry, link)
    if (!condemned) continue
    const users = await liveUsers(registry, condemned)
    if (users.length > 0) {
      await touchLink(registry, condemned)
      throw new RegistryError(
        'UNSUPPORTED',
        `blob ${digest} is used by ${users.join(', ')}: delete those manifests first`,
        {
          detail: { digest, manifests: users },
        },
      )
    }
    const outcome = await registry.metadata.transact([
      linkDeletion(condemned),
      { kind: 'delete', key: keys.objectReference(condemned.object, condemned.repo, digest) },
      objectCandidate(registry, condemned.object),
    ])
    if (outcome.ok) return
  }
  throw new RegistryError(
    'UNAVAILABLE',
    `blob ${digest} is being changed by too many requests at once: try again`,
  )
}

/** Another's condemning is as good as ours. @returns undefined when something changed meanwhile */
async function condemn(registry: Registry, link: Link): Promise<Link | undefined> {
  if (link.state === 'condemned') return link
  if (!(await registry.metadata.transact([linkChange(registry, link, { state: 'condemned' })])).ok)
    return undefined
  const now = await readLink(registry, link.repo, link.digest)
  return now?.state === 'condemned' ? now : undefined
}

/** Manifests that exist, or are being pushed, and use the blob. One that only undo could bring back does not count. */
async function liveUsers(registry: Registry, link: Link): Promise<Digest[]> {
  const users: Digest[] = []
  for await (const { manifest, standing } of referencesIn(
    registry,
    link.repo,
    partitions.link(link.repo, link.digest),
  )) {
    if (standing === 'live' || standing === 'young') users.push(manifest)
    if (users.length === NAMED_REFERENCES) break
  }
  return users
}
