// Pushes and deletions start the rules that wait for events.

import { type Jobs, startExecution } from '../jobs/executions.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { parseManifest } from '../oci/manifest.ts'
import { findManifest } from '../registry/manifests.ts'
import type { Item } from '../registry/ports.ts'
import { type Registry, type Replicated, text } from '../registry/registry.ts'
import { readRepository } from '../registry/repositories.ts'
import { tagsOfManifest } from '../registry/tags.ts'
import { labelFilter, repositoryMatcher, subjectOfTag, tagFilter } from './filters.ts'
import { sourceHere } from './here.ts'
import { type Payload, taskSpec } from './payload.ts'
import { policiesByEvent } from './policies.ts'
import type { ReplicationPolicy } from './policy.ts'

type Deed = Exclude<Payload, { do: 'plan' }>

const TAGS_LIMIT = 100
const SUBJECTS_LIMIT = 4

/** Called for each event of the outbox, at least once: copying twice is copying once. */
export async function replicateEvent(jobs: Jobs, event: Item): Promise<void> {
  if (event.attributes.repo === undefined) return
  const deeds = deedsOf(event)
  if (!deeds) return
  const policies = (await policiesByEvent(jobs.registry)).filter((policy) => concerns(policy, event))
  if (policies.length === 0) return
  const wanted = await deeds(jobs.registry)
  for (const policy of policies) await start(jobs, policy, wanted, replicatedIn(event).via)
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

async function start(
  jobs: Jobs,
  policy: ReplicationPolicy,
  wanted: Deed[],
  via: string[] | undefined,
): Promise<void> {
  const matches = tagFilter(policy)
  const labels = labelFilter(policy)
  const chosen: Deed[] = []
  for (const deed of wanted) {
    const { repository, tag } = deed
    if (!matches(tag)) continue
    if (deed.do === 'copy' && labels && !labels(await labelsOf(jobs.registry, repository, tag))) continue
    chosen.push(deed)
  }
  if (chosen.length === 0) return
  try {
    const tasks = chosen.map((deed) => taskSpec(policy, deed, via))
    await startExecution(jobs, { vendor: 'REPLICATION', rule: policy.id, trigger: 'EVENT' }, tasks)
  } catch (error) {
    // A repository that has no name at the destination; nothing would change that.
    if (!(error instanceof RegistryError) || error.status >= 500) throw error
  }
}

async function labelsOf(registry: Registry, repository: string, tag: string): Promise<string[]> {
  const source = sourceHere(registry)
  const digest = await source.head(repository, tag)
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
    return async (registry) => {
      const copied = tags.length > 0 ? await withSubjects(registry, repository, tags) : []
      const belongsTo = digest ? await tagsOfSubject(registry, repository, digest) : []
      return [...new Set([...copied, ...belongsTo])].map((tag) => ({ do: 'copy', repository, tag }))
    }
  // What collections take away is their own registry's business.
  if ((type === 'tag.deleted' || type === 'manifest.deleted') && cause === 'delete' && tags.length > 0)
    return async () =>
      tags.map((tag) => ({
        do: 'delete',
        repository,
        tag,
        ...(digest && type === 'manifest.deleted' ? { digest } : {}),
      }))
  return undefined
}

/** A signature's tag stands for the tags of what it signs. */
async function withSubjects(registry: Registry, repository: string, tags: string[]): Promise<string[]> {
  const all = await Promise.all(
    tags.map(async (tag) => {
      const subject = subjectOfTag(tag)
      return subject ? tagsOf(registry, repository, subject as Digest) : [tag]
    }),
  )
  return all.flat()
}

/** Of what a referrer refers to in the end. */
async function tagsOfSubject(registry: Registry, repository: string, digest: Digest): Promise<string[]> {
  let at = digest
  for (let depth = 0; depth < SUBJECTS_LIMIT; depth++) {
    const subject = await subjectOf(registry, repository, at)
    if (!subject) return depth === 0 ? [] : tagsOf(registry, repository, at)
    at = subject
  }
  return []
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

async function tagsOf(registry: Registry, repository: string, digest: Digest): Promise<string[]> {
  const found = await readRepository(registry, repository)
  if (!found) return []
  const tags = await tagsOfManifest(registry, found.repository.id, digest, TAGS_LIMIT)
  return tags.map(({ tag }) => tag)
}
