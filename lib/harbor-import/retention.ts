// Retention rules: not known here yet, so what there are is told.
import { objectsIn } from './fields.ts'
import type { Import } from './import.ts'
import type { SourceProject } from './projects.ts'

/** @throws HarborApiError */
export async function noteRetention({ source, report }: Import, project: SourceProject): Promise<void> {
  if (project.retention === undefined) return
  const { length } = objectsIn(await source.get(`/retentions/${project.retention}`), 'rules')
  if (length === 0) return
  const why = `not brought: ${length} ${length === 1 ? 'rule' : 'rules'}, this registry has none of the kind yet`
  report({ kind: 'retention', name: project.name, state: 'note', why })
}
