// Referrers: manifests that name another one as their subject (distribution-spec v1.1.1 §"Listing Referrers").
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { partitions } from './keys.ts'
import type { Registry } from './registry.ts'
import { type Repository, readRepository } from './repositories.ts'

/** Descriptors of one page at most; it also ends once they add up to what fits a manifest. */
const REFERRERS_PAGE = 500
const PAGE_BYTES = 3 * 1024 * 1024
/** One more than a page, to know whether another follows. */
const READ_AT_ONCE = REFERRERS_PAGE + 1
/** Items looked at for one filtered page, so that a rare type among many is no endless request. */
const LOOKED_AT = 10_000

export interface ReferrersPage {
  descriptors: Descriptor[]
  /** Where the next page starts; absent on the last. */
  next?: string
}

/**
 * A subject nobody knows has no referrers; that is no error.
 * @param known the repository, where it was read a moment ago
 */
export async function listReferrers(
  registry: Registry,
  name: string,
  subject: Digest,
  filter: { artifactType?: string; after?: string },
  known?: Repository,
): Promise<ReferrersPage> {
  const repository = known ?? (await readRepository(registry, name))?.repository
  const descriptors: Descriptor[] = []
  if (!repository) return { descriptors }
  let after = filter.after
  let bytes = 0
  for (let looked = 0; looked < LOOKED_AT; looked += READ_AT_ONCE) {
    const items = await registry.metadata.query({
      pk: partitions.referrers(repository.id, subject),
      limit: READ_AT_ONCE,
      ...(after === undefined ? {} : { after }),
    })
    for (const item of items) {
      const descriptor = inOrder(item.attributes.descriptor as unknown as Descriptor)
      if (filter.artifactType !== undefined && descriptor.artifactType !== filter.artifactType) continue
      bytes += JSON.stringify(descriptor).length
      if (descriptors.length === REFERRERS_PAGE || (bytes > PAGE_BYTES && descriptors.length > 0))
        return { descriptors, ...(after === undefined ? {} : { next: after }) }
      descriptors.push(descriptor)
      after = item.sk
    }
    if (items.length < READ_AT_ONCE) return { descriptors }
    after = items.at(-1)!.sk
  }
  return { descriptors, ...(after === undefined ? {} : { next: after }) }
}

/** The same bytes at every reading: a store may hand out a map's fields in any order. */
function inOrder({ mediaType, digest, size, artifactType, annotations, ...more }: Descriptor): Descriptor {
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations ? { annotations: Object.fromEntries(Object.entries(annotations).toSorted(byName)) } : {}),
    ...more,
  }
}

function byName([one]: [string, string], [other]: [string, string]): number {
  return one < other ? -1 : 1
}
