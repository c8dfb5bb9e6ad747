// One word, looked for in the names of the projects and repositories that the caller may see.
import { listRepositories } from '../../artifacts/repositories.ts'
import { RegistryError } from '../../oci/errors.ts'
import { projectOf } from '../../oci/reference.ts'
import type { HttpResponse } from '../message.ts'
import { answer } from './answers.ts'
import type { HarborCall, HarborRoute } from './call.ts'
import { visibleProjects } from './visible-projects.ts'

/** More hits than this help nobody; Harbor has no limit. */
const LIMIT = 1000

export const SEARCH_ROUTES: HarborRoute[] = [{ method: 'GET', path: '/search', run: search }]

async function search(call: HarborCall): Promise<HttpResponse> {
  const q = call.request.query.get('q')
  if (q === null) throw new RegistryError('REQUEST_INVALID', 'q in query is required', { status: 422 })
  const visible = await visibleProjects(call)
  const byName = new Map(visible.map(({ project }) => [project.name, project]))
  const { repositories } = await listRepositories(
    call.registry,
    {
      page: 1,
      pageSize: LIMIT,
      filters: q === '' ? [] : [{ field: 'name', term: { kind: 'fuzzy', value: q } }],
      sort: [{ field: 'name', descending: false }],
    },
    async (name) => byName.has(name),
  )
  return answer(200, {
    project: visible.filter(({ project }) => project.name.includes(q)).map(({ row }) => row),
    repository: repositories.map((repository) => {
      const project = byName.get(projectOf(repository.name))!
      return {
        project_id: project.number,
        project_name: project.name,
        project_public: project.public,
        repository_name: repository.name,
        pull_count: repository.pullCount,
        artifact_count: repository.artifactCount,
      }
    }),
  })
}
