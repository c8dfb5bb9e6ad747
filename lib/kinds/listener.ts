// Who is told of each event: rules that replicate it, scans, webhooks, and whoever else listens.
import { type Subscriber, tellAll } from '../events/event.ts'
import { webhooks } from '../events/notify.ts'
import type { Jobs } from '../jobs/executions.ts'
import type { Listener } from '../registry/relay.ts'
import { replicateEvent } from '../replication/events.ts'
import { sbomOnPush } from '../sbom/on-push.ts'
import { scanOnPush } from '../scanning/on-push.ts'

/**
 * @param jobs absent where none can be begun
 * @param others told after those who are to be told surely
 */
export function listenerOf(jobs: Jobs | undefined, others: readonly Subscriber[] = []): Listener {
  const tell = tellAll([...(jobs ? [scanOnPush(jobs), sbomOnPush(jobs), webhooks(jobs)] : []), ...others])
  return async (event) => {
    if (jobs) await replicateEvent(jobs, event)
    await tell(event)
  }
}
