// The first task of a replication: finds what the rule matches, a page at a time, and adds a task for each.
import type { JobContext } from '../jobs/kinds.ts'
import { RegistryError } from '../oci/errors.ts'
import { labelFilter, repositoryMatcher, tagFilter } from './filters.ts'
import { namesIn } from './patterns.ts'
import { taskSpec } from './payload.ts'
import type { Source } from './place.ts'
import { namePattern, type ReplicationPolicy } from './policy.ts'

const TASKS_AT_ONCE = 100

/** Repositories and tags that are planned already are counted, so that another attempt goes on behind them. */
interface Planned {
  repositories: number
  tags: number
}

export async function plan(context: JobContext, policy: ReplicationPolicy, source: Source): Promise<void> {
  const before: Planned = { repositories: 0, tags: 0, ...(context.task.state as Partial<Planned>) }
  const [matches, wanted, labels] = [repositoryMatcher(policy), tagFilter(policy), labelFilter(policy)]
  let [repositories, tags, found] = [0, 0, 0]
  for await (const page of repositoriesOf(source, namePattern(policy)))
    for (const repository of page) {
      context.signal.throwIfAborted()
      repositories += 1
      if (repositories <= before.repositories || !matches(repository)) continue
      tags = 0
      for await (const listed of source.tags(repository))
        for (let at = 0; at < listed.length; at += TASKS_AT_ONCE) {
          context.signal.throwIfAborted()
          const some = listed.slice(at, at + TASKS_AT_ONCE)
          tags += some.length
          if (repositories === before.repositories + 1 && tags <= before.tags) continue
          const chosen: string[] = []
          for (const tag of some.filter(wanted))
            if (!labels || labels(await labelsOf(source, repository, tag))) chosen.push(tag)
          found += await add(context, policy, repository, chosen)
          await context.save({ repositories: repositories - 1, tags })
          context.show({ repositories, found })
        }
      await context.save({ repositories, tags: 0 })
    }
  context.log(`${found} artifacts in ${repositories} repositories of ${source.name}`)
  context.show({ repositories, found })
}

async function* repositoriesOf(source: Source, pattern: string): AsyncGenerator<string[]> {
  const names = namesIn(pattern)
  if (names) yield names
  else yield* source.repositories(pattern)
}

async function labelsOf(source: Source, repository: string, tag: string): Promise<string[]> {
  const digest = await source.head(repository, tag)
  return digest ? source.labels(repository, digest) : []
}

async function add(
  context: JobContext,
  policy: ReplicationPolicy,
  repository: string,
  tags: string[],
): Promise<number> {
  if (tags.length === 0) return 0
  try {
    await context.add(tags.map((tag) => taskSpec(policy, { do: 'copy', repository, tag })))
    return tags.length
  } catch (error) {
    // One repository that is not deep enough for the rule does not hold up the others.
    if (!(error instanceof RegistryError)) throw error
    context.log(`skipped: ${error.message}`)
    return 0
  }
}
