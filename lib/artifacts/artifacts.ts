// One artifact, by its tag or digest.
import type { Digest } from '../oci/digest.ts'
import type { Reference } from '../oci/reference.ts'
import { keys } from '../registry/keys.ts'
import { unknownManifest } from '../registry/manifests.ts'
import type { Registry } from '../registry/registry.ts'
import { type Repository, requireRepository } from '../registry/repositories.ts'
import { tagOf } from '../registry/tags.ts'
import { readAccessories } from './accessories.ts'
import { type Artifact, EVERYTHING, type Wanted } from './artifact.ts'
import type { Row } from './collection.ts'
import { hydrate } from './hydrate.ts'
import { readRows, readTags } from './rows.ts'

/** @throws NAME_UNKNOWN, MANIFEST_UNKNOWN */
export async function getArtifact(
  registry: Registry,
  name: string,
  reference: Reference,
  wanted: Wanted = EVERYTHING,
): Promise<Artifact> {
  const { repository, row } = await findRow(registry, name, reference)
  const { digest } = row
  if (wanted.tags) row.tags = await readTags(registry, repository.id, digest)
  const accessories = wanted.accessories ? await readAccessories(registry, repository.id, digest) : []
  const own = new Map([[digest, accessories]])
  const [artifact] = await hydrate(registry, repository, [row], wanted, own)
  if (!artifact) throw unknownManifest(name, digest)
  return artifact
}

/**
 * The row without its tags.
 * @throws NAME_UNKNOWN, MANIFEST_UNKNOWN
 */
export async function findRow(
  registry: Registry,
  name: string,
  reference: Reference,
): Promise<{ repository: Repository; row: Row }> {
  const { repository } = await requireRepository(registry, name)
  const digest =
    reference.kind === 'digest' ? reference.digest : await tagged(registry, repository, reference.tag)
  const row = (await readRows(registry, repository.id, [digest])).get(digest)
  if (!row) throw unknownManifest(name, digest)
  return { repository, row }
}

async function tagged(registry: Registry, repository: Repository, name: string): Promise<Digest> {
  const tag = tagOf(await registry.metadata.get(keys.tag(repository.id, name)), name)
  if (!tag?.digest) throw unknownManifest(repository.name, name)
  return tag.digest
}
