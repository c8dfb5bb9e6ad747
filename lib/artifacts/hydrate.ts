// From rows to artifacts: what a page shows is read for its artifacts only, in few calls.
import type { Digest } from '../oci/digest.ts'
import { parseManifest } from '../oci/manifest.ts'
import { type ArtifactFacts, artifactFacts, factsInManifest } from '../registry/artifact-facts.ts'
import { keys } from '../registry/keys.ts'
import { manifestOf } from '../registry/manifest-record.ts'
import { bytesOf } from '../registry/manifests.ts'
import type { Item } from '../registry/ports.ts'
import { type Pulls, pullsIn } from '../registry/pull-counts.ts'
import type { Registry } from '../registry/registry.ts'
import type { Repository } from '../registry/repositories.ts'
import { tagHistory } from '../registry/tags.ts'
import { additionsOf } from './addition-names.ts'
import { type Accessory, type Artifact, type ArtifactTag, iconOf, type Wanted } from './artifact.ts'
import { labelNumbers } from './artifact-labels.ts'
import type { Row } from './collection.ts'
import { artifactNumber, tagNumber } from './ids.ts'
import { readLabels } from './labels.ts'

/** Items read for each artifact. */
const EACH = 3
const READ_AT_ONCE = 33

/** @param accessories by the digest of what they belong to */
export async function hydrate(
  registry: Registry,
  repository: Repository,
  rows: Row[],
  wanted: Wanted,
  accessories: ReadonlyMap<Digest, Accessory[]>,
): Promise<Artifact[]> {
  const items: (Item | undefined)[] = []
  for (let at = 0; at < rows.length; at += READ_AT_ONCE)
    items.push(
      ...(await registry.metadata.batchGet(
        rows
          .slice(at, at + READ_AT_ONCE)
          .flatMap(({ digest }) => [
            keys.imageFacts(repository.id, digest),
            keys.pulled(repository.id, digest),
            keys.labelsOfManifest(repository.id, digest),
          ]),
      )),
    )
  const numbers = rows.map((_, index) => (wanted.labels ? labelNumbers(items[EACH * index + 2]) : []))
  const labels = await readLabels(registry, [...new Set(numbers.flat())])
  const artifacts = await Promise.all(
    rows.map(async (row, index): Promise<Artifact | undefined> => {
      const facts = await factsOf(registry, repository.id, row, items[EACH * index])
      if (!facts) return undefined
      const pulls = pullsIn(items[EACH * index + 1])
      const { extraAttrs, annotations, references } = facts
      return {
        ...plain(repository, row),
        ...(pulls.lastAtMs === undefined ? {} : { pulledAtMs: pulls.lastAtMs }),
        pullCount: pulls.count,
        icon: facts.icon ?? iconOf(row.summary.type),
        extraAttrs,
        annotations,
        references,
        tags: wanted.tags ? await tagsOf(registry, repository.id, row, pulls) : [],
        labels: numbers[index]!.flatMap((id) => labels.get(id) ?? []),
        accessories: wanted.accessories ? (accessories.get(row.digest) ?? []) : [],
      }
    }),
  )
  return artifacts.filter((each) => each !== undefined)
}

function plain(repository: Repository, row: Row) {
  const { digest, pushedAtMs, manifestMediaType, sizeBytes } = row
  const { type, mediaType, artifactType } = row.summary
  return {
    id: artifactNumber(repository.id, digest),
    repository,
    digest,
    type,
    mediaType,
    manifestMediaType,
    artifactType,
    sizeBytes,
    pushedAtMs,
    additions: additionsOf(type, row.manifestMediaType),
  }
}

/** From the manifest and its config where the relay has not recorded them yet. @returns undefined once it is deleted */
async function factsOf(
  registry: Registry,
  repo: string,
  { digest }: Row,
  item: Item | undefined,
): Promise<ArtifactFacts | undefined> {
  const recorded = item?.attributes.artifact as (ArtifactFacts & { inManifest?: true }) | undefined
  if (recorded && !recorded.inManifest) return recorded
  const [stored, inline] = await registry.metadata.batchGet([
    keys.manifest(repo, digest),
    keys.manifestBytes(repo, digest),
  ])
  const record = manifestOf(stored, repo, digest)
  if (!record) return undefined
  const manifest = parseManifest(await bytesOf(registry, record, inline), record.mediaType)
  if (recorded) return { ...recorded, ...factsInManifest(manifest) }
  return artifactFacts(registry, repo, manifest)
}

/** Newest first; of one moment, by name. */
export async function tagsOf(
  registry: Registry,
  repo: string,
  { tags }: Pick<Row, 'tags'>,
  pulls: Pulls,
): Promise<ArtifactTag[]> {
  const complete = await Promise.all(
    tags.map(async ({ name, pushedAtMs }): Promise<ArtifactTag> => {
      const pulledAtMs = Object.hasOwn(pulls.tags, name) ? pulls.tags[name] : undefined
      return {
        id: tagNumber(repo, name),
        name,
        pushedAtMs: pushedAtMs ?? (await tagHistory(registry, repo, name, 1))[0]?.atMs ?? 0,
        ...(pulledAtMs === undefined ? {} : { pulledAtMs }),
      }
    }),
  )
  return complete.sort((a, b) => b.pushedAtMs - a.pushedAtMs || (a.name < b.name ? -1 : 1))
}
