// Pushes and deletions start the rules that wait for events.

import { type Jobs, startExecution } from '../jobs/executions.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { parseManifest } from '../oci/manifest.ts'
import { partitions } from '../registry/keys.ts'
import { findManifest } from '../registry/manifests.ts'
import type { Item } from '../registry/ports.ts'
import { referencesIn } from '../registry/references.ts'
import { type Registry, type Replicated, text } from '../registry/registry.ts'
import { readRepository } from '../registry/repositories.ts'
import { tagsOfManifest } from '../registry/tags.ts'
import { labelFilter, referenceFilter, repositoryMatcher, subjectOfTag } from './filters.ts'
import { sourceHere } from './here.ts'
import { type Clearing, type Copying, type Deleting, type Planning, planSpec, taskSpec } from './payload.ts'
import { policiesByEvent } from './policies.ts'
import type { ReplicationPolicy } from './policy.ts'

type Deed = Clearing | Copying | Deleting | Planning

const TAGS_LIMIT = 100
const SUBJECTS_LIMIT = 4

/** Called for each event of the outbox, at least once: copying twice is copying once. */
export async function replicateEvent(jobs: Jobs, event: Item): Promise<void> {
  const deeds = deedsOf(event)
  if (!deeds) return
  const policies = (await policiesByEvent(jobs.registry)).filter((policy) => concerns(policy, event))
  if (policies.length === 0) return
  const wanted = await deeds(jobs.registry)
  for (const policy of policies) await start(jobs, policy, wanted, event)
}

/** What comes from a registry does not go back to it. */
function concerns(policy: ReplicationPolicy, event: Item): boolean {
  if (replicatedIn(event).from === policy.registryId) return false
  if (!policy.deletion && text(event, 'type').endsWith('.deleted')) return false
  return repositoryMatcher(policy)(text(event, 'name'))
}

function replicatedIn(event: Item): Replicated {
  return (event.attributes.replicated ?? {}) as Replicated
}

async function start(jobs: Jobs, policy: ReplicationPolicy, wanted: Deed[], event: Item): Promise<void> {
  const chosen: Deed[] = []
  for (const deed of wanted) if (await isChosen(jobs.registry, policy, deed)) chosen.push(deed)
  if (chosen.length === 0) return
  const spec = {
    vendor: 'REPLICATION' as const,
    rule: policy.id,
    trigger: 'EVENT' as const,
    extra: { operator: text(event, 'principal') },
  }
  try {
    const { via } = replicatedIn(event)
    const tasks = chosen.map((deed) =>
      deed.do === 'clear' || deed.do === 'plan' ? planSpec(policy, deed) : taskSpec(policy, deed, via),
    )
    await startExecution(jobs, spec, tasks)
  } catch (error) {
    // A repository that has no name at the destination; nothing would change that.
    if (!(error instanceof RegistryError) || error.status >= 500) throw error
  }
}

async function isChosen(registry: Registry, policy: ReplicationPolicy, deed: Deed): Promise<boolean> {
  if (deed.do === 'clear' || deed.do === 'plan') return true
  if (!referenceFilter(policy)(deed.reference)) return false
  // What is gone has no labels any more.
  const labels = labelFilter(policy)
  return deed.do === 'delete' || !labels || labels(await labelsOf(registry, deed))
}

async function labelsOf(registry: Registry, { repository, reference }: Copying): Promise<string[]> {
  const source = sourceHere(registry)
  const digest = await source.head(repository, reference)
  return digest ? source.labels(repository, digest) : []
}

/** @returns undefined for events that no rule waits for */
function deedsOf(event: Item): ((registry: Registry) => Promise<Deed[]>) | undefined {
  const type = text(event, 'type')
  const {
    tags = [],
    digest,
    cause,
  } = event.attributes as { tags?: string[]; digest?: Digest; cause?: string }
  const repository = text(event, 'name')
  if (type === 'manifest.pushed' || type === 'tag.moved')
    return async (registry) =>
      (await pushed(registry, repository, tags, digest)).map((reference) => ({
        do: 'copy',
        repository,
        reference,
      }))
  if (type === 'repository.restored') return async () => [{ do: 'plan', repository }]
  // What collections take away is their own registry's business.
  if (cause !== 'delete') return undefined
  if (type === 'repository.deleted')
    return async () => [{ do: 'clear', repository, repositoryId: text(event, 'repo') }]
  if (type !== 'tag.deleted' && type !== 'manifest.deleted') return undefined
  const whole = digest && type === 'manifest.deleted' ? { digest } : {}
  const references = tags.length === 0 && digest ? [digest] : tags
  return async () => references.map((reference) => ({ do: 'delete', repository, reference, ...whole }))
}

/** @returns tags, or the digest of what has none, that are copied because of a push */
async function pushed(
  registry: Registry,
  repository: string,
  tags: string[],
  digest: Digest | undefined,
): Promise<string[]> {
  const copied = await withSubjects(registry, repository, tags)
  if (!digest) return copied
  const top = await topOf(registry, repository, digest)
  if (top !== digest) return [...new Set([...copied, ...(await referencesOf(registry, repository, top))])]
  return tags.length > 0 ? copied : referencesOf(registry, repository, digest)
}

/** A signature's tag stands for what it signs. */
async function withSubjects(registry: Registry, repository: string, tags: string[]): Promise<string[]> {
  const all = await Promise.all(
    tags.map(async (tag) => {
      const subject = subjectOfTag(tag)
      return subject ? referencesOf(registry, repository, subject as Digest) : [tag]
    }),
  )
  return all.flat()
}

/** What a referrer refers to in the end; the manifest itself when it is none. */
async function topOf(registry: Registry, repository: string, digest: Digest): Promise<Digest> {
  let at = digest
  for (let depth = 0; depth < SUBJECTS_LIMIT; depth++) {
    const subject = await subjectOf(registry, repository, at)
    if (!subject) return at
    at = subject
  }
  return at
}

async function subjectOf(
  registry: Registry,
  repository: string,
  digest: Digest,
): Promise<Digest | undefined> {
  try {
    const { record, bytes } = await findManifest(registry, repository, { kind: 'digest', digest })
    return parseManifest(bytes, record.mediaType).subject?.digest
  } catch (error) {
    if (error instanceof RegistryError && error.status === 404) return undefined
    throw error
  }
}

/** Its tags, or its digest; nothing where it is part of an index, which is copied with it. */
async function referencesOf(registry: Registry, repository: string, digest: Digest): Promise<string[]> {
  const found = await readRepository(registry, repository)
  if (!found) return []
  const tags = await tagsOfManifest(registry, found.repository.id, digest, TAGS_LIMIT)
  if (tags.length > 0) return tags.map(({ tag }) => tag)
  return (await isPart(registry, found.repository.id, digest)) ? [] : [digest]
}

async function isPart(registry: Registry, repo: string, digest: Digest): Promise<boolean> {
  for await (const { standing } of referencesIn(registry, repo, partitions.manifest(repo, digest)))
    if (standing === 'live' || standing === 'young') return true
  return false
}
