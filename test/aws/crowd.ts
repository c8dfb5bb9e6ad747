// Generates what a large registry's table holds: as many items as that many pushes would leave, written directly.
import { createHash } from 'node:crypto'
import { digestOf } from '../../lib/oci/digest.ts'
import { keys } from '../../lib/registry/keys.ts'
import type { Attributes, Item, MetadataStore, Write } from '../../lib/registry/ports.ts'
import { newId } from '../../lib/registry/registry.ts'
import { MANIFEST } from '../api/client.ts'

const WRITERS = 4
const ITEMS_AT_ONCE = 200

export interface Crowd {
  project: string
  repositories: number
  manifestsEach: number
}

/** @returns items written */
export async function generate(store: MetadataStore, crowd: Crowd): Promise<number> {
  const project = await store.get(keys.project(crowd.project))
  const projectId = project!.attributes.id as string
  let [next, written] = [0, 0]
  const writer = async () => {
    for (let number = next++; number < crowd.repositories; number = next++) {
      let waiting: Write[] = []
      for (const item of itemsOf(crowd, projectId, number)) {
        waiting.push({ kind: 'put', item })
        if (waiting.length < ITEMS_AT_ONCE) continue
        written += waiting.length
        await store.batchWrite(waiting)
        waiting = []
      }
      written += waiting.length
      await store.batchWrite(waiting)
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, writer))
  return written
}

export function repositoryName({ project }: Crowd, number: number): string {
  return `${project}/app-${String(number).padStart(6, '0')}`
}

export function tagName(number: number): string {
  return `v${String(number).padStart(7, '0')}`
}

/** A repository with its tags and manifests, as `placeManifest` leaves them, each of one blob of its own. */
function* itemsOf(crowd: Crowd, projectId: string, number: number): Generator<Item> {
  const name = repositoryName(crowd, number)
  const repo = newId()
  const now = Date.now()
  const home = { v: 1, projectId, project: crowd.project }
  const made = { listed: true, createdBy: 'crowd', createdAtMs: now }
  yield item(keys.repository(name), { ...home, id: repo, ...made })
  yield item(keys.repositoryById(repo), { ...home, name, state: 'live' })
  yield item(keys.catalog(name), { v: 1, id: repo, projectId })
  for (let each = 0; each < crowd.manifestsEach; each++) {
    const tag = tagName(each)
    const blob = digestOf(Buffer.from(`${repo} ${each}`))
    const config = { mediaType: 'application/x', digest: blob, size: 10 }
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [] }))
    const digest = digestOf(bytes)
    const birth = newId()
    const pushedAtMs = now - crowd.manifestsEach + each
    const manifest = { mediaType: MANIFEST, kind: 'image', sizeBytes: bytes.length }
    yield item(keys.manifest(repo, digest), {
      v: 1,
      name,
      project: projectId,
      birth,
      gen: newId(),
      state: 'live',
      ...manifest,
      touchedDay: Math.floor(now / 86_400_000),
      pushedBy: 'crowd',
      pushedAtMs,
    })
    yield { ...item(keys.manifestBytes(repo, digest), { v: 1 }), bytes }
    yield item(keys.manifestListing(repo, pushedAtMs, digest), {
      v: 1,
      mediaType: MANIFEST,
      sizeBytes: bytes.length,
    })
    const head = createHash('sha256').update(tag).digest('hex')
    yield item(keys.tag(repo, tag), { v: 1, digest, birth, version: 1, head })
    yield item(keys.tagListing(repo, tag), { v: 1, digest })
    yield item(keys.tagOfManifest(repo, digest, tag), { v: 1 })
    yield item(keys.linkReference(repo, blob, digest, birth), { v: 1, writtenAtMs: now })
  }
}

function item(key: { pk: string; sk: string }, attributes: Attributes): Item {
  return { ...key, attributes }
}
