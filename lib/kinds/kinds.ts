// Every kind of job there is.
import type { JobKinds } from '../jobs/kinds.ts'
import type { SweepSummary } from '../registry/gc/ledger.ts'
import { garbageCollection } from './garbage-collection.ts'

/** What jobs need of the process that runs them. */
export interface JobParts {
  /** Sweeps, or joins the sweep that runs. */
  sweepNow(trigger: string): Promise<SweepSummary>
}

export function jobKinds(parts: JobParts): JobKinds {
  return { GARBAGE_COLLECTION: garbageCollection(parts.sweepNow) }
}
