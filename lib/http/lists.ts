// Lists: tags, catalog, referrers (distribution-spec v1.1.1 §"Content Discovery").
import type { Digest } from '../oci/digest.ts'
import { OCI_INDEX } from '../oci/media-types.ts'
import { listReferrers } from '../registry/referrers.ts'
import { listCatalog, requireRepository } from '../registry/repositories.ts'
import { listTags } from '../registry/tags.ts'
import type { Call } from './api.ts'
import { type HttpResponse, json } from './message.ts'
import { linkToNext, parsePage, readPage } from './pages.ts'

export async function listTagsRequest({ registry, request }: Call, name: string): Promise<HttpResponse> {
  const page = parsePage(request.query)
  const { repository } = await requireRepository(registry, name)
  const { entries, more } = await readPage(page, (wanted) => listTags(registry, repository.id, wanted))
  return json(200, { name, tags: entries }, more ? next(`/v2/${name}/tags/list`, page.limit, entries) : {})
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
  { registry, request }: Call,
  name: string,
  subject: Digest,
): Promise<HttpResponse> {
  const artifactType = request.query.get('artifactType') || undefined
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
