// What became of each thing that was to be brought, and the one place that decides whether it is made, changed or left.
import { isDeepStrictEqual } from 'node:util'
import { RegistryError } from '../oci/errors.ts'
import { type Deed, noted } from '../registry/audit-log.ts'
import { HarborApiError } from './harbor-api.ts'
import type { Import } from './import.ts'

/**
 * `brought`, `changed`: just now. `same`: it was here already. `missing`: it is not here, and nothing was to be done.
 * `differs`: it is here and something else, which is left. `failed`: it cannot be brought. `note`: what no run can bring,
 * or what is left for people to do.
 */
export type State = 'brought' | 'changed' | 'same' | 'missing' | 'differs' | 'failed' | 'note'

export interface Outcome {
  /** `project`, `robot`, … */
  kind: string
  name: string
  state: State
  /** What is different, or why it was not brought; may be empty. */
  why: string
}

/** Of the settings; content has its own. */
const DRIFT: readonly State[] = ['missing', 'differs', 'failed']

export function isDrift({ state }: Pick<Outcome, 'state'>): boolean {
  return DRIFT.includes(state)
}

export interface Wanted {
  kind: string
  name: string
  /** How what is here differs from what is there, a few words for each thing; undefined when nothing is here. */
  differences: string[] | undefined
  create(): Promise<unknown>
  /** Absent where it cannot be changed. */
  change?(): Promise<unknown>
  /** For the audit log, looked at once it is done; absent where whoever makes it notes it. */
  deed?(): Omit<Deed, 'operation'>
}

/**
 * Makes it when it is not here. What is here and differs is changed only where the run is told to overwrite: somebody
 * may have changed it on purpose.
 */
export async function settle(context: Import, wanted: Wanted): Promise<State> {
  const { kind, name, differences, create, change } = wanted
  const tell = (state: State, why = '') => {
    context.report({ kind, name, state, why })
    return state
  }
  if (differences?.length === 0) return tell('same')
  const why = differences?.join('; ') ?? ''
  if (!context.writes) return tell(differences ? 'differs' : 'missing', why)
  if (differences && (!context.overwrite || !change)) return tell('differs', why)
  try {
    await (differences ? change!() : create())
    const deed = wanted.deed?.()
    if (deed) await noted(context, { operation: differences ? 'update' : 'create', ...deed })
    return tell(differences ? 'changed' : 'brought', why)
  } catch (error) {
    return tell('failed', reasonOf(error))
  }
}

/** Runs a part of the import; that one part cannot be read does not hold up the others. */
export async function part(
  context: Import,
  kind: string,
  name: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    context.report({ kind, name, state: 'failed', why: reasonOf(error) })
  }
}

/** @throws what is neither a refusal of ours nor of the other side: then the program is wrong */
function reasonOf(error: unknown): string {
  if (error instanceof RegistryError || error instanceof HarborApiError) return error.message
  throw error
}

/** A difference in one field, in words; none where there is none. */
export function differing(what: string, there: unknown, here: unknown): string[] {
  if (isDeepStrictEqual(there, here)) return []
  const [one, other] = [there, here].map((each) => JSON.stringify(each) ?? 'nothing')
  return [`${what} is ${one} there and ${other} here`]
}
