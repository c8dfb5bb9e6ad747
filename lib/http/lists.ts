// Lists: tags, catalog, referrers (distribution-spec v1.1.1 §"Content Discovery").
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { OCI_INDEX } from '../oci/media-types.ts'
import { staleHeaders } from '../proxy/failures.ts'
import { listReferrers } from '../registry/referrers.ts'
import { listCatalog, type Repository, readRepository, unknownRepository } from '../registry/repositories.ts'
import { listTags } from '../registry/tags.ts'
import type { Call } from './api.ts'
import { type HttpResponse, json } from './message.ts'
import { linkToNext, type PageRequest, parsePage, readPage } from './pages.ts'

export async function listTagsRequest(call: Call, name: string): Promise<HttpResponse> {
  const page = parsePage(call.request.query)
  const found = await readRepository(call.registry, name)
  if (found && found.repository.registryId === undefined) return localTags(call, found.repository, page)
  try {
    const tags = page.limit === 0 ? { entries: [], more: false } : await call.proxy.tags(name, page)
    if (tags) return tagsAnswer(name, page, tags)
  } catch (error) {
    // What is here is better than nothing, where the upstream is the reason.
    if (!(error instanceof RegistryError && error.cause) || !found) throw error
    const local = await localTags(call, found.repository, page)
    return { ...local, headers: { ...local.headers, ...staleHeaders(error.message) } }
  }
  throw unknownRepository(name)
}

async function localTags(call: Call, { id, name }: Repository, page: PageRequest): Promise<HttpResponse> {
  return tagsAnswer(name, page, await readPage(page, (wanted) => listTags(call.registry, id, wanted)))
}

function tagsAnswer(
  name: string,
  page: PageRequest,
  { entries, more }: { entries: string[]; more: boolean },
): HttpResponse {
  const link = more && entries.length > 0 ? next(`/v2/${name}/tags/list`, page.limit, entries) : {}
  return json(200, { name, tags: entries }, link)
}

export async function listCatalogRequest({ registry, request }: Call): Promise<HttpResponse> {
  const page = parsePage(request.query)
  const { entries, more } = await readPage(page, (wanted) => listCatalog(registry, wanted))
  return json(200, { repositories: entries }, more ? next('/v2/_catalog', page.limit, entries) : {})
}

function next(path: string, limit: number, entries: string[]): Record<string, string> {
  return linkToNext(path, { n: String(limit), last: entries.at(-1)! })
}

export async function listReferrersRequest(
  { registry, request, proxy }: Call,
  name: string,
  subject: Digest,
): Promise<HttpResponse> {
  const artifactType = request.query.get('artifactType') || undefined
  const found = await readRepository(registry, name)
  const upstream =
    found && found.repository.registryId === undefined ? undefined : await proxy.referrers(name, subject)
  if (upstream) return proxiedReferrers(upstream, artifactType)
  const after = request.query.get('last')
  const filter = {
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(after === null ? {} : { after }),
  }
  const page = await listReferrers(registry, name, subject, filter, found?.repository)
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: page.descriptors }
  return json(200, index, {
    'Content-Type': OCI_INDEX,
    ...(artifactType === undefined ? {} : { 'OCI-Filters-Applied': 'artifactType' }),
    ...(page.next === undefined
      ? {}
      : linkToNext(`/v2/${name}/referrers/${subject}`, {
          ...(artifactType === undefined ? {} : { artifactType }),
          last: page.next,
        })),
  })
}

/** Byte for byte as the upstream has it; a filter is applied here, whether it knows filters or not. */
function proxiedReferrers(
  { bytes, stale }: { bytes: Uint8Array; stale?: string },
  artifactType: string | undefined,
): HttpResponse {
  const headers = { 'Content-Type': OCI_INDEX, ...(stale === undefined ? {} : staleHeaders(stale)) }
  if (artifactType === undefined) return { status: 200, headers, body: bytes }
  const index = JSON.parse(Buffer.from(bytes).toString('utf8')) as { manifests?: { artifactType?: string }[] }
  const manifests = (index.manifests ?? []).filter((each) => each.artifactType === artifactType)
  return json(200, { ...index, manifests }, { ...headers, 'OCI-Filters-Applied': 'artifactType' })
}
