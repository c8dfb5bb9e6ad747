// Usage: what quota counts. A blob counts once in a project, however many of its repositories hold it.
import { keys, partitions } from './keys.ts'
import { pagesOf } from './partitions.ts'
import type { Write } from './ports.ts'
import { number, type Registry } from './registry.ts'

/** How long a reader waits for what was pushed or deleted a moment ago to be counted. */
const SETTLES_WITHIN_MS = 3000
const LOOK_EVERY_MS = 50

interface Used {
  digest: string
  size: number
}

/** Counts what a manifest uses. Repeating it changes nothing. */
export async function countUsage(
  registry: Registry,
  project: string,
  repo: string,
  manifest: string,
  used: Used[],
): Promise<void> {
  await registry.metadata.batchWrite(
    used.map(({ digest, size }) => ({
      kind: 'put',
      item: { ...keys.usage(project, digest, repo, manifest), attributes: { v: 1, sizeBytes: size } },
    })),
  )
  await registry.metadata.batchWrite(used.map((each) => counted(project, each)))
}

function counted(project: string, { digest, size }: Used): Write {
  return {
    kind: 'put',
    item: { ...keys.projectBlob(project, digest), attributes: { v: 1, sizeBytes: size } },
  }
}

/** Counts no more what only that manifest used. */
export async function forgetUsage(
  registry: Registry,
  project: string,
  repo: string,
  manifest: string,
  digests: string[],
): Promise<void> {
  const anyUser = async (digest: string) =>
    (await registry.metadata.query({ pk: partitions.usage(project, digest), limit: 1 }))[0]
  await registry.metadata.batchWrite(
    digests.map((digest) => ({ kind: 'delete', key: keys.usage(project, digest, repo, manifest) })),
  )
  for (const digest of digests) {
    if (await anyUser(digest)) continue
    await registry.metadata.batchWrite([{ kind: 'delete', key: keys.projectBlob(project, digest) }])
    // Somebody else may have begun to use it just then.
    const user = await anyUser(digest)
    if (user)
      await registry.metadata.batchWrite([counted(project, { digest, size: number(user, 'sizeBytes') })])
  }
}

/** Bytes of the project, everything counted that was pushed or deleted before. */
export async function projectUsage(registry: Registry, project: string): Promise<number> {
  await settled(registry, project)
  return countedBytes(registry, project)
}

/** Bytes counted so far, without waiting for what is on its way. */
export async function countedBytes(registry: Registry, project: string): Promise<number> {
  let bytes = 0
  for await (const page of pagesOf(registry.metadata, { pk: partitions.projectBlobs(project) }))
    for (const item of page) bytes += number(item, 'sizeBytes')
  return bytes
}

/** Waits, but not for ever, until no event of the project is left in the outbox. */
async function settled(registry: Registry, project: string): Promise<void> {
  const until = Date.now() + SETTLES_WITHIN_MS
  while ((await pending(registry, project)) && Date.now() < until)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
}

async function pending(registry: Registry, project: string): Promise<boolean> {
  const pages = await Promise.all(
    partitions.events.map((pk) => registry.metadata.query({ pk, limit: 100, reverse: true })),
  )
  return pages.flat().some((event) => event.attributes.project === project)
}
