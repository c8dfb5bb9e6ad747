// How many artifacts repositories show. Counting one reads its whole list, so the count is kept until something changes.
import { keys, partitions } from '../registry/keys.ts'
import type { Item } from '../registry/ports.ts'
import { number, type Registry } from '../registry/registry.ts'
import { isShown, readCollection } from './collection.ts'

const COUNTED = 100_000
const READ_AT_ONCE = 50
const COUNTED_AT_ONCE = 4

/**
 * By the repositories' ids. A push is counted at once, a deletion or a moved tag once its event is relayed.
 * @throws REQUEST_INVALID for a repository of more than 100,000 artifacts
 */
export async function countArtifacts(registry: Registry, repos: string[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (let at = 0; at < repos.length; at += READ_AT_ONCE) {
    const some = repos.slice(at, at + READ_AT_ONCE)
    const items = await registry.metadata.batchGet(
      some.flatMap((repo) => [keys.repositoryEvent(repo), keys.artifactCount(repo)]),
    )
    for (let each = 0; each < some.length; each += COUNTED_AT_ONCE)
      await Promise.all(
        some.slice(each, each + COUNTED_AT_ONCE).map(async (repo, index) => {
          const item = 2 * (each + index)
          counts.set(repo, await count(registry, repo, items[item], items[item + 1]))
        }),
      )
  }
  return counts
}

async function count(
  registry: Registry,
  repo: string,
  event: Item | undefined,
  counted: Item | undefined,
): Promise<number> {
  const [newest] = await registry.metadata.query({
    pk: partitions.manifests(repo),
    limit: 1,
    reverse: true,
  })
  // Read before what is counted: a change meanwhile makes the count void, never wrong for long.
  const asOf = `${event?.attributes.event ?? ''} ${newest?.sk ?? ''}`
  if (counted?.attributes.asOf === asOf) return number(counted, 'count')
  const collection = await readCollection(registry, repo, COUNTED)
  const shown = [...collection.rows.values()].filter((row) => isShown(row, collection)).length
  const attributes = { v: 1, asOf, count: shown }
  await registry.metadata.batchWrite([{ kind: 'put', item: { ...keys.artifactCount(repo), attributes } }])
  return shown
}
