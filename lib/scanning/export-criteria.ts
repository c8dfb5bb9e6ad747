// What an export holds: artifacts of a project by repository, tag and label, and vulnerabilities by their names.
import { labelNumbers } from '../artifacts/artifact-labels.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { globOf, patternFault } from '../registry/glob.ts'
import { keys, partitions } from '../registry/keys.ts'
import { indexesNaming } from '../registry/references.ts'
import type { Registry } from '../registry/registry.ts'

export interface ExportCriteria {
  /** The project's id. */
  projectId: string
  /** Patterns as `{one,two*}`; empty: everything. Repositories without their project. */
  repositories: string
  tags: string
  cves: string
  /** Numbers; any of them is enough. */
  labels: number[]
}

const PARENTS_LIMIT = 100
const TAGS_LIMIT = 1000

/** @throws REQUEST_INVALID for a pattern that cannot be meant */
export function checkPatterns({ repositories, tags, cves }: ExportCriteria): void {
  for (const [name, pattern] of Object.entries({ repositories, tags, cveIds: cves })) {
    if (pattern.includes(' '))
      throw new RegistryError(
        'REQUEST_INVALID',
        `invalid criteria value, please remove additional spaces for input: ${pattern.slice(0, 200)}`,
      )
    const fault = patternFault(pattern)
    if (fault) throw new RegistryError('REQUEST_INVALID', `${name}: the pattern ${fault}`)
  }
}

/** Whether an artifact is exported. What an index's tags and labels select, its images are too. */
export function artifactTest(
  registry: Registry,
  { repositories, tags, labels }: ExportCriteria,
): (repository: string, repo: string, digest: Digest) => Promise<boolean> {
  const [ofRepository, ofTag] = [globOf(repositories), globOf(tags)]
  return async (repository, repo, digest) => {
    if (!ofRepository(repository.slice(repository.indexOf('/') + 1))) return false
    if (tags === '' && labels.length === 0) return true
    const whole = [digest, ...(await indexesNaming(registry, repo, digest, PARENTS_LIMIT))]
    return (
      (tags === '' ||
        (await some(whole, async (each) => (await tagsOf(registry, repo, each)).some(ofTag)))) &&
      (labels.length === 0 || (await hasLabel(registry, repo, whole, labels)))
    )
  }
}

async function tagsOf(registry: Registry, repo: string, digest: Digest): Promise<string[]> {
  const pk = partitions.tagsOfManifest(repo, digest)
  return (await registry.metadata.query({ pk, limit: TAGS_LIMIT })).map(({ sk }) => sk)
}

async function hasLabel(
  registry: Registry,
  repo: string,
  digests: Digest[],
  labels: number[],
): Promise<boolean> {
  const items = await registry.metadata.batchGet(
    digests.slice(0, PARENTS_LIMIT).map((digest) => keys.labelsOfManifest(repo, digest)),
  )
  return items.some((item) => labelNumbers(item).some((each) => labels.includes(each)))
}

async function some<T>(all: readonly T[], test: (each: T) => Promise<boolean>): Promise<boolean> {
  for (const each of all) if (await test(each)) return true
  return false
}
