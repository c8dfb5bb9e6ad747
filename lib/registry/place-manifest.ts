// Making a manifest visible: the writer's side of the protocol in docs/gc.md.
// References first, then the targets' state, then one transaction.
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { type Manifest, parseManifest, referrerDescriptor } from '../oci/manifest.ts'
import { untaggedCandidate } from './candidates.ts'
import { immutableTag, type TagTest } from './immutable-tags.ts'
import { keys } from './keys.ts'
import {
  INLINE_BYTES,
  keepManifest,
  type ManifestRecord,
  manifestOf,
  newManifest,
} from './manifest-record.ts'
import { objectKeys } from './object-keys.ts'
import { eventWrite } from './outbox.ts'
import type { Attributes, Item, Key, Write } from './ports.ts'
import { dropReferences, referenceKeys, writeReferences } from './references.ts'
import type { Actor, Registry } from './registry.ts'
import { listingWrites, type Repository, readRepository } from './repositories.ts'
import { requireContent } from './required-content.ts'
import { inOnePiece } from './stored-bytes.ts'
import { isAt, lostTag, type Tag, type TagTarget, tagMove, tagOf } from './tags.ts'

const ATTEMPTS = 50
/** References beyond this are worth a look before they are written. */
const LARGE = 100
/** Longer ones are no media types. */
const TYPE_LIMIT = 255
/** An attempt this old gives up: far below the day for which a collector honours its references. */
const ATTEMPT_LIFE_MS = 3_600_000

export interface Placement {
  digest: Digest
  bytes: Uint8Array
  contentType: string | undefined
  tags: string[]
  cause: string
  /** Leave tags alone that name something by now. */
  onlyFreeTags?: boolean
  /** Tags that may not move once they name something. */
  immutable?: TagTest
}

interface Seen {
  record: ManifestRecord | undefined
  tags: (Tag | undefined)[]
}

/**
 * @param items what was read of `placementKeys` a moment ago, when it was
 * @throws MANIFEST_INVALID, MANIFEST_BLOB_UNKNOWN, SIZE_INVALID; PRECONDITION when an immutable tag would move;
 *   UNAVAILABLE when others keep changing the same tags
 */
export async function placeManifest(
  registry: Registry,
  repository: Repository,
  placement: Placement,
  actor: Actor,
  items?: (Item | undefined)[],
): Promise<{ manifest: Manifest; created: boolean }> {
  const manifest = parseManifest(placement.bytes, placement.contentType)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const seen =
      attempt === 0 && items
        ? seenIn(repository, placement, items)
        : await look(registry, repository, placement)
    refuseMoves(repository, placement, seen.tags)
    if (seen.record) {
      if (await retag(registry, repository, placement, seen.record, seen.tags, actor))
        return { manifest, created: false }
    } else if (await create(registry, repository, placement, manifest, seen, actor))
      return { manifest, created: true }
  }
  throw new RegistryError(
    'UNAVAILABLE',
    'the manifest or its tag is being changed by many requests: try again',
    {
      headers: { 'Retry-After': '1' },
    },
  )
}

/** Keys of what a placement has to see first. */
export function placementKeys(repo: string, { digest, tags }: Placement): Key[] {
  return [keys.manifest(repo, digest), ...tags.map((tag) => keys.tag(repo, tag))]
}

async function look(registry: Registry, repository: Repository, placement: Placement): Promise<Seen> {
  const items = await registry.metadata.batchGet(placementKeys(repository.id, placement))
  return seenIn(repository, placement, items)
}

function seenIn(repository: Repository, { digest, tags }: Placement, items: (Item | undefined)[]): Seen {
  const [item, ...tagItems] = items
  return {
    record: manifestOf(item, repository.id, digest),
    tags: tagItems.map((tagItem, index) => tagOf(tagItem, tags[index]!)),
  }
}

/** Step 0: the manifest is there already. @returns false when something changed meanwhile */
async function retag(
  registry: Registry,
  repository: Repository,
  placement: Placement,
  record: ManifestRecord,
  current: (Tag | undefined)[],
  actor: Actor,
): Promise<boolean> {
  const target = { digest: record.digest, birth: record.birth }
  const keep = keepManifest(registry, record)
  const moved = placement.tags.filter((_, index) => moves(placement, current[index], target))
  if (moved.length === 0 && keep.kind === 'check') return true
  const writes = [keep, ...tagWrites(registry, repository, placement, current, target, actor)]
  if (moved.length > 0)
    writes.push(
      eventWrite(registry, repository, { type: 'tag.moved', ...facts(placement, record.mediaType) }, actor),
    )
  else writes.push(untaggedCandidate(registry, repository.id, record.digest))
  const outcome = await registry.metadata.transact(writes)
  if (outcome.ok) registry.onEvent()
  return outcome.ok
}

