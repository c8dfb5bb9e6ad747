// Deletion of manifests and tags (distribution-spec v1.1.1 §"Deleting Tags", §"Deleting Manifests").
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { projectOf, type Reference } from '../oci/reference.ts'
import { candidateWrite } from './candidates.ts'
import { deletedRecord } from './deleted-manifests.ts'
import { immutableIn, refuseImmutable, undeletable } from './immutable-tags.ts'
import { keys, partitions } from './keys.ts'
import { type ManifestRecord, manifestChange, manifestDeletion, readManifest } from './manifest-record.ts'
import { unknownManifest } from './manifests.ts'
import { type EventFacts, eventWrite } from './outbox.ts'
import type { Write } from './ports.ts'
import { projectIn } from './projects.ts'
import { type ReferenceStanding, referencesIn, type Standing } from './references.ts'
import type { Actor, Registry } from './registry.ts'
import { type Repository, requireRepository } from './repositories.ts'
import { lostTag, type Tag, tagMove, tagOf, tagsOfManifest } from './tags.ts'

const ATTEMPTS = 20
const NAMED_PARENTS = 5
/** Tags removed in one transaction. */
const TAGS_AT_ONCE = 12
/** Tags a deleted manifest remembers, for undo. */
const TAGS_REMEMBERED = 1000

/**
 * @throws NAME_UNKNOWN, MANIFEST_UNKNOWN; PRECONDITION for an immutable tag, and for a manifest that has one;
 *   DENIED (412) naming the indexes that hold the manifest
 */
export async function deleteReference(
  registry: Registry,
  name: string,
  reference: Reference,
  actor: Actor,
): Promise<void> {
  const projectName = projectOf(name)
  const { repository, items } = await requireRepository(registry, name, () => [keys.project(projectName)])
  const immutable = items[0] && immutableIn(projectIn(items[0], projectName), name)
  if (reference.kind === 'tag') {
    if (immutable?.(reference.tag)) await refuseIfPresent(registry, repository, reference.tag)
    return deleteTag(registry, repository, reference.tag, actor)
  }
  if (immutable)
    await refuseImmutable(registry, partitions.tagsOfManifest(repository.id, reference.digest), immutable)
  const outcome = await deleteManifest(registry, repository.id, reference.digest, actor, { cause: 'delete' })
  if (outcome === 'absent') throw unknownManifest(name, reference.digest)
  if (typeof outcome === 'object')
    throw new RegistryError(
      'DENIED',
      `manifest ${reference.digest} is part of ${outcome.parents.join(', ')}: delete those first`,
      { status: 412, detail: { digest: reference.digest, manifests: outcome.parents } },
    )
}

async function refuseIfPresent(registry: Registry, repository: Repository, tag: string): Promise<void> {
  const current = tagOf(await registry.metadata.get(keys.tag(repository.id, tag)), tag)
  if (current?.digest) throw undeletable(tag)
}

async function deleteTag(
  registry: Registry,
  repository: Repository,
  tag: string,
  actor: Actor,
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const current = tagOf(await registry.metadata.get(keys.tag(repository.id, tag)), tag)
    if (!current?.digest) throw unknownManifest(repository.name, tag)
    const event: EventFacts = { type: 'tag.deleted', digest: current.digest, tags: [tag], cause: 'delete' }
    const outcome = await registry.metadata.transact([
      ...tagMove(registry, repository.id, tag, current, null, actor, 'delete'),
      ...lostTag(registry, repository.id, current, null),
      eventWrite(registry, repository, event, actor),
    ])
    if (outcome.ok) return registry.onEvent()
  }
  throw tooBusy(tag)
}

export interface DeletionOptions {
  cause: string
  /** Standings of references that keep the manifest; by default those of manifests that exist or are being pushed. */
  keptBy?: Standing[]
  /** Leave a manifest alone that has a tag. */
  onlyUntagged?: boolean
  /** Asked once it is condemned: further writes of the deletion, or undefined when it is to stay after all. */
  unless?: () => Promise<Write[] | undefined>
}

export type DeletionOutcome =
  | 'deleted'
  | 'absent'
  | 'tagged'
  /** By what `unless` says. */
  | 'kept'
  /** `settled`: at least one is more than a push that may still fail. */
  | { parents: Digest[]; settled: boolean }

