// Labels on artifacts. Each artifact has one item with the numbers of its labels, each label a listing of its artifacts.
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { keys, partitions } from '../registry/keys.ts'
import { unknownManifest } from '../registry/manifests.ts'
import { pagesOf } from '../registry/partitions.ts'
import type { Item, Write } from '../registry/ports.ts'
import { type Registry, text } from '../registry/registry.ts'
import type { Repository } from '../registry/repositories.ts'
import { deleteLabelItem, type Label, requireLabel, unknownLabel } from './labels.ts'

const ATTEMPTS = 20
const LABELS_LIMIT = 100

/** @param item an artifact's */
export function labelNumbers(item: Item | undefined): number[] {
  return (item?.attributes.labels as number[] | undefined) ?? []
}

/**
 * @throws NOT_FOUND when there is no such label, or it is another project's; MANIFEST_UNKNOWN; REQUEST_INVALID, with
 *   status 409 when the artifact has it already
 */
export async function addLabel(
  registry: Registry,
  repository: Repository,
  digest: Digest,
  labelId: number,
): Promise<void> {
  const label = await requireLabel(registry, labelId)
  if (label.scope === 'p' && label.projectId !== repository.projectId)
    throw new RegistryError('NOT_FOUND', `project ${repository.projectName}, label ${labelId} not found`)
  await change(registry, repository, digest, (labels) => {
    if (labels.includes(labelId))
      throw new RegistryError(
        'REQUEST_INVALID',
        `label ${labelId} is already added to the artifact ${digest}`,
        {
          status: 409,
        },
      )
    if (labels.length >= LABELS_LIMIT)
      throw new RegistryError(
        'REQUEST_INVALID',
        `the artifact has ${LABELS_LIMIT} labels, as many as it can have`,
      )
    const attributes = { v: 1, addedAtMs: registry.clock.nowMs() }
    return {
      labels: [...labels, labelId],
      also: [
        { kind: 'check', key: keys.label(labelId), if: { kind: 'present' } },
        { kind: 'put', item: { ...keys.labelled(labelId, repository.id, digest), attributes } },
      ],
      gone: () => unknownLabel(labelId),
    }
  })
}

/** @throws NOT_FOUND when the artifact does not have it; MANIFEST_UNKNOWN */
export async function removeLabel(
  registry: Registry,
  repository: Repository,
  digest: Digest,
  labelId: number,
): Promise<void> {
  await change(registry, repository, digest, (labels) => {
    if (!labels.includes(labelId))
      throw new RegistryError('NOT_FOUND', `the artifact ${digest} does not have label ${labelId}`)
    return {
      labels: labels.filter((each) => each !== labelId),
      also: [{ kind: 'delete', key: keys.labelled(labelId, repository.id, digest) }],
    }
  })
}

/**
 * Takes it from every artifact that has it, then deletes it.
 * @throws NOT_FOUND
 */
export async function deleteLabel(registry: Registry, id: number): Promise<Label> {
  // First the label, so that nothing gets it any more.
  const label = await deleteLabelItem(registry, id)
  for await (const page of pagesOf(registry.metadata, { pk: partitions.labelled(id) }))
    for (const { sk } of page) {
      const [repo, digest] = sk.split('#') as [string, Digest]
      await take(registry, repo, digest, id)
    }
  return label
}

/** Digests of a repository's artifacts that have all of the labels. */
export async function artifactsWith(
  registry: Registry,
  repo: string,
  labels: number[],
): Promise<Set<Digest>> {
  let found: Set<Digest> | undefined
  for (const label of labels) {
    const digests = new Set<Digest>()
    const range = { pk: partitions.labelled(label), prefix: `${repo}#` }
    for await (const page of pagesOf(registry.metadata, range))
      for (const { sk } of page) {
        const digest = sk.slice(repo.length + 1) as Digest
        if (!found || found.has(digest)) digests.add(digest)
      }
    found = digests
  }
  return found ?? new Set()
}

interface Change {
  labels: number[]
  /** Writes of the same transaction. */
  also: Write[]
  /** What it means that the first of them fails. */
  gone?: () => RegistryError
}

async function change(
  registry: Registry,
  repository: Repository,
  digest: Digest,
  decide: (labels: number[]) => Change,
): Promise<void> {
  const key = keys.labelsOfManifest(repository.id, digest)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const item = await registry.metadata.get(key)
    const { labels, also, gone } = decide(labelNumbers(item))
    const outcome = await registry.metadata.transact([
      {
        kind: 'put',
        if: asRead(item),
        item: { ...key, attributes: { v: 1, gen: registry.newId(), labels } },
      },
      { kind: 'check', key: keys.manifest(repository.id, digest), if: { kind: 'present' } },
      ...also,
    ])
    if (outcome.ok) return
    if (outcome.failed.includes(1)) throw unknownManifest(repository.name, digest)
    if (gone && outcome.failed.includes(2)) throw gone()
  }
  throw tooBusy(digest)
}

async function take(registry: Registry, repo: string, digest: Digest, label: number): Promise<void> {
  const key = keys.labelsOfManifest(repo, digest)
  const listed: Write = { kind: 'delete', key: keys.labelled(label, repo, digest) }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const item = await registry.metadata.get(key)
    const labels = labelNumbers(item).filter((each) => each !== label)
    const rest: Write[] = item
      ? [
          {
            kind: 'put',
            if: asRead(item),
            item: { ...key, attributes: { v: 1, gen: registry.newId(), labels } },
          },
        ]
      : []
    if ((await registry.metadata.transact([...rest, listed])).ok) return
  }
  throw tooBusy(digest)
}

function asRead(item: Item | undefined) {
  return item
    ? { kind: 'equals' as const, attributes: { gen: text(item, 'gen') } }
    : { kind: 'absent' as const }
}

function tooBusy(digest: Digest): RegistryError {
  return new RegistryError(
    'UNAVAILABLE',
    `labels of ${digest} are being changed by many requests at once: try again`,
  )
}
