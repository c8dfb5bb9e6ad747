// Garbage collection as a job.
import type { JobKind } from '../jobs/kinds.ts'
import type { SweepSummary } from '../registry/gc/ledger.ts'

/** @param sweepNow sweeps, or joins the sweep that runs */
export function garbageCollection(sweepNow: (trigger: string) => Promise<SweepSummary>): JobKind {
  return {
    attempts: 3,
    retryAfterSeconds: 60,
    timeoutSeconds: 6 * 3600,
    // Two at once would do no harm, and twice the work.
    atOnce: 1,
    run: async ({ log, show, execution }) => {
      const { startedAtMs: _, endedAtMs: __, ...summary } = await sweepNow(execution.trigger.toLowerCase())
      log(`sweep ended: ${JSON.stringify(summary)}`)
      show({ ...summary })
    },
  }
}
