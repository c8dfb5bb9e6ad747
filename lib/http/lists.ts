// Lists: tags, catalog, referrers (distribution-spec v1.1.1 §"Content Discovery").
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { OCI_INDEX } from '../oci/media-types.ts'
import { staleHeaders } from '../proxy/failures.ts'
import { listReferrers } from '../registry/referrers.ts'
import { listCatalog, readRepository, requireRepository } from '../registry/repositories.ts'
import { listTags } from '../registry/tags.ts'
import type { Call } from './api.ts'
import { type HttpResponse, json } from './message.ts'
import { linkToNext, type PageRequest, parsePage, readPage } from './pages.ts'

export async function listTagsRequest(call: Call, name: string): Promise<HttpResponse> {
  const { registry, request } = call
  const page = parsePage(request.query)
  const upstream = await proxiedTags(call, name, page)
  if (upstream) return upstream
  const { repository } = await requireRepository(registry, name)
  const { entries, more } = await readPage(page, (wanted) => listTags(registry, repository.id, wanted))
  return json(200, { name, tags: entries }, more ? next(`/v2/${name}/tags/list`, page.limit, entries) : {})
}

/** A cache lists what its upstream has, and what it has itself where that does not answer. */
async function proxiedTags(call: Call, name: string, page: PageRequest): Promise<HttpResponse | undefined> {
  try {
    const found = page.limit === 0 ? undefined : await call.proxy.tags(name, page)
    if (!found) return undefined
    const { entries, more } = found
    const link = more && entries.length > 0 ? next(`/v2/${name}/tags/list`, page.limit, entries) : {}
    return json(200, { name, tags: entries }, link)
  } catch (error) {
    if (!(error instanceof RegistryError) || !(error.cause instanceof Error)) throw error
    const local = await readRepository(call.registry, name)
    if (!local) throw error
    const { repository } = local
    const { entries, more } = await readPage(page, (wanted) => listTags(call.registry, repository.id, wanted))
    return json(
      200,
      { name, tags: entries },
      { ...staleHeaders(error.message), ...(more ? next(`/v2/${name}/tags/list`, page.limit, entries) : {}) },
    )
  }
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
  const upstream = await proxy.referrers(name, subject)
  if (upstream) return proxiedReferrers(upstream, artifactType)
  const after = request.query.get('last')
  const page = await listReferrers(registry, name, subject, {
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(after === null ? {} : { after }),
  })
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
