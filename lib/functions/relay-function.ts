// What happens behind the requests: events out of the outbox, direct uploads that S3 tells of, and the schedule.
import { openRegistry } from '../aws/open-stores.ts'
import { createdKeys } from '../aws/s3-events.ts'
import { type EventBus, publishing } from '../events/bus.ts'
import { startExecution } from '../jobs/executions.ts'
import type { Dispatch } from '../jobs/messages.ts'
import { recoverTasks } from '../jobs/recover.ts'
import { fireSchedules } from '../jobs/schedules.ts'
import { taskEnded } from '../kinds/ended.ts'
import { listenerOf } from '../kinds/listener.ts'
import { registerDirectUpload } from '../registry/direct-uploads.ts'
import type { Registry } from '../registry/registry.ts'
import { type Listener, relay } from '../registry/relay.ts'
import { logLine } from './log.ts'
import type { FunctionSettings } from './settings.ts'

/** Leaves the function time to end well. */
const RESERVE_MS = 10_000

/** @param bus told of everything, after those who are to be told surely */
export function openRelay(settings: FunctionSettings, dispatch: Dispatch | undefined, bus?: EventBus) {
  const { registry } = openRegistry(settings.config)
  const run = tasksOf(registry, dispatch)
  const listener = listenerOf(
    dispatch ? { registry, dispatch, ended: taskEnded } : undefined,
    bus ? [publishing(bus)] : [],
  )
  return async (event: unknown, context: { getRemainingTimeInMillis(): number }): Promise<void> => {
    const { task, Records } = event as { task?: string; Records?: unknown[] }
    if (task !== undefined) return run(task)
    // The stream only says that there is something; all of it is in the outbox.
    if (Records !== undefined)
      return drain(registry, listener, () => context.getRemainingTimeInMillis() > RESERVE_MS)
    await register(registry, event)
  }
}

const isFifthMinute = (nowMs: number) => Math.floor(nowMs / 60_000) % 5 === 0

/** What the schedules of the stack ask for. */
function tasksOf(registry: Registry, dispatch: Dispatch | undefined): (task: string) => Promise<void> {
  return async (task) => {
    if (!dispatch) throw new Error('environment variables ENTREPOT_QUEUE and ENTREPOT_LIGHT_QUEUE: required')
    const jobs = { registry, dispatch, ended: taskEnded }
    if (task === 'sweep') {
      await startExecution(jobs, { vendor: 'GARBAGE_COLLECTION', rule: 0, trigger: 'SCHEDULE' }, [
        { payload: {} },
      ])
      return
    }
    if (task !== 'schedules') throw new Error(`there is no task ${task}`)
    const fired = await fireSchedules(jobs)
    // Lost messages are rare: every fifth minute is soon enough, at a fifth of the reads.
    const recovered = isFifthMinute(registry.clock.nowMs()) ? await recoverTasks(jobs) : 0
    if (fired + recovered > 0) logLine({ component: 'jobs', fired, recovered })
  }
}

async function drain(registry: Registry, listener: Listener, more: () => boolean): Promise<void> {
  let failures = 0
  const failed = (error: unknown, event: string) => {
    failures += 1
    logLine({ component: 'relay', event, error: String(error) })
  }
  while (more() && (await relay(registry, failed, listener)) > 0);
  // Thrown so that the stream brings it up again; what was relayed is gone from the outbox.
  if (failures > 0) throw new Error(`${failures} events could not be relayed`)
}

async function register(registry: Registry, event: unknown): Promise<void> {
  for (const key of createdKeys(JSON.stringify(event))) {
    const outcome = await registerDirectUpload(registry, key)
    logLine({ component: 'relay', key, outcome })
  }
}
