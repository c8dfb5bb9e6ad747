// Artifacts: listed, shown, copied, deleted; and what is inside them.

import { getAddition } from '../../artifacts/additions.ts'
import type { Artifact } from '../../artifacts/artifact.ts'
import { getArtifact } from '../../artifacts/artifacts.ts'
import { copyArtifact } from '../../artifacts/copy-artifact.ts'
import { deleteArtifact } from '../../artifacts/delete-artifact.ts'
import { listAccessories } from '../../artifacts/list-accessories.ts'
import { listArtifacts, listProjectArtifacts } from '../../artifacts/list-artifacts.ts'
import { RegistryError } from '../../oci/errors.ts'
import { parseName, parseReference, projectOf, type Reference } from '../../oci/reference.ts'
import type { Project } from '../../registry/projects.ts'
import { sbomOverviews } from '../../sbom/overview.ts'
import { scanOverviews } from '../../scanning/artifact-scans.ts'
import { SEVERITY_LISTS } from '../../scanning/list-severities.ts'
import type { HttpRequest, HttpResponse } from '../message.ts'
import { answer, created, done } from './answers.ts'
import { accessoryView, additionPath, artifactView } from './artifact-view.ts'
import {
  type HarborCall,
  type HarborRoute,
  requireLogin,
  requireProject,
  requireProjectNamed,
} from './call.ts'
import { flagInQuery, pageAnswer } from './lists.ts'
import { referenceIn, requireRepositoryRight, requireWhole, wantedIn } from './repository-call.ts'
import { overviewView, reportTypeIn, sbomView } from './scan-view.ts'

const LIST = '/projects/{project}/repositories/{repository}/artifacts'
const ONE = `${LIST}/{reference}`

export const ARTIFACT_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/projects/{project}/artifacts', run: listOfProject },
  { method: 'GET', path: LIST, run: list },
  { method: 'POST', path: LIST, run: copy },
  { method: 'GET', path: ONE, run: show },
  { method: 'DELETE', path: ONE, run: remove },
  { method: 'GET', path: `${ONE}/accessories`, run: accessories },
  { method: 'GET', path: `${ONE}/additions/{addition}`, run: addition },
]

async function list(call: HarborCall): Promise<HttpResponse> {
  const { project, name } = await requireRepositoryRight(call, 'artifact', 'list')
  const wanted = wantedIn(call.request)
  const { artifacts, total } = await listArtifacts(call.registry, name, {
    ...wanted,
    with: partsIn(call.request),
    severities: SEVERITY_LISTS,
  })
  requireWhole(wanted, total)
  return pageAnswer(call.request, wanted.shown, total, await views(call, project, artifacts))
}

async function listOfProject(call: HarborCall): Promise<HttpResponse> {
  requireLogin(call)
  const project = await requireProject(call, 'artifact', 'list')
  const wanted = wantedIn(call.request)
  const { artifacts, total } = await listProjectArtifacts(call.registry, project.name, {
    ...wanted,
    with: partsIn(call.request),
    severities: SEVERITY_LISTS,
    latest: flagInQuery(call.request, 'latest_in_repository', false),
  })
  requireWhole(wanted, total)
  return pageAnswer(call.request, wanted.shown, total, await views(call, project, artifacts))
}

async function show(call: HarborCall): Promise<HttpResponse> {
  const { project, name } = await requireRepositoryRight(call, 'artifact', 'read')
  const artifact = await getArtifact(call.registry, name, referenceIn(call), partsIn(call.request))
  return answer(200, (await views(call, project, [artifact]))[0])
}

/** With what their scans found, where that is asked for. */
async function views(call: HarborCall, project: Project, artifacts: Artifact[]): Promise<object[]> {
  const plain = artifacts.map((artifact) => artifactView(artifact, project))
  const shown = flagInQuery(call.request, 'with_sbom_overview', false)
    ? await withSboms(call, artifacts, plain)
    : plain
  if (!flagInQuery(call.request, 'with_scan_overview', false)) return shown
  const overviews = await scanOverviews(call.registry, artifacts)
  const type = reportTypeIn(call.request)
  return shown.map((view, index) => {
    const overview = overviews[index]
    return overview ? { ...view, scan_overview: overviewView(overview, type) } : view
  })
}

