// Tags: movable names of manifests, each move recorded and chained by hash to the one before.
import { createHash } from 'node:crypto'
import type { Digest } from '../oci/digest.ts'
import { untaggedCandidate } from './candidates.ts'
import { keys, partitions } from './keys.ts'
import type { Attributes, Condition, Item, Write } from './ports.ts'
import { type Actor, number, type Registry, text } from './registry.ts'

export interface Tag {
  tag: string
  /** The manifest, or null once the tag was deleted: its history goes on when it is pushed again. */
  digest: Digest | null
  /** The birth of the manifest meant: a tag of a deleted and re-pushed manifest does not come back by itself. */
  birth: string
  version: number
  /** Hash of the last move. */
  head: string
}

export interface TagTarget {
  digest: Digest
  birth: string
}

export interface TagMove {
  sequence: number
  digest: Digest | null
  previous: Digest | null
  principal: string
  cause: string
  requestId: string
  atMs: number
  previousHash: string
  hash: string
}

export function tagOf(item: Item | undefined, tag: string): Tag | undefined {
  if (!item) return undefined
  return {
    tag,
    digest: item.attributes.digest as Digest | null,
    birth: text(item, 'birth'),
    version: number(item, 'version'),
    head: text(item, 'head'),
  }
}

export function isAt(current: Tag | undefined, target: TagTarget): boolean {
  return current?.digest === target.digest && current.birth === target.birth
}

/**
 * Moves a tag nobody moved since `current` was read (a condition fails otherwise): the tag, its history,
 * both listings, and a candidate for the manifest that lost it.
 * @param target null deletes the tag
 */
export function tagMove(
  registry: Registry,
  repo: string,
  tag: string,
  current: Tag | undefined,
  target: TagTarget | null,
  actor: Actor,
  cause: string,
): Write[] {
  const digest = target?.digest ?? null
  const previous = current?.digest ?? null
  const atMs = registry.clock.nowMs()
  const move: Attributes = {
    sequence: (current?.version ?? 0) + 1,
    digest,
    previous,
    principal: actor.principal,
    cause,
    requestId: actor.requestId,
    atMs,
    previousHash: current?.head ?? '',
  }
  const hash = createHash('sha256')
    .update(JSON.stringify([repo, tag, ...Object.values(move)]))
    .digest('hex')
  const sequence = move.sequence as number
  const unmoved: Condition = current
    ? { kind: 'equals', attributes: { version: current.version } }
    : { kind: 'absent' }
  const birth = target?.birth ?? ''
  const writes: Write[] = [
    {
      kind: 'put',
      if: unmoved,
      item: { ...keys.tag(repo, tag), attributes: { v: 1, digest, birth, version: sequence, head: hash } },
    },
    { kind: 'put', item: { ...keys.tagMove(repo, tag, sequence), attributes: { v: 1, ...move, hash } } },
    digest
      ? { kind: 'put', item: { ...keys.tagListing(repo, tag), attributes: { v: 1, digest, atMs } } }
      : { kind: 'delete', key: keys.tagListing(repo, tag) },
  ]
  if (digest !== previous) {
    if (digest)
      writes.push({
        kind: 'put',
        item: { ...keys.tagOfManifest(repo, digest, tag), attributes: { v: 1, atMs } },
      })
    if (previous) {
      writes.push({ kind: 'delete', key: keys.tagOfManifest(repo, previous, tag) })
    }
  }
  return writes
}

/** Has the collector look at the manifest a move took a tag from. Once per manifest and transaction. */
export function lostTag(
  registry: Registry,
  repo: string,
  current: Tag | undefined,
  target: TagTarget | null,
): Write[] {
  const previous = current?.digest
  return previous && previous !== target?.digest ? [untaggedCandidate(registry, repo, previous)] : []
}

/** A page of tags in byte order. */
export async function listTags(
  registry: Registry,
  repo: string,
  page: { after?: string; limit: number },
): Promise<string[]> {
  if (page.limit === 0) return []
  const items = await registry.metadata.query({ pk: partitions.tags(repo), ...page })
  return items.map((item) => item.sk)
}

/** Tags that name a manifest, up to `limit`. */
export async function tagsOfManifest(
  registry: Registry,
  repo: string,
  digest: Digest,
  limit: number,
): Promise<Tag[]> {
  const listed = await registry.metadata.query({ pk: partitions.tagsOfManifest(repo, digest), limit })
  const items = await registry.metadata.batchGet(listed.map((item) => keys.tag(repo, item.sk)))
  return items.flatMap((item, index) => {
    const tag = tagOf(item, listed[index]!.sk)
    return tag?.digest === digest ? [tag] : []
  })
}

/** A tag's moves, newest first. */
export async function tagHistory(
  registry: Registry,
  repo: string,
  tag: string,
  limit: number,
): Promise<TagMove[]> {
  const items = await registry.metadata.query({ pk: partitions.tagMoves(repo, tag), limit, reverse: true })
  return items.map((item) => item.attributes as unknown as TagMove)
}

/** Checks a stretch of history (newest first) for a move that was altered or taken out. */
export function historyIsWhole(repo: string, tag: string, moves: TagMove[]): boolean {
  return moves.every((move, index) => {
    const { sequence, digest, previous, principal, cause, requestId, atMs, previousHash } = move
    const fields = [repo, tag, sequence, digest, previous, principal, cause, requestId, atMs, previousHash]
    const hash = createHash('sha256').update(JSON.stringify(fields)).digest('hex')
    const older = moves[index + 1]
    return hash === move.hash && (older === undefined || older.hash === previousHash)
  })
}
