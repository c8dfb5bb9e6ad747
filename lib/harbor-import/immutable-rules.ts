// Rules on immutable tags.
import { RegistryError } from '../oci/errors.ts'
import {
  changeImmutableRule,
  createImmutableRule,
  type NewImmutableRule,
} from '../registry/immutable-rules.ts'
import type { ImmutableRule } from '../registry/immutable-tags.ts'
import { type Fields, flagIn, numberIn, objectIn, objectsIn, textIn } from './fields.ts'
import type { Import } from './import.ts'
import { differing, settle } from './outcome.ts'
import type { Both } from './projects.ts'

/** @throws HarborApiError */
export async function bringImmutableRules(context: Import, { there, here }: Both): Promise<void> {
  const { registry, source } = context
  for (const row of await source.all(`/projects/${there.number}/immutabletagrules`)) {
    const rule = ruleIn(row)
    const found = here?.immutableRules?.find((each) => textOf(each) === textOf(rule))
    await settle(context, {
      kind: 'immutable rule',
      name: `${there.name} ${textOf(rule)}`,
      differences: found && differing('disabled', rule.disabled, found.disabled),
      create: async () => {
        checkKinds(row)
        await createImmutableRule(registry, here!, rule)
      },
      ...(found
        ? { change: () => changeImmutableRule(registry, here!, { ...found, disabled: rule.disabled }) }
        : {}),
      deed: () => ({
        resourceType: 'immutable-tag',
        resource: `${there.name}/immutabletagrules`,
        projectId: here!.id,
      }),
    })
  }
}

function ruleIn(row: Fields): NewImmutableRule {
  const { repository, tag } = selectorsIn(row)
  return {
    disabled: flagIn(row, 'disabled'),
    priority: numberIn(row, 'priority') ?? 0,
    repositories: {
      excludes: textIn(repository, 'decoration') === 'repoExcludes',
      pattern: textIn(repository, 'pattern'),
    },
    tags: { excludes: textIn(tag, 'decoration') === 'excludes', pattern: textIn(tag, 'pattern') },
  }
}

/** Harbor too looks at the first only. */
function selectorsIn(row: Fields): { repository: Fields; tag: Fields } {
  const [repository = {}] = objectsIn(objectIn(row, 'scope_selectors'), 'repository')
  const [tag = {}] = objectsIn(row, 'tag_selectors')
  return { repository, tag }
}

/** @throws REQUEST_INVALID for selectors that mean something else here */
function checkKinds(row: Fields): void {
  for (const { kind } of Object.values(selectorsIn(row)))
    if (kind !== 'doublestar')
      throw new RegistryError(
        'REQUEST_INVALID',
        `selectors of kind ${JSON.stringify(kind)} are not known here`,
      )
}

function textOf({ repositories, tags }: NewImmutableRule | ImmutableRule): string {
  const part = ({ excludes, pattern }: typeof tags) => `${excludes ? 'all but ' : ''}${pattern}`
  return `${part(repositories)}:${part(tags)}`
}
