// Every kind of job there is.
import type { JobKinds } from '../jobs/kinds.ts'
import type { Upstreams } from '../registries/upstreams.ts'
import type { SweepSummary } from '../registry/gc/ledger.ts'
import { replication } from '../replication/job.ts'
import { garbageCollection } from './garbage-collection.ts'

/** What jobs need of the process that runs them. */
export interface JobParts {
  /** Sweeps, or joins the sweep that runs. */
  sweepNow(trigger: string): Promise<SweepSummary>
  /** Absent in programs that run only light jobs. */
  upstreams?: Upstreams
}

export function jobKinds(parts: JobParts): JobKinds {
  return {
    GARBAGE_COLLECTION: garbageCollection(parts.sweepNow),
    ...(parts.upstreams ? { REPLICATION: replication(parts.upstreams) } : {}),
  }
}
