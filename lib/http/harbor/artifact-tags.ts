// Tags and labels of an artifact.
import { addLabel, removeLabel } from '../../artifacts/artifact-labels.ts'
import { createTag, deleteArtifactTag, listArtifactTags } from '../../artifacts/artifact-tags.ts'
import { findRow } from '../../artifacts/artifacts.ts'
import { RegistryError } from '../../oci/errors.ts'
import { immutableIn } from '../../registry/immutable-tags.ts'
import type { HttpResponse } from '../message.ts'
import { created, done } from './answers.ts'
import { tagView } from './artifact-view.ts'
import { numberIn, readFields, textIn } from './body.ts'
import type { HarborCall, HarborRoute } from './call.ts'
import { pageAnswer } from './lists.ts'
import { numberOf } from './number-in-path.ts'
import { referenceIn, requireRepositoryRight, requireWhole, wantedIn } from './repository-call.ts'

const ONE = '/projects/{project}/repositories/{repository}/artifacts/{reference}'

export const ARTIFACT_TAG_ROUTES: HarborRoute[] = [
  { method: 'GET', path: `${ONE}/tags`, run: list },
  { method: 'POST', path: `${ONE}/tags`, run: create },
  { method: 'DELETE', path: `${ONE}/tags/{tag}`, run: remove },
  { method: 'POST', path: `${ONE}/labels`, run: putLabel },
  { method: 'DELETE', path: `${ONE}/labels/{label}`, run: takeLabel },
]

async function list(call: HarborCall): Promise<HttpResponse> {
  const { project, name } = await requireRepositoryRight(call, 'tag', 'list')
  const immutable = immutableIn(project, name)
  const wanted = wantedIn(call.request)
  const { repository, row } = await findRow(call.registry, name, referenceIn(call))
  const { tags, total } = await listArtifactTags(
    call.registry,
    name,
    { kind: 'digest', digest: row.digest },
    wanted,
  )
  requireWhole(wanted, total)
  return pageAnswer(
    call.request,
    wanted.shown,
    total,
    tags.map((tag) => tagView(tag, repository.id, row.digest, immutable)),
  )
}

async function create(call: HarborCall): Promise<HttpResponse> {
  const { name } = await requireRepositoryRight(call, 'tag', 'create')
  const tag = textIn(await readFields(call.request), 'name')
  await createTag(call.registry, name, referenceIn(call), tag, call.actor)
  const { project, repository, reference } = call.params
  const artifact = `/projects/${project}/repositories/${encodeURIComponent(encodeURIComponent(repository!))}/artifacts/${reference}`
  return created(`${artifact}/tags/${tag}`)
}

async function remove(call: HarborCall): Promise<HttpResponse> {
  const { name } = await requireRepositoryRight(call, 'tag', 'delete')
  await deleteArtifactTag(call.registry, name, referenceIn(call), call.params.tag!, call.actor)
  return done()
}

async function putLabel(call: HarborCall): Promise<HttpResponse> {
  const { name } = await requireRepositoryRight(call, 'artifact-label', 'create')
  const id = numberIn(await readFields(call.request), 'id')
  if (id === undefined)
    throw new RegistryError('REQUEST_INVALID', 'id in body is required: the number of a label')
  const { repository, row } = await findRow(call.registry, name, referenceIn(call))
  await addLabel(call.registry, repository, row.digest, id)
  return done()
}

async function takeLabel(call: HarborCall): Promise<HttpResponse> {
  const { name } = await requireRepositoryRight(call, 'artifact-label', 'delete')
  const id = numberOf(call, 'label')
  const { repository, row } = await findRow(call.registry, name, referenceIn(call))
  await removeLabel(call.registry, repository, row.digest, id)
  return done()
}
