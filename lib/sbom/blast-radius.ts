// Which images have a package, which tags name them, and who pulled them.
import type { Digest } from '../oci/digest.ts'
import { auditEntries } from '../registry/audit-log.ts'
import { keys, partitions } from '../registry/keys.ts'
import { pagesOf } from '../registry/partitions.ts'
import type { Item } from '../registry/ports.ts'
import { indexesNaming } from '../registry/references.ts'
import { type Registry, text } from '../registry/registry.ts'
import { tagsOfManifest } from '../registry/tags.ts'
import { matches, type PackageQuery } from './package-query.ts'

export interface AffectedImage {
  repository: string
  digest: Digest
  /** Of the image, and of the indexes it is part of. */
  tags: string[]
  /** `deb libssl3 3.0.17-1`. */
  packages: string[]
  /** Those who pulled most recently first. */
  pulls: Puller[]
}

interface Puller {
  principal: string
  pulls: number
  lastAtMs: number
}

interface Found extends AffectedImage {
  repo: string
  projectId: string
}

/** More of one image are not named. */
const NAMED_TAGS = 50
const INDEXES = 20
const READ_AT_ONCE = 100

/**
 * By the audit log, which has every pull unless `pull_audit_log_disable` or `disabled_audit_log_event_types` keep it out.
 * @param sinceMs pulls before it do not count
 */
export async function blastRadius(
  registry: Registry,
  queries: readonly PackageQuery[],
  sinceMs: number,
): Promise<AffectedImage[]> {
  const found = new Map<string, Found>()
  for (const query of queries) await addImages(registry, query, found)
  const images = await stillThere(registry, [...found.values()])
  for (const image of images) image.tags = await tagsNaming(registry, image)
  for (const [projectId, some] of Map.groupBy(images, (each) => each.projectId))
    await addPulls(registry, projectId, some, sinceMs)
  return images
    .map(({ repo: _, projectId: __, ...image }) => image)
    .sort((a, b) => (a.repository < b.repository ? -1 : Number(a.repository > b.repository)))
}

async function addImages(registry: Registry, query: PackageQuery, found: Map<string, Found>): Promise<void> {
  for await (const page of pagesOf(registry.metadata, { pk: partitions.package(query.name) }))
    for (const row of page) {
      const [type, namespace, version] = [text(row, 'type'), text(row, 'namespace'), text(row, 'version')]
      if (matches(query, { type, namespace, version }))
        addRow(found, row, `${type} ${text(row, 'name')} ${version}`)
    }
}

function addRow(found: Map<string, Found>, row: Item, named: string): void {
  const [repo, digest] = [text(row, 'repo'), text(row, 'image') as Digest]
  const known = found.get(`${repo} ${digest}`)
  if (known) {
    if (!known.packages.includes(named)) known.packages.push(named)
    return
  }
  found.set(`${repo} ${digest}`, {
    ...{ repo, digest, repository: text(row, 'repository'), projectId: text(row, 'project') },
    ...{ tags: [], packages: [named], pulls: [] },
  })
}

/** What is being forgotten, or names an image that was never pushed, is left out. */
async function stillThere(registry: Registry, images: Found[]): Promise<Found[]> {
  const there: Found[] = []
  for (let at = 0; at < images.length; at += READ_AT_ONCE / 2) {
    const some = images.slice(at, at + READ_AT_ONCE / 2)
    const items = await registry.metadata.batchGet(
      some.flatMap(({ repo, digest }) => [keys.manifest(repo, digest), keys.repositoryById(repo)]),
    )
    there.push(
      ...some.filter((_, index) => items[2 * index] && items[2 * index + 1]?.attributes.state === 'live'),
    )
  }
  return there
}

async function tagsNaming(registry: Registry, { repo, digest }: Found): Promise<string[]> {
  const indexes = await indexesNaming(registry, repo, digest, INDEXES)
  const tags = new Set<string>()
  for (const each of new Set([digest, ...indexes]))
    for (const { tag } of await tagsOfManifest(registry, repo, each, NAMED_TAGS)) tags.add(tag)
  return [...tags].sort()
}

/** Newest first, until those that do not count. */
async function addPulls(
  registry: Registry,
  projectId: string,
  images: Found[],
  sinceMs: number,
): Promise<void> {
  const byName = new Map(images.map((image) => [`${image.repository}@${image.digest}`, image]))
  for await (const { atMs, operation, resourceType, description, principal } of auditEntries(
    registry,
    projectId,
  )) {
    if (atMs < sinceMs) return
    if (operation !== 'pull' || resourceType !== 'artifact') continue
    const image = byName.get(description.slice(description.indexOf(': ') + 2))
    if (!image) continue
    const known = image.pulls.find((each) => each.principal === principal)
    if (known) known.pulls += 1
    else image.pulls.push({ principal, pulls: 1, lastAtMs: atMs })
  }
}
