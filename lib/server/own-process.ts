// `entrepot` as the process that an operation runs in, where no server does: jobs that it waits for run here too.
import { pino } from 'pino'
import type { Config } from '../config/schema.ts'
import { sweep } from '../registry/gc/sweep.ts'
import { jobsOf, runJobs } from './jobs.ts'
import type { OpenStores } from './open-stores.ts'
import type { Process } from './operation.ts'
import { upstreamsOf } from './upstreams.ts'

/** @throws StartupError for a wrong configuration of what may be reached */
export function ownProcess(config: Config, stores: OpenStores): Process {
  const upstreams = upstreamsOf(stores, config)
  const sweepNow = (trigger: string) => sweep(stores.registry, trigger)
  return {
    sweepNow,
    withoutSweeps: (work) => work(),
    upstreams,
    origin: () => config.externalUrl ?? '',
    withJobs: async (work) => {
      const log = pino({ level: 'silent' })
      const stop = runJobs(jobsOf(stores), { sweepNow, upstreams }, log, { jobEnded: () => {} })
      try {
        return await work()
      } finally {
        await stop()
      }
    },
  }
}
