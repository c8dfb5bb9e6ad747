// Repositories: listed, shown, described, deleted.
import { blobAskedFor } from '../../artifacts/blob-holders.ts'
import {
  describeRepository,
  getRepository,
  listRepositories,
  type RepositoryView,
} from '../../artifacts/repositories.ts'
import { projectOf } from '../../oci/reference.ts'
import { noted } from '../../registry/audit-log.ts'
import { findProject, type Project } from '../../registry/projects.ts'
import { deleteRepository } from '../../registry/repository-deletion.ts'
import type { HttpResponse } from '../message.ts'
import { answer, done, time } from './answers.ts'
import { readFields, textIn } from './body.ts'
import { type HarborCall, type HarborRoute, mayInProject, requireProjectNamed } from './call.ts'
import { pageAnswer } from './lists.ts'
import { requireRepositoryRight, requireWhole, wantedIn } from './repository-call.ts'

const DESCRIPTION_LIMIT = 64 * 1024
const ONE = '/projects/{project}/repositories/{repository}'

export const REPOSITORY_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/repositories', run: listAll },
  { method: 'GET', path: '/projects/{project}/repositories', run: listOfProject },
  { method: 'GET', path: ONE, run: show },
  { method: 'PUT', path: ONE, run: describe },
  { method: 'DELETE', path: ONE, run: remove },
]

/** Those of every project the caller may look into; of those that hold a blob, where it may be had from. */
async function listAll(call: HarborCall): Promise<HttpResponse> {
  const forBlob = blobAskedFor(wantedIn(call.request).filters) !== undefined
  const may = (project: string, action: string) => mayInProject(call, project, 'repository', action)
  return listed(
    call,
    undefined,
    async (project) => (await may(project, 'list')) && (!forBlob || (await may(project, 'pull'))),
  )
}

async function listOfProject(call: HarborCall): Promise<HttpResponse> {
  const { name } = await requireProjectNamed(call, 'repository', 'list', call.params.project!)
  return listed(call, name, async () => true)
}

async function listed(
  call: HarborCall,
  project: string | undefined,
  visible: (project: string) => Promise<boolean>,
): Promise<HttpResponse> {
  const wanted = wantedIn(call.request)
  const { repositories, total } = await listRepositories(
    call.registry,
    { ...wanted, ...(project === undefined ? {} : { project }) },
    visible,
  )
  requireWhole(wanted, total)
  const projects = new Map<string, Project | undefined>()
  for (const name of new Set(repositories.map((each) => projectOf(each.name))))
    projects.set(name, await findProject(call.registry, name))
  const rows = repositories.map((each) => repositoryRow(each, projects.get(projectOf(each.name))))
  return pageAnswer(call.request, wanted.shown, total, rows)
}

async function show(call: HarborCall): Promise<HttpResponse> {
  const { project, name } = await requireRepositoryRight(call, 'repository', 'read')
  return answer(200, repositoryRow(await getRepository(call.registry, name), project))
}

async function describe(call: HarborCall): Promise<HttpResponse> {
  const { project, name } = await requireRepositoryRight(call, 'repository', 'update')
  const description = textIn(await readFields(call.request), 'description', DESCRIPTION_LIMIT)
  await describeRepository(call.registry, name, description)
  await noted(call, {
    operation: 'update',
    resourceType: 'repository',
    resource: name,
    projectId: project.id,
  })
  return done()
}

async function remove(call: HarborCall): Promise<HttpResponse> {
  const { name } = await requireRepositoryRight(call, 'repository', 'delete')
  await deleteRepository(call.registry, name, call.actor)
  return done()
}

function repositoryRow(repository: RepositoryView, project: Project | undefined) {
  return {
    id: repository.id,
    project_id: project?.number ?? 0,
    name: repository.name,
    description: repository.description,
    artifact_count: repository.artifactCount,
    pull_count: repository.pullCount,
    creation_time: time(repository.createdAtMs),
    update_time: time(repository.updatedAtMs),
  }
}
