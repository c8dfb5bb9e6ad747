// A registry in memory with a clock that tests turn, and content to put into it.
import { type Digest, digestOf } from '../../lib/oci/digest.ts'
import { commitUpload } from '../../lib/registry/commit-upload.ts'
import { keys } from '../../lib/registry/keys.ts'
import { putManifest } from '../../lib/registry/manifests.ts'
import type { Attributes, Item } from '../../lib/registry/ports.ts'
import { createProject, type ProjectSettings } from '../../lib/registry/projects.ts'
import { DEFAULT_SETTINGS, newId, type Registry, type Settings } from '../../lib/registry/registry.ts'
import { openRepository } from '../../lib/registry/repositories.ts'
import { startUpload } from '../../lib/registry/uploads.ts'
import { memoryBlobStore, memoryMetadataStore } from '../support/memory-stores.ts'

export const DAY_MS = 86_400_000
export const HOUR_MS = 3_600_000
export const ACTOR = { principal: 'alice', requestId: 'r-1' }
export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const INDEX = 'application/vnd.oci.image.index.v1+json'

export interface TestRegistry extends Registry {
  blobs: ReturnType<typeof memoryBlobStore>
  clock: { now: number; nowMs(): number }
  events: number
}

export async function testRegistry(
  settings: Partial<Settings> = {},
  project: ProjectSettings = {},
): Promise<TestRegistry> {
  const clock = {
    now: 20_000 * DAY_MS,
    nowMs() {
      return this.now
    },
  }
  const registry: TestRegistry = {
    metadata: memoryMetadataStore(),
    blobs: memoryBlobStore(() => clock.now),
    clock,
    settings: { ...DEFAULT_SETTINGS, ...settings },
    newId: () => newId(clock.now),
    events: 0,
    onEvent: () => {
      registry.events += 1
    },
  }
  const attributes = { v: 1, version: 1, createdAtMs: clock.now }
  await registry.metadata.batchWrite([{ kind: 'put', item: { ...keys.schema, attributes } }])
  await createProject(registry, 'library', project, ACTOR)
  return registry
}

export const byTag = (tag: string) => ({ kind: 'tag' as const, tag })
export const byDigest = (digest: Digest) => ({ kind: 'digest' as const, digest })

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

export async function pushBlob(registry: Registry, name: string, text: string): Promise<Digest> {
  const repository = await openRepository(registry, name, ACTOR)
  const bytes = Buffer.from(text)
  const digest = digestOf(bytes)
  await commitUpload(registry, startUpload(registry, repository.id), digest, { bytes: once(bytes) })
  return digest
}

export interface Pushed {
  digest: Digest
  bytes: Buffer
  layer: Digest
}

/** @param reference a tag, or undefined to push by digest alone */
export async function pushImage(
  registry: Registry,
  name: string,
  reference: string | undefined,
  content: { layer?: string; subject?: Digest } = {},
): Promise<Pushed> {
  const text = content.layer ?? 'layer'
  const layer = await pushBlob(registry, name, text)
  const config = await pushBlob(registry, name, '{}')
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: 'application/x', digest: config, size: 2 },
      layers: [{ mediaType: 'application/x', digest: layer, size: text.length }],
      ...(content.subject ? { subject: { mediaType: MANIFEST, digest: content.subject, size: 1 } } : {}),
    }),
  )
  const digest = await pushBytes(registry, name, reference, bytes, MANIFEST)
  return { digest, bytes, layer }
}

export async function pushIndex(
  registry: Registry,
  name: string,
  tag: string | undefined,
  children: Pushed[],
): Promise<Digest> {
  const manifests = children.map(({ digest, bytes }) => ({ mediaType: MANIFEST, digest, size: bytes.length }))
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }))
  return pushBytes(registry, name, tag, bytes, INDEX)
}

/** Pushes a manifest of any content, whatever it refers to. */
export async function pushBytes(
  registry: Registry,
  name: string,
  tag: string | undefined,
  bytes: Buffer,
  contentType: string,
): Promise<Digest> {
  const digest = digestOf(bytes)
  const reference = tag === undefined ? byDigest(digest) : byTag(tag)
  await putManifest(registry, name, reference, { bytes, contentType }, [], ACTOR)
  return digest
}

export async function repositoryId(registry: Registry, name: string): Promise<string> {
  return (await registry.metadata.get(keys.repository(name)))?.attributes.id as string
}

/** Attributes of every item whose partition begins with `prefix`. */
export async function itemsOf(
  registry: Registry,
  prefix: string,
): Promise<(Item & { attributes: Attributes })[]> {
  return (await registry.metadata.scan(undefined, 100_000)).filter((item) => item.pk.startsWith(prefix))
}

/** The references pushes have written, of blobs and of children. */
export async function referencesOf(registry: Registry): Promise<Item[]> {
  const targets = [...(await itemsOf(registry, 'L#')), ...(await itemsOf(registry, 'M#'))]
  return targets.filter(({ sk }) => sk.startsWith('R#'))
}
