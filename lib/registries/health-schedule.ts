// When other registries are looked at: by a schedule like any, so that of several processes one does it.
import { dropSchedule, setSchedule } from '../jobs/schedules.ts'
import type { Registry } from '../registry/registry.ts'

const VENDOR = 'REGISTRY_HEALTH'
/** As often as Harbor does. */
const CRON = '0 */5 * * * *'

/** Called whenever there is a registry to look at: it stays what it is. */
export function scheduleHealth(registry: Registry): Promise<void> {
  return setSchedule(registry, { vendor: VENDOR, rule: 0, cron: CRON })
}

/** There is none any more. */
export function unscheduleHealth(registry: Registry): Promise<void> {
  return dropSchedule(registry, VENDOR, 0)
}
