// The first task of a replication: finds what the rule matches, a page at a time, and adds a task for each.
import type { JobContext } from '../jobs/kinds.ts'
import { RegistryError } from '../oci/errors.ts'
import { labelFilter, referenceFilter, repositoryMatcher } from './filters.ts'
import { namesIn } from './patterns.ts'
import { taskSpec } from './payload.ts'
import type { Source } from './place.ts'
import { namePattern, type ReplicationPolicy } from './policy.ts'

const TASKS_AT_ONCE = 100
/** Repositories, of which nothing may have been added. */
const SAVED_EVERY = 20
/** Any digest: whether the rule takes what has no tag. */
const UNTAGGED = `sha256:${'0'.repeat(64)}`

/** Repositories, and references in the one after them, that are planned already are counted, so that another attempt goes on behind them. */
interface Planned {
  repositories: number
  tags: number
}

/** @param only a repository that alone is looked through */
export async function plan(
  context: JobContext,
  policy: ReplicationPolicy,
  source: Source,
  only?: string,
): Promise<void> {
  const before: Planned = { repositories: 0, tags: 0, ...(context.task.state as Partial<Planned>) }
  const [matches, wanted, labels] = [repositoryMatcher(policy), referenceFilter(policy), labelFilter(policy)]
  let [repositories, references, found] = [0, 0, 0]
  for await (const page of only === undefined ? repositoriesOf(source, namePattern(policy)) : [[only]])
    for (const repository of page) {
      context.signal.throwIfAborted()
      repositories += 1
      if (repositories <= before.repositories || !matches(repository)) continue
      references = 0
      for await (const listed of referencesOf(source, repository, wanted(UNTAGGED)))
        for (let at = 0; at < listed.length; at += TASKS_AT_ONCE) {
          context.signal.throwIfAborted()
          const some = listed.slice(at, at + TASKS_AT_ONCE)
          references += some.length
          if (repositories === before.repositories + 1 && references <= before.tags) continue
          const chosen: string[] = []
          for (const each of some.filter(wanted))
            if (!labels || labels(await labelsOf(source, repository, each))) chosen.push(each)
          context.show({ repositories, found })
          const added = await add(context, policy, repository, chosen)
          found += added
          // What nothing was added of is as soon looked through again.
          if (added > 0) await context.save({ repositories: repositories - 1, tags: references })
        }
      if (repositories % SAVED_EVERY === 0) await context.save({ repositories, tags: 0 })
    }
  context.log(`${found} artifacts in ${repositories} repositories of ${source.name}`)
  context.show({ repositories, found })
}

async function* repositoriesOf(source: Source, pattern: string): AsyncGenerator<string[]> {
  const names = namesIn(pattern)
  if (names) yield names
  else yield* source.repositories(pattern)
}

async function* referencesOf(
  source: Source,
  repository: string,
  untagged: boolean,
): AsyncGenerator<string[]> {
  yield* source.tags(repository)
  if (untagged) yield* source.untagged(repository)
}

async function labelsOf(source: Source, repository: string, reference: string): Promise<string[]> {
  const digest = await source.head(repository, reference)
  return digest ? source.labels(repository, digest) : []
}

async function add(
  context: JobContext,
  policy: ReplicationPolicy,
  repository: string,
  references: string[],
): Promise<number> {
  if (references.length === 0) return 0
  try {
    await context.add(references.map((reference) => taskSpec(policy, { do: 'copy', repository, reference })))
    return references.length
  } catch (error) {
    // One repository that is not deep enough for the rule does not hold up the others.
    if (!(error instanceof RegistryError)) throw error
    context.log(`skipped: ${error.message}`)
    return 0
  }
}
