// Rules on immutable tags: made, changed and deleted. They are part of the project's item.
import { RegistryError } from '../oci/errors.ts'
import { patternFault } from './glob.ts'
import type { ImmutableRule } from './immutable-tags.ts'
import { nextNumber } from './numbers.ts'
import { changeProject } from './project-changes.ts'
import type { Project } from './projects.ts'
import type { Registry } from './registry.ts'

/** Pushes and pulls read the project with them. */
const RULES_LIMIT = 50

export type NewImmutableRule = Omit<ImmutableRule, 'number'>

/** @throws REQUEST_INVALID for a pattern that cannot be understood, or above 50 rules; CONFLICT for a rule that is there */
export async function createImmutableRule(
  registry: Registry,
  project: Project,
  rule: NewImmutableRule,
): Promise<ImmutableRule> {
  check(rule)
  const made = { number: await nextNumber(registry, 'immutable-rule'), ...rule }
  await changeProject(registry, project, ({ immutableRules = [] }) => {
    if (immutableRules.some((each) => isSame(each, rule)))
      throw new RegistryError('CONFLICT', 'immutable rule already exists')
    if (immutableRules.length >= RULES_LIMIT)
      throw new RegistryError('REQUEST_INVALID', `a project has at most ${RULES_LIMIT} immutable rules`)
    return { immutableRules: [...immutableRules, made] }
  })
  return made
}

/** @throws NOT_FOUND, REQUEST_INVALID, CONFLICT */
export async function changeImmutableRule(
  registry: Registry,
  project: Project,
  changed: ImmutableRule,
): Promise<void> {
  check(changed)
  await changeProject(registry, project, ({ immutableRules = [] }) => {
    requireNumber(immutableRules, changed.number)
    if (immutableRules.some((each) => each.number !== changed.number && isSame(each, changed)))
      throw new RegistryError('CONFLICT', 'immutable rule already exists')
    return { immutableRules: immutableRules.map((each) => (each.number === changed.number ? changed : each)) }
  })
}

/** @throws NOT_FOUND */
export async function deleteImmutableRule(
  registry: Registry,
  project: Project,
  number: number,
): Promise<void> {
  await changeProject(registry, project, ({ immutableRules = [] }) => {
    requireNumber(immutableRules, number)
    return { immutableRules: immutableRules.filter((each) => each.number !== number) }
  })
}

function requireNumber(rules: ImmutableRule[], number: number): void {
  if (!rules.some((each) => each.number === number))
    throw new RegistryError('NOT_FOUND', `immutable rule ${number} not found`)
}

function isSame(one: NewImmutableRule, other: NewImmutableRule): boolean {
  const parts = ({ repositories, tags }: NewImmutableRule) =>
    [repositories, tags].flatMap(({ excludes, pattern }) => [excludes, pattern])
  return JSON.stringify(parts(one)) === JSON.stringify(parts(other))
}

/** @throws REQUEST_INVALID */
function check({ repositories, tags }: NewImmutableRule): void {
  for (const { pattern } of [repositories, tags]) {
    if (pattern === '')
      throw new RegistryError('REQUEST_INVALID', 'a pattern cannot be empty: ** is everything')
    const fault = patternFault(pattern)
    if (fault)
      throw new RegistryError(
        'REQUEST_INVALID',
        `the pattern ${JSON.stringify(pattern.slice(0, 100))} ${fault}`,
      )
  }
}