async function create(
  registry: Registry,
  repository: Repository,
  placement: Placement,
  manifest: Manifest,
  seen: Seen,
  actor: Actor,
): Promise<boolean> {
  const attempt = registry.newId()
  const startedAtMs = registry.clock.nowMs()
  const references = referenceKeys(repository.id, placement.digest, manifest, attempt)
  // What cannot be accepted shall not cost ten thousand writes first.
  if (references.length > LARGE) await requireContent(registry, repository, manifest)
  await writeReferences(registry, references)
  try {
    await requireContent(registry, repository, manifest)
    const object = await storeLarge(registry, repository, placement.bytes, attempt)
    let current = seen
    for (let round = 0; round < ATTEMPTS && !current.record; round++) {
      if (registry.clock.nowMs() - startedAtMs > ATTEMPT_LIFE_MS)
        throw new RegistryError('UNAVAILABLE', 'the push took too long: try again')
      const home = round === 0 ? repository : (await readRepository(registry, repository.name))?.repository
      if (home?.id !== repository.id)
        throw new RegistryError('NAME_UNKNOWN', `repository ${repository.name} was deleted`)
      const body = { bytes: placement.bytes, object }
      const writes = [
        ...newManifest(registry, home, placement.digest, manifest, attempt, body, actor),
        ...tagWrites(
          registry,
          repository,
          placement,
          current.tags,
          { digest: placement.digest, birth: attempt },
          actor,
        ),
        ...alongside(registry, home, placement, manifest, actor),
      ]
      if ((await registry.metadata.transact(writes)).ok) {
        registry.onEvent()
        return true
      }
      current = await look(registry, repository, placement)
      refuseMoves(repository, placement, current.tags)
    }
  } catch (error) {
    await dropReferences(registry, references)
    throw error
  }
  await dropReferences(registry, references)
  return false
}

async function storeLarge(
  registry: Registry,
  repository: Repository,
  bytes: Uint8Array,
  attempt: string,
): Promise<string | undefined> {
  if (bytes.length <= INLINE_BYTES) return undefined
  const object = objectKeys.manifest(repository.id, attempt)
  await registry.blobs.put(object, inOnePiece(bytes))
  return object
}

function moves({ onlyFreeTags }: Placement, tagNow: Tag | undefined, target: TagTarget): boolean {
  return !isAt(tagNow, target) && !(onlyFreeTags && tagNow?.digest)
}

/** Setting a tag to what it names already moves nothing: whoever lost an answer may push again. */
function refuseMoves(repository: Repository, placement: Placement, tags: (Tag | undefined)[]): void {
  const { digest, immutable, onlyFreeTags } = placement
  if (!immutable || onlyFreeTags) return
  for (const tag of tags)
    if (tag?.digest && tag.digest !== digest && immutable(tag.tag))
      throw immutableTag(repository.name, tag.tag)
}

function tagWrites(
  registry: Registry,
  repository: Repository,
  placement: Placement,
  current: (Tag | undefined)[],
  target: { digest: Digest; birth: string },
  actor: Actor,
): Write[] {
  const { tags, cause } = placement
  const lost = new Map<string, Write>()
  const writes = tags.flatMap((tag, index) => {
    const tagNow = current[index]
    if (!moves(placement, tagNow, target)) return []
    for (const write of lostTag(registry, repository.id, tagNow, target)) lost.set(tagNow!.digest!, write)
    return tagMove(registry, repository.id, tag, tagNow, target, actor, cause)
  })
  return [...writes, ...lost.values()]
}

/** Listings, referrer, candidate and event of a new manifest. */
function alongside(
  registry: Registry,
  repository: Repository,
  placement: Placement,
  manifest: Manifest,
  actor: Actor,
): Write[] {
  const writes: Write[] = [...(repository.listed ? [] : listingWrites(repository))]
  if (manifest.subject) {
    const descriptor = referrerDescriptor(manifest, placement.digest, placement.bytes.length)
    writes.push({
      kind: 'put',
      item: {
        ...keys.referrer(repository.id, manifest.subject.digest, placement.digest),
        attributes: { v: 1, descriptor: descriptor as unknown as Attributes },
      },
    })
  }
  if (placement.tags.length === 0) writes.push(untaggedCandidate(registry, repository.id, placement.digest))
  writes.push(
    eventWrite(
      registry,
      repository,
      { type: 'manifest.pushed', ...facts(placement, manifest.mediaType), ...belongs(manifest) },
      actor,
    ),
  )
  return writes
}

/** So that whoever is told need not read it to know what it is. */
function belongs({ subject, artifactType }: Manifest): { artifactType?: string } {
  return subject && artifactType ? { artifactType: artifactType.slice(0, TYPE_LIMIT) } : {}
}

function facts({ digest, tags, bytes, cause }: Placement, mediaType: string) {
  return { digest, tags, mediaType, sizeBytes: bytes.length, cause }
}
