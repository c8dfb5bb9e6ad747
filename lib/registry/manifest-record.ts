// MANIFEST: what a repository knows of a manifest besides its bytes, and the fence that guards its deletion.
import type { Digest } from '../oci/digest.ts'
import type { Manifest } from '../oci/manifest.ts'
import type { ManifestKind } from '../oci/media-types.ts'
import { asAttribute, summaryOf, withoutChildren } from './artifact-summary.ts'
import { dayOf, keys } from './keys.ts'
import type { EventHome } from './outbox.ts'
import type { Attributes, Condition, Item, Write } from './ports.ts'
import { type Actor, number, type Registry, text } from './registry.ts'

/** Larger manifests are objects of the blob store. */
export const INLINE_BYTES = 64 * 1024

export interface ManifestRecord {
  repo: string
  /** Names as they were when it was pushed, for events. */
  home: EventHome
  digest: Digest
  /** The push attempt that made it visible. */
  birth: string
  /** A fresh value at every change. */
  gen: string
  /** `condemned`: somebody is about to delete it and looks whether anything refers to it. Readers do not care. */
  state: 'live' | 'condemned'
  mediaType: string
  kind: ManifestKind
  sizeBytes: number
  pushedAtMs: number
  touchedDay: number
  artifactType?: string
  subject?: Digest
  /** The object that holds its bytes when they are not inline. */
  object?: string
  attributes: Attributes
}

export function manifestOf(item: Item | undefined, repo: string, digest: Digest): ManifestRecord | undefined {
  if (!item) return undefined
  const { artifactType, subject, object } = item.attributes
  return {
    repo,
    home: { id: repo, name: text(item, 'name'), projectId: text(item, 'project') },
    digest,
    birth: text(item, 'birth'),
    gen: text(item, 'gen'),
    state: text(item, 'state') as ManifestRecord['state'],
    mediaType: text(item, 'mediaType'),
    kind: text(item, 'kind') as ManifestKind,
    sizeBytes: number(item, 'sizeBytes'),
    pushedAtMs: number(item, 'pushedAtMs'),
    touchedDay: number(item, 'touchedDay'),
    ...(artifactType === undefined ? {} : { artifactType: artifactType as string }),
    ...(subject === undefined ? {} : { subject: subject as Digest }),
    ...(object === undefined ? {} : { object: object as string }),
    attributes: item.attributes,
  }
}

/** The writes that make a manifest visible. Its bytes are inline, or in `object` already. */
export function newManifest(
  registry: Registry,
  home: EventHome,
  digest: Digest,
  manifest: Manifest,
  birth: string,
  body: { bytes: Uint8Array; object: string | undefined },
  actor: Actor,
): Write[] {
  const now = registry.clock.nowMs()
  const repo = home.id
  const summary = summaryOf(manifest, body.bytes.length)
  const attributes: Attributes = {
    v: 1,
    name: home.name,
    project: home.projectId,
    birth,
    gen: registry.newId(),
    state: 'live',
    mediaType: manifest.mediaType,
    kind: manifest.kind,
    sizeBytes: body.bytes.length,
    touchedDay: dayOf(now),
    pushedBy: actor.principal,
    pushedAtMs: now,
    ...(manifest.artifactType === undefined ? {} : { artifactType: manifest.artifactType }),
    ...(manifest.subject === undefined ? {} : { subject: manifest.subject.digest }),
    ...(actor.claims ? { claims: actor.claims } : {}),
    ...(body.object === undefined ? {} : { object: body.object }),
    artifact: asAttribute(withoutChildren(summary)),
  }
  const writes: Write[] = [
    { kind: 'put', if: { kind: 'absent' }, item: { ...keys.manifest(repo, digest), attributes } },
  ]
  const { mediaType, sizeBytes } = attributes
  writes.push({
    kind: 'put',
    item: {
      ...keys.manifestListing(repo, now, digest),
      attributes: { v: 1, mediaType, sizeBytes, artifact: asAttribute(summary) } as Attributes,
    },
  })
  if (body.object === undefined)
    writes.push({
      kind: 'put',
      item: { ...keys.manifestBytes(repo, digest), attributes: { v: 1 }, bytes: body.bytes },
    })
  else
    writes.push({
      kind: 'put',
      if: { kind: 'absent' },
      item: {
        ...keys.object(body.object),
        attributes: { v: 1, state: 'live', gen: registry.newId(), kind: 'manifest', repo, digest },
      },
    })
  return writes
}

function unchanged(record: ManifestRecord): Condition {
  return { kind: 'equals', attributes: { gen: record.gen } }
}

export function manifestChange(
  registry: Registry,
  record: ManifestRecord,
  change: { state?: ManifestRecord['state']; touchedDay?: number },
): Write {
  const attributes = { ...record.attributes, ...change, gen: registry.newId() }
  return {
    kind: 'put',
    if: unchanged(record),
    item: { ...keys.manifest(record.repo, record.digest), attributes },
  }
}

export function manifestDeletion(record: ManifestRecord): Write[] {
  return [
    { kind: 'delete', if: unchanged(record), key: keys.manifest(record.repo, record.digest) },
    { kind: 'delete', key: keys.manifestBytes(record.repo, record.digest) },
    { kind: 'delete', key: keys.manifestListing(record.repo, record.pushedAtMs, record.digest) },
  ]
}

/**
 * The write that keeps a manifest from being deleted under a tag or an index that is being pushed: only a check
 * where it is live and was used today, so that many pushes of one manifest do not stand in each other's way.
 */
export function keepManifest(registry: Registry, record: ManifestRecord): Write {
  const today = dayOf(registry.clock.nowMs())
  if (record.state === 'live' && record.touchedDay === today)
    return {
      kind: 'check',
      key: keys.manifest(record.repo, record.digest),
      if: { kind: 'equals', attributes: { birth: record.birth, state: 'live' } },
    }
  return manifestChange(registry, record, { state: 'live', touchedDay: today })
}

export async function readManifest(
  registry: Registry,
  repo: string,
  digest: Digest,
): Promise<ManifestRecord | undefined> {
  return manifestOf(await registry.metadata.get(keys.manifest(repo, digest)), repo, digest)
}
