// A project's metadata, one by one.
import { RegistryError } from '../../oci/errors.ts'
import { changeProject } from '../../registry/project-changes.ts'
import { checkedMetadata } from '../../registry/project-metadata.ts'
import type { Project } from '../../registry/projects.ts'
import type { HttpResponse } from '../message.ts'
import { answer, done } from './answers.ts'
import { type Fields, readFields } from './body.ts'
import { type HarborCall, type HarborRoute, requireProject } from './call.ts'
import { metadataIn } from './project-settings.ts'
import { metadataView } from './project-view.ts'

const PATH = '/projects/{project}/metadatas'

export const METADATA_ROUTES: HarborRoute[] = [
  { method: 'GET', path: PATH, run: list },
  { method: 'POST', path: PATH, run: add },
  { method: 'GET', path: `${PATH}/{name}`, run: show },
  { method: 'PUT', path: `${PATH}/{name}`, run: change },
  { method: 'DELETE', path: `${PATH}/{name}`, run: remove },
]

/** No role of Harbor's has `metadata:list`: whoever may read one may read all. Robots are given the one or the other. */
async function list(call: HarborCall): Promise<HttpResponse> {
  const action = call.principal.kind === 'robot' ? 'list' : 'read'
  return answer(200, metadataView(await requireProject(call, 'metadata', action)))
}

async function show(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'metadata', 'read')
  const name = call.params.name!
  return answer(200, { [name]: metadataNamed(project, name) })
}

function metadataNamed(project: Project, name: string): string {
  const metadata = metadataView(project)
  if (!Object.hasOwn(metadata, name))
    throw new RegistryError('NOT_FOUND', `metadata ${name} of project ${project.name} not found`)
  return metadata[name]!
}

async function add(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'metadata', 'create')
  const given = metadataIn(await readFields(call.request))
  if (Object.keys(given).length !== 1)
    throw new RegistryError('REQUEST_INVALID', 'only allow to add one project metadata at a time')
  await put(call, project, given)
  return done()
}

async function change(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'metadata', 'update')
  const name = call.params.name!
  const value = ((await readFields(call.request)) as Fields)[name]
  if (typeof value !== 'string')
    throw new RegistryError('REQUEST_INVALID', `the body must be {${JSON.stringify(name)}: "a text"}`)
  metadataNamed(project, name)
  await put(call, project, { [name]: checkedMetadata(name, value) })
  return done()
}

async function put(call: HarborCall, project: Project, given: Record<string, string>): Promise<void> {
  const { public: isPublic, ...metadata } = given
  await changeProject(call.registry, project, (before) => ({
    metadata: { ...before.metadata, ...metadata },
    ...(isPublic === undefined ? {} : { public: isPublic === 'true' }),
  }))
}

async function remove(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'metadata', 'delete')
  const name = call.params.name!
  if (name === 'public')
    throw new RegistryError('REQUEST_INVALID', 'a project is public or not: set it, it cannot be deleted')
  metadataNamed(project, name)
  await changeProject(call.registry, project, (before) => {
    const { [name]: _, ...metadata } = before.metadata
    return { metadata }
  })
  return done()
}