/** Condemns the manifest, then looks whether anything refers to it; whoever pushes does it the other way round. */
export async function deleteManifest(
  registry: Registry,
  repo: string,
  digest: Digest,
  actor: Actor,
  options: DeletionOptions,
): Promise<DeletionOutcome> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const record = await condemn(registry, repo, digest)
    if (!record) return 'absent'
    const parents = await parentsOf(registry, record, options.keptBy ?? ['live', 'young'])
    const tagged = options.onlyUntagged && (await tagsOfManifest(registry, repo, digest, 1)).length > 0
    if (parents.length > 0 || tagged) {
      await revive(registry, record)
      if (tagged) return 'tagged'
      const settled = parents.some(({ standing }) => standing !== 'young')
      return { parents: parents.map(({ manifest }) => manifest), settled }
    }
    const further = options.unless ? await options.unless() : []
    if (!further) {
      await revive(registry, record)
      return 'kept'
    }
    if (await finish(registry, record, actor, options.cause, further)) return 'deleted'
  }
  throw tooBusy(digest)
}

async function condemn(
  registry: Registry,
  repo: string,
  digest: Digest,
): Promise<ManifestRecord | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const seen = await readManifest(registry, repo, digest)
    // Another's condemning is as good as ours, and changing it would only make both begin again, for ever.
    if (!seen || seen.state === 'condemned') return seen
    const outcome = await registry.metadata.transact([manifestChange(registry, seen, { state: 'condemned' })])
    const now = outcome.ok ? await readManifest(registry, repo, digest) : undefined
    if (now?.state === 'condemned') return now
  }
  throw tooBusy(digest)
}

/** Back to live, without counting as a use. Someone else's change meanwhile is as good. */
async function revive(registry: Registry, record: ManifestRecord): Promise<void> {
  await registry.metadata.transact([manifestChange(registry, record, { state: 'live' })])
}

async function parentsOf(
  registry: Registry,
  record: ManifestRecord,
  keptBy: Standing[],
): Promise<ReferenceStanding[]> {
  const parents: ReferenceStanding[] = []
  const pk = partitions.manifest(record.repo, record.digest)
  for await (const parent of referencesIn(registry, record.repo, pk)) {
    if (keptBy.includes(parent.standing)) parents.push(parent)
    if (parents.length === NAMED_PARENTS) break
  }
  return parents
}

/** Tags first while they are too many for one transaction; then everything that remains, at once. */
async function finish(
  registry: Registry,
  record: ManifestRecord,
  actor: Actor,
  cause: string,
  further: Write[],
): Promise<boolean> {
  const removal = (some: Tag[]): Write[] =>
    some.flatMap((tag) => tagMove(registry, record.repo, tag.tag, tag, null, actor, cause))
  const names: string[] = []
  let tags = await tagsOfManifest(registry, record.repo, record.digest, TAGS_AT_ONCE + 1)
  while (tags.length > TAGS_AT_ONCE) {
    if (!(await registry.metadata.transact(removal(tags))).ok) return false
    if (names.length < TAGS_REMEMBERED) names.push(...tags.map((tag) => tag.tag))
    tags = await tagsOfManifest(registry, record.repo, record.digest, TAGS_AT_ONCE + 1)
  }
  names.push(...tags.map((tag) => tag.tag))
  const inline = await registry.metadata.get(keys.manifestBytes(record.repo, record.digest))
  const untilMs = registry.clock.nowMs() + registry.settings.undoWindowMs
  const { digest, mediaType } = record
  const writes: Write[] = [
    ...manifestDeletion(record),
    deletedRecord(registry, record, { bytes: inline?.bytes, tags: names, untilMs, cause }, actor),
    candidateWrite(untilMs, {
      kind: 'deleted',
      repo: record.repo,
      digest: record.digest,
      birth: record.birth,
    }),
    ...removal(tags),
    ...further,
    eventWrite(
      registry,
      record.home,
      { type: 'manifest.deleted', digest, mediaType, tags: names, cause },
      actor,
    ),
  ]
  if (record.subject)
    writes.push({ kind: 'delete', key: keys.referrer(record.repo, record.subject, record.digest) })
  const outcome = await registry.metadata.transact(writes)
  if (outcome.ok) registry.onEvent()
  return outcome.ok
}

function tooBusy(what: string): RegistryError {
  return new RegistryError('UNAVAILABLE', `${what} is being changed by too many requests at once: try again`)
}
