// When caches forget: every night, by a schedule like any, so that of several processes one does it.
import { setSchedule } from '../jobs/schedules.ts'
import type { Registry } from '../registry/registry.ts'

/** As Harbor's, for new caches. */
const CRON = '0 0 0 * * *'

/** Called whenever a cache is made or changed: it stays what it is. */
export function scheduleRetention(registry: Registry): Promise<void> {
  return setSchedule(registry, { vendor: 'PROXY_RETENTION', rule: 0, cron: CRON })
}
