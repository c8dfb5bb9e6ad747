// Content there and here, digest by digest: the source by its own API, this registry by what it serves.
import type { Digest } from '../oci/digest.ts'
import { sourceHere } from '../replication/here.ts'
import { type Artifact, artifactsThere, isReplicated, repositoriesThere } from './artifacts.ts'
import type { Import } from './import.ts'

/**
 * `missing` here, `extra` here, `differs`: another digest. `untagged`: it is missing, and nothing names it, so that no rule
 * copies it.
 */
export type DriftState = 'same' | 'missing' | 'differs' | 'extra' | 'untagged'

export interface Drift {
  state: DriftState
  repository: string
  /** A tag, or `@` and a digest for what has none: untagged artifacts, signatures and the like. */
  reference: string
  /** Undefined where it is not. */
  there: string | undefined
  here: string | undefined
}

/** @throws HarborApiError */
export async function* driftOf(context: Import, project: string): AsyncGenerator<Drift> {
  const here = sourceHere(context.registry)
  const seen = new Set<string>()
  for await (const repository of repositoriesThere(context, project)) {
    seen.add(repository)
    yield* repositoryDrift(context, project, repository)
  }
  for await (const page of here.repositories(`${project}/**`))
    for (const repository of page) if (!seen.has(repository)) yield* extraTags(context, repository, new Set())
}

async function* repositoryDrift(context: Import, project: string, repository: string): AsyncGenerator<Drift> {
  const here = sourceHere(context.registry)
  const tags = new Set<string>()
  for await (const artifact of artifactsThere(context, project, repository))
    for (const { reference, digest } of namesOf(artifact)) {
      const isTagged = !reference.startsWith('@')
      if (tags.has(reference)) continue
      tags.add(reference)
      const found = await here.head(repository, isTagged ? reference : digest)
      const absent = isTagged || reference !== `@${artifact.digest}` ? 'missing' : 'untagged'
      const state = found === undefined ? absent : found === digest ? 'same' : 'differs'
      yield { state, repository, reference, there: digest, here: found }
    }
  yield* extraTags(context, repository, tags)
}

function namesOf({ digest, tags, accessories }: Artifact): { reference: string; digest: Digest }[] {
  return [
    ...(tags.length === 0
      ? [{ reference: `@${digest}`, digest }]
      : tags.map((reference) => ({ reference, digest }))),
    ...(tags.length === 0 ? [] : accessories.map((each) => ({ reference: `@${each}`, digest: each }))),
  ]
}

async function* extraTags(context: Import, repository: string, there: Set<string>): AsyncGenerator<Drift> {
  const here = sourceHere(context.registry)
  for await (const page of here.tags(repository))
    for (const tag of page.filter(isReplicated)) {
      if (there.has(tag)) continue
      const digest = await here.head(repository, tag)
      // Deleted meanwhile.
      if (digest) yield { state: 'extra', repository, reference: tag, there: undefined, here: digest }
    }
}
