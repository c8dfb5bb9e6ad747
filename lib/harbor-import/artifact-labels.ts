// Which artifacts have which labels: brought once both are here.
import { addLabel, labelNumbers } from '../artifacts/artifact-labels.ts'
import { listLabels } from '../artifacts/labels.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { keys } from '../registry/keys.ts'
import { findProject } from '../registry/projects.ts'
import { type Repository, readRepository } from '../registry/repositories.ts'
import { artifactsThere, repositoriesThere } from './artifacts.ts'
import type { Import } from './import.ts'
import { EVERY } from './labels.ts'
import { settle } from './outcome.ts'

/** Of a project's artifacts that are here. @throws HarborApiError */
export async function bringArtifactLabels(context: Import, name: string): Promise<void> {
  const project = await findProject(context.registry, name)
  if (!project) return
  const labels = await numbersHere(context, project.id)
  for await (const repository of repositoriesThere(context, name))
    for await (const artifact of artifactsThere(context, name, repository)) {
      const here = artifact.labels.length > 0 && (await presentArtifact(context, repository, artifact.digest))
      if (!here) continue
      for (const label of artifact.labels) {
        const number = labels.get(`${label.scope} ${label.name}`)
        await settle(context, {
          kind: 'artifact label',
          name: `${repository}@${artifact.digest} ${label.name}`,
          differences: number !== undefined && here.labels.includes(number) ? [] : undefined,
          create: () => {
            if (number === undefined) throw new RegistryError('NOT_FOUND', 'the label was not brought')
            return addLabel(context.registry, here.repository, artifact.digest, number)
          },
        })
      }
    }
}

/** Numbers here by scope and name. */
async function numbersHere({ registry }: Import, projectId: string): Promise<Map<string, number>> {
  const both = await Promise.all(['g', projectId].map((scope) => listLabels(registry, scope, EVERY)))
  return new Map(both.flatMap(({ labels }) => labels.map(({ scope, name, id }) => [`${scope} ${name}`, id])))
}

async function presentArtifact(
  { registry }: Import,
  name: string,
  digest: Digest,
): Promise<{ repository: Repository; labels: number[] } | undefined> {
  const found = await readRepository(registry, name, (id) => [
    keys.manifest(id, digest),
    keys.labelsOfManifest(id, digest),
  ])
  if (!found?.items[0]) return undefined
  return { repository: found.repository, labels: labelNumbers(found.items[1]) }
}
