// The first task of a replicated deletion of a whole repository: adds one for each artifact that the rule copies.
import type { JobContext } from '../jobs/kinds.ts'
import type { Digest } from '../oci/digest.ts'
import { keys } from '../registry/keys.ts'
import { PAGE } from '../registry/partitions.ts'
import type { Registry } from '../registry/registry.ts'
import { referenceFilter } from './filters.ts'
import { tagsIn, untaggedIn } from './here.ts'
import { type Clearing, type Deleting, taskSpec } from './payload.ts'
import type { ReplicationPolicy } from './policy.ts'

/** What the repository held is known until its undo window ends; a second attempt adds nothing that would do harm twice. */
export async function clear(
  context: JobContext,
  policy: ReplicationPolicy,
  { repository, repositoryId }: Clearing,
): Promise<void> {
  const { registry, signal } = context
  const wanted = referenceFilter(policy)
  let found = 0
  const add = async (deletions: Deleting[]) => {
    signal.throwIfAborted()
    if (deletions.length === 0) return
    await context.add(deletions.map((deletion) => taskSpec(policy, deletion)))
    found += deletions.length
    context.show({ found })
  }
  for await (const page of tagsIn(registry, repositoryId)) {
    const tags = page.filter(wanted)
    const digests = await digestsOf(registry, repositoryId, tags)
    await add(tags.map((tag, index) => deletionOf(repository, tag, digests[index])))
  }
  for await (const listed of untaggedIn(registry, repositoryId)) {
    const untagged = listed.filter(wanted)
    for (let at = 0; at < untagged.length; at += PAGE)
      await add(untagged.slice(at, at + PAGE).map((digest) => deletionOf(repository, digest, digest)))
  }
  context.log(`${found} artifacts of ${repository}, which was deleted`)
  context.show({ found })
}

function deletionOf(repository: string, reference: string, digest: Digest | undefined): Deleting {
  return { do: 'delete', repository, reference, ...(digest ? { digest } : {}) }
}

async function digestsOf(
  registry: Registry,
  repositoryId: string,
  tags: string[],
): Promise<(Digest | undefined)[]> {
  const items = await registry.metadata.batchGet(tags.map((tag) => keys.tag(repositoryId, tag)))
  return items.map((item) => (item?.attributes.digest ?? undefined) as Digest | undefined)
}
