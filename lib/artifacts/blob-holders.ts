// Which repositories hold a blob. A Harbor that copies to this registry asks, and has the blob mounted from one of them.
import { partitions } from '../registry/keys.ts'
import { pagesOf } from '../registry/partitions.ts'
import type { Registry } from '../registry/registry.ts'
import { type Filter, termOf } from './query.ts'

const PROJECTS_AT_ONCE = 20
const FIELD = 'blob_digest'

/** @returns the digest that is asked for, as it is written */
export function blobAskedFor(filters: Filter[]): string | undefined {
  const term = termOf(filters, FIELD)
  return term?.kind === 'exact' ? term.value : undefined
}

/** @returns ids of those repositories of the projects (by their ids) that have a manifest with the blob */
export async function holdersOf(
  registry: Registry,
  projects: Iterable<string>,
  digest: string,
): Promise<Set<string>> {
  const ids = [...projects]
  const holders = new Set<string>()
  const look = async (project: string) => {
    for await (const page of pagesOf(registry.metadata, { pk: partitions.usage(project, digest) }))
      for (const { sk } of page) holders.add(sk.split('#')[0]!)
  }
  for (let at = 0; at < ids.length; at += PROJECTS_AT_ONCE)
    await Promise.all(ids.slice(at, at + PROJECTS_AT_ONCE).map(look))
  return holders
}