async function withSboms(
  { registry }: HarborCall,
  artifacts: Artifact[],
  shown: ReturnType<typeof artifactView>[],
): Promise<object[]> {
  const overviews = await sbomOverviews(registry, artifacts)
  return shown.map((view, index) => {
    const overview = overviews[index]
    if (!overview) return view
    const { digest } = overview
    const sboms = digest && { absolute: false, href: additionPath({ ...artifacts[index]!, digest }, 'sbom') }
    return {
      ...view,
      ...(sboms ? { addition_links: { ...view.addition_links, sboms } } : {}),
      sbom_overview: sbomView(overview),
    }
  })
}

/** Tags and accessories come unless they are refused, labels when they are asked for. */
function partsIn(request: HttpRequest) {
  return {
    tags: flagInQuery(request, 'with_tag', true),
    labels: flagInQuery(request, 'with_label', false),
    accessories: flagInQuery(request, 'with_accessory', true),
  }
}

async function copy(call: HarborCall): Promise<HttpResponse> {
  const { name } = await requireRepositoryRight(call, 'artifact', 'create')
  const from = sourceIn(call.request)
  await requireProjectNamed(call, 'artifact', 'read', projectOf(from.repository))
  await copyArtifact(call.registry, from, parseName(name), call.actor)
  const { project, repository } = call.params
  const reference = from.reference.kind === 'tag' ? from.reference.tag : from.reference.digest
  const path = `/projects/${project}/repositories/${encodeURIComponent(encodeURIComponent(repository!))}`
  return created(`${path}/artifacts/${reference}`)
}

/** `from=project/repository:tag` or `from=project/repository@digest`. @throws REQUEST_INVALID (422 without it) */
function sourceIn({ query }: HttpRequest): { repository: string; reference: Reference } {
  const from = query.get('from')
  if (!from) throw new RegistryError('REQUEST_INVALID', 'from in query is required', { status: 422 })
  const match = /^([^:@]+\/[^:@]+)(?::([^:@/]+))?(?:@(.+))?$/.exec(from)
  const reference = match?.[3] ?? match?.[2]
  if (!match || reference === undefined)
    throw new RegistryError(
      'REQUEST_INVALID',
      `invalid input: ${from.slice(0, 300)} is neither project/repository:tag nor project/repository@digest`,
    )
  return { repository: parseName(match[1]!), reference: parseReference(reference) }
}

async function remove(call: HarborCall): Promise<HttpResponse> {
  const { name } = await requireRepositoryRight(call, 'artifact', 'delete')
  await deleteArtifact(call.registry, name, referenceIn(call), call.actor)
  return done()
}

async function accessories(call: HarborCall): Promise<HttpResponse> {
  const { name } = await requireRepositoryRight(call, 'accessory', 'list')
  const wanted = wantedIn(call.request)
  const found = await listAccessories(call.registry, name, referenceIn(call), wanted)
  requireWhole(wanted, found.total)
  return pageAnswer(
    call.request,
    wanted.shown,
    found.total,
    found.accessories.map((each) => accessoryView(each, name)),
  )
}

async function addition(call: HarborCall): Promise<HttpResponse> {
  const { name } = await requireRepositoryRight(call, 'artifact-addition', 'read')
  const { contentType, content } = await getAddition(
    call.registry,
    name,
    referenceIn(call),
    call.params.addition!,
  )
  // Pushers write these texts: no browser shall take one for a page of ours.
  const headers = { 'Content-Type': contentType, 'X-Content-Type-Options': 'nosniff' }
  return { status: 200, headers, body: content, lengthBytes: content.length }
}
