// The relay: takes events out of the outbox at least once, keeps what is derived from them (usage, image facts)
// and gives each project's events an order.
import type { Digest } from '../oci/digest.ts'
import { parseManifest } from '../oci/manifest.ts'
import { auditOfEvent } from './audited-events.ts'
import { type Configuration, readConfiguration } from './configuration.ts'
import { imageFacts } from './image-facts.ts'
import { keys, partitions } from './keys.ts'
import { type ManifestRecord, manifestOf } from './manifest-record.ts'
import { bytesOf } from './manifests.ts'
import { isChange } from './outbox.ts'
import { PAGE, pagesOf } from './partitions.ts'
import type { Item, Json, Write } from './ports.ts'
import { number, type Registry, text } from './registry.ts'
import { transactCounting } from './totals.ts'
import { countUsage, forgetUsage } from './usage.ts'

const EVENTS_KEPT_SECONDS = 30 * 86_400
const RECONCILED_AT_ONCE = 8

/** Told of an event, at least once, before it leaves the outbox. @throws anything: then it stays, and is told again */
export type Listener = (event: Item) => Promise<void>

/**
 * @param onFailure told of events that could not be relayed; they stay, and do not hold up the others
 * @param listeners told of each event at least once, before it leaves the outbox
 * @returns events relayed; call again until there are none
 */
export async function relay(
  registry: Registry,
  onFailure: (error: unknown, event: string) => void = () => {},
  listener: Listener = async () => {},
): Promise<number> {
  const pages = await Promise.all(partitions.events.map((pk) => registry.metadata.query({ pk, limit: PAGE })))
  // Event ids begin with their time, so this is nearly the order of things; what is derived does not depend on it.
  const events = pages.flat().sort((a, b) => (a.sk < b.sk ? -1 : 1))
  if (events.length === 0) return 0
  const configuration = await readConfiguration(registry)
  let relayed = 0
  for (const event of events) {
    try {
      await relayOne(registry, event, configuration, listener)
      relayed += 1
    } catch (error) {
      onFailure(error, event.sk)
    }
  }
  return relayed
}

async function relayOne(
  registry: Registry,
  event: Item,
  configuration: Configuration,
  listener: Listener,
): Promise<void> {
  const changes = isChange(event)
  if (changes) await reconcileEvent(registry, event)
  await listener(event)
  const project = text(event, 'project')
  const last = await registry.metadata.get(keys.projectSequence(project))
  const sequence = last ? number(last, 'last') + 1 : 1
  const now = Math.floor(registry.clock.nowMs() / 1000)
  await registry.metadata.transact([
    { kind: 'delete', key: { pk: event.pk, sk: event.sk }, if: { kind: 'present' } },
    {
      kind: 'put',
      item: { ...keys.projectSequence(project), attributes: { v: 1, last: sequence } },
      if: last ? { kind: 'equals', attributes: { last: sequence - 1 } } : { kind: 'absent' },
    },
    {
      kind: 'put',
      item: {
        ...keys.relayedEvent(project, sequence),
        attributes: { ...event.attributes, id: event.sk, sequence },
        expiresAtEpochSeconds: now + EVENTS_KEPT_SECONDS,
      },
    },
    ...(changes ? changeWrites(registry, event, configuration) : []),
  ])
}

function changeWrites(registry: Registry, event: Item, configuration: Configuration): Write[] {
  return [
    // Whoever counts what the repository shows learns by it that something changed.
    {
      kind: 'put',
      item: { ...keys.repositoryEvent(text(event, 'repo')), attributes: { v: 1, event: event.sk } },
    },
    ...auditOfEvent(registry, event, configuration),
  ]
}

async function reconcileEvent(registry: Registry, event: Item): Promise<void> {
  const [repo, project] = [text(event, 'repo'), text(event, 'project')]
  if (event.attributes.digest !== undefined)
    return reconcile(registry, repo, project, text(event, 'digest') as Digest)
  // A whole repository went, or came back.
  for await (const page of pagesOf(registry.metadata, { pk: partitions.manifests(repo) }))
    for (let at = 0; at < page.length; at += RECONCILED_AT_ONCE)
      await Promise.all(
        page.slice(at, at + RECONCILED_AT_ONCE).map(({ sk }) => {
          const digest = sk.slice(sk.indexOf('#') + 1) as Digest
          return reconcile(registry, repo, project, digest)
        }),
      )
}

/** Makes usage and facts of one manifest what they must be now, whatever they were. */
async function reconcile(registry: Registry, repo: string, project: string, digest: Digest): Promise<void> {
  const [item, body, facts, home, labels] = await registry.metadata.batchGet([
    keys.manifest(repo, digest),
    keys.manifestBytes(repo, digest),
    keys.imageFacts(repo, digest),
    keys.repositoryById(repo),
    keys.labelsOfManifest(repo, digest),
  ])
  // Of a deleted repository its manifests are still there: an undo brings them back with their labels.
  if (!item && labels) await dropLabels(registry, repo, digest, labels)
  const record = home?.attributes.state === 'live' ? manifestOf(item, repo, digest) : undefined
  if (record && !facts) await describe(registry, record, project, body)
  if (!record && facts) await forget(registry, repo, project, digest, facts)
}

async function describe(
  registry: Registry,
  record: ManifestRecord,
  project: string,
  body: Item | undefined,
): Promise<void> {
  const { repo, digest, sizeBytes } = record
  const bytes = await bytesOf(registry, record, body)
  const facts = await imageFacts(registry, repo, parseManifest(bytes, record.mediaType))
  const used = [{ digest, size: sizeBytes }, ...(facts.blobs as { digest: string; size: number }[])]
  await countUsage(registry, project, repo, digest, used)
  // Facts last: they say that usage was written, and that the artifact is counted.
  const written: Write = {
    kind: 'put',
    item: { ...keys.imageFacts(repo, digest), attributes: facts },
    if: { kind: 'absent' },
  }
  await transactCounting(registry, [written], keys.artifactTotal(digest), { artifacts: 1 })
}

async function forget(
  registry: Registry,
  repo: string,
  project: string,
  digest: Digest,
  facts: Item,
): Promise<void> {
  const blobs = facts.attributes.blobs as { digest: string; [name: string]: Json }[]
  await forgetUsage(registry, project, repo, digest, [digest, ...blobs.map((blob) => blob.digest)])
  await registry.metadata.batchWrite([{ kind: 'delete', key: keys.pulled(repo, digest) }])
  const gone: Write = { kind: 'delete', key: keys.imageFacts(repo, digest), if: { kind: 'present' } }
  await transactCounting(registry, [gone], keys.artifactTotal(digest), { artifacts: -1 })
}

async function dropLabels(registry: Registry, repo: string, digest: Digest, item: Item): Promise<void> {
  const labels = item.attributes.labels as number[]
  await registry.metadata.batchWrite([
    ...labels.map((label): Write => ({ kind: 'delete', key: keys.labelled(label, repo, digest) })),
    { kind: 'delete', key: keys.labelsOfManifest(repo, digest) },
  ])
}

/** A project's events in order. */
export async function* eventsOf(registry: Registry, project: string): AsyncGenerator<Item> {
  for await (const page of pagesOf(registry.metadata, { pk: partitions.relayedEvents(project) })) yield* page
}
