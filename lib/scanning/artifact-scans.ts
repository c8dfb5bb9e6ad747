// Scans of artifacts as lists show them: for an index, those of the images it names.
import type { Artifact } from '../artifacts/artifact.ts'
import type { Registry } from '../registry/registry.ts'
import { type Overview, overviewOf, scansOf } from './overview.ts'

/** One call for a hundred artifacts and images. @param artifacts of any repositories */
export function scanOverviews(
  registry: Registry,
  artifacts: readonly Artifact[],
): Promise<(Overview | undefined)[]> {
  return Promise.all(
    artifacts.map(async ({ repository, digest, references }) => {
      const images = references.length > 0 ? references.map((each) => each.digest) : [digest]
      const scans = await scansOf(registry, repository.id, images)
      return overviewOf(registry, [...scans.values()])
    }),
  )
}
