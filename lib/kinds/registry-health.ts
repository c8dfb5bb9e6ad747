// A look at the other registries, as a job.
import type { JobKind } from '../jobs/kinds.ts'
import { checkRegistries } from '../registries/health.ts'
import type { Upstreams } from '../registries/upstreams.ts'

/** Not tried again: the next look comes by itself. */
export function registryHealth(upstreams: Upstreams): JobKind {
  return {
    attempts: 1,
    retryAfterSeconds: 60,
    // Less than the function has that runs it.
    timeoutSeconds: 100,
    atOnce: 1,
    run: async ({ registry, log, show, signal }) => {
      let [checked, unhealthy] = [0, 0]
      await checkRegistries(registry, upstreams, signal, ({ name }, reason) => {
        checked += 1
        if (reason === undefined) return
        unhealthy += 1
        log(`${name}: ${reason}`)
      })
      show({ checked, unhealthy })
    },
  }
}
