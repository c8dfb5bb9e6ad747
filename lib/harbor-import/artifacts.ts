// Repositories and artifacts there, as the source lists them.
import { type Digest, isDigest } from '../oci/digest.ts'
import { isName, isTag } from '../oci/reference.ts'
import { subjectOfTag } from '../replication/filters.ts'
import { type Fields, objectsIn, textIn } from './fields.ts'
import type { Import } from './import.ts'

export interface Artifact {
  digest: Digest
  tags: string[]
  /** Digests of signatures, attestations, … of it. */
  accessories: Digest[]
  labels: { name: string; scope: 'g' | 'p' }[]
}

/** Whole names of a project's repositories, each once. @throws HarborApiError */
export async function* repositoriesThere({ source }: Import, project: string): AsyncGenerator<string> {
  const seen = new Set<string>()
  for await (const page of source.pages(`/projects/${encodeURIComponent(project)}/repositories`))
    for (const row of page) {
      const repository = textIn(row, 'name')
      // A list that changes meanwhile can have one twice.
      if (!isName(repository) || !repository.startsWith(`${project}/`) || seen.has(repository)) continue
      seen.add(repository)
      yield repository
    }
}

/** Of one repository, those that are no accessories themselves. @throws HarborApiError */
export async function* artifactsThere(
  context: Import,
  project: string,
  repository: string,
): AsyncGenerator<Artifact> {
  // Harbor's gateway decodes the path once before its router does.
  const rest = encodeURIComponent(encodeURIComponent(repository.slice(project.length + 1)))
  const path = `/projects/${encodeURIComponent(project)}/repositories/${rest}/artifacts`
  const query = { with_tag: 'true', with_accessory: 'true', with_label: 'true', with_scan_overview: 'false' }
  for await (const page of context.source.pages(path, query)) yield* page.flatMap(artifactIn)
}

function artifactIn(row: Fields): Artifact[] {
  const digest = textIn(row, 'digest')
  if (!isDigest(digest)) return []
  const tags = objectsIn(row, 'tags').map((tag) => textIn(tag, 'name'))
  const accessories = objectsIn(row, 'accessories').map((each) => textIn(each, 'digest'))
  const labels = objectsIn(row, 'labels').map((label) => ({
    name: textIn(label, 'name'),
    scope: textIn(label, 'scope') === 'p' ? ('p' as const) : ('g' as const),
  }))
  return [{ digest, tags: tags.filter(isReplicated), accessories: accessories.filter(isDigest), labels }]
}

/** Tags that belong to another manifest are compared as what they are for. */
export function isReplicated(tag: string): boolean {
  return isTag(tag) && subjectOfTag(tag) === undefined
}
