// Labels: of the whole registry, and of projects.
import { createLabel, type Label, listLabels, updateLabel } from '../artifacts/labels.ts'
import { textIn } from './fields.ts'
import type { Import } from './import.ts'
import { differing, settle } from './outcome.ts'
import type { Both } from './projects.ts'

export const EVERY = { page: 1, pageSize: 10_000, filters: [], sort: [] }

/** @param of undefined for those of the whole registry. @throws HarborApiError */
export async function bringLabels(context: Import, of: Both | undefined): Promise<void> {
  const { registry, source } = context
  const scope = of ? { scope: 'p', project_id: String(of.there.number) } : { scope: 'g' }
  const wanted = (await source.all('/labels', scope)).map((row) => ({
    name: textIn(row, 'name'),
    description: textIn(row, 'description'),
    color: textIn(row, 'color'),
  }))
  const owner = of ? of.here : 'g'
  const known = owner && (await listLabels(registry, owner === 'g' ? 'g' : owner.id, EVERY)).labels
  for (const label of wanted) {
    const found = known?.find(({ name }) => name === label.name)
    await settle(context, {
      kind: 'label',
      name: of ? `${of.there.name} ${label.name}` : label.name,
      differences: found && differences(label, found),
      create: async () => {
        if (owner) await createLabel(registry, owner, label)
      },
      ...(found ? { change: () => updateLabel(registry, found.id, label) } : {}),
      deed: () => ({
        resourceType: 'label',
        resource: label.name,
        ...(of?.here ? { projectId: of.here.id } : {}),
      }),
    })
  }
}

function differences(there: Pick<Label, 'description' | 'color'>, here: Label): string[] {
  return [
    ...differing('the colour', there.color, here.color),
    ...differing('the description', there.description, here.description),
  ]
}
