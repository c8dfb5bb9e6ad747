// Immutable tags: what a project's rules say may neither move nor go, and what whoever tries is told, in Harbor's words.
import { RegistryError } from '../oci/errors.ts'
import { globOf } from './glob.ts'
import { pagesOf } from './partitions.ts'
import type { Project } from './projects.ts'
import type { Registry } from './registry.ts'

/** Of repositories (without their project) and of tags: the ones a pattern matches, or all others. */
interface Selector {
  excludes: boolean
  pattern: string
}

/** Tags of which one rule says so are immutable. */
export interface ImmutableRule {
  number: number
  disabled: boolean
  /** Kept for Harbor's clients; without a meaning there either. */
  priority: number
  repositories: Selector
  tags: Selector
}

export type TagTest = (tag: string) => boolean

/** @returns undefined where no rule is about that repository, which costs pushes nothing */
export function immutableIn(project: Project, repositoryName: string): TagTest | undefined {
  const name = repositoryName.slice(project.name.length + 1)
  const tests = (project.immutableRules ?? [])
    .filter(({ disabled, repositories }) => !disabled && selected(repositories)(name))
    .map(({ tags }) => selected(tags))
  return tests.length === 0 ? undefined : (tag) => tests.some((test) => test(tag))
}

function selected({ excludes, pattern }: Selector): (text: string) => boolean {
  const matches = globOf(pattern)
  return (text) => matches(text) !== excludes
}

/** @param pk a partition whose sort keys are tags. @throws PRECONDITION naming the first that is immutable */
export async function refuseImmutable(registry: Registry, pk: string, immutable: TagTest): Promise<void> {
  for await (const page of pagesOf(registry.metadata, { pk })) {
    const found = page.find(({ sk }) => immutable(sk))
    if (found) throw undeletable(found.sk)
  }
}

export function undeletable(tag: string): RegistryError {
  return new RegistryError('PRECONDITION', `the tag ${tag} configured as immutable, cannot be deleted`)
}

/** For a push; Harbor names the repository without its project. */
export function immutableTag(repositoryName: string, tag: string): RegistryError {
  const name = repositoryName.slice(repositoryName.indexOf('/') + 1)
  return new RegistryError(
    'PRECONDITION',
    `Failed to process request due to '${name}:${tag}' configured as immutable.`,
  )
}
