// Requests below /projects/{project}/repositories/{repository}. There the project is always given by its name.
import { RegistryError } from '../../oci/errors.ts'
import { parseReference, type Reference } from '../../oci/reference.ts'
import type { Project } from '../../registry/projects.ts'
import type { HttpRequest } from '../message.ts'
import { type HarborCall, requireProjectNamed } from './call.ts'
import { pageOf } from './lists.ts'
import { parseQuery, parseSort } from './query.ts'

export interface RepositoryTarget {
  project: Project
  /** With its project. */
  name: string
}

/**
 * The repository of the path, which need not exist.
 * @throws UNAUTHORIZED for anonymous callers; DENIED for others, whether the project exists or not; NOT_FOUND
 */
export async function requireRepositoryRight(
  call: HarborCall,
  resource: string,
  action: string,
): Promise<RepositoryTarget> {
  const project = await requireProjectNamed(call, resource, action, call.params.project!)
  return { project, name: `${project.name}/${call.params.repository}` }
}

/** @throws TAG_INVALID, DIGEST_INVALID */
export function referenceIn({ params }: HarborCall): Reference {
  return parseReference(params.reference!)
}

/** Everything at once is for short lists. */
const EVERYTHING = 1000

/** `page`, `page_size`, `q` and `sort` as the domain takes them. */
export function wantedIn(request: HttpRequest) {
  const page = pageOf(request)
  return {
    shown: page,
    page: page.number,
    pageSize: page.size === 0 ? EVERYTHING : page.size,
    filters: parseQuery(request.query.get('q')),
    sort: parseSort(request.query.get('sort')),
  }
}

/** @throws REQUEST_INVALID where `page_size=0` asked for more than there can be in one answer */
export function requireWhole(wanted: ReturnType<typeof wantedIn>, total: number): void {
  if (wanted.shown.size === 0 && total > EVERYTHING)
    throw new RegistryError(
      'REQUEST_INVALID',
      `there are ${total}, too many for one answer: ask for pages of 100`,
    )
}
