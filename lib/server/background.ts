// What runs beside the requests: relaying events, writing records, sweeping, expiring.
import type { Logger } from 'pino'
import type { Config } from '../config/schema.ts'
import type { ProxyCache } from '../proxy/proxy-cache.ts'
import type { SweepSummary } from '../registry/gc/ledger.ts'
import { sweep } from '../registry/gc/sweep.ts'
import type { Recorder } from '../registry/recorder.ts'
import { type Listener, relay } from '../registry/relay.ts'
import type { OpenStores } from './open-stores.ts'

const FLUSH_EVERY_MS = 1000
const EXPIRE_EVERY_MS = 60_000
/** Besides whenever there is an event: one that failed is tried again. */
const RELAY_EVERY_MS = 60_000
const HOUR_MS = 3_600_000

export interface Background {
  /** Sweeps now, or joins the sweep that runs. */
  sweepNow(trigger: string): Promise<SweepSummary>
  /** Runs `work` while no sweep does: a backup's files must not go while it copies them. */
  withoutSweeps<T>(work: () => Promise<T>): Promise<T>
  /** Lets what runs end, relays and writes what is left. */
  stop(): Promise<void>
}

export function startBackground(
  stores: OpenStores,
  parts: {
    recorder: Recorder
    proxy: ProxyCache
    /** Told of each event, at least once. */
    listener: Listener
  },
  log: Logger,
  config: Pick<Config, 'background' | 'sweepEveryHours'>,
): Background {
  const { registry } = stores
  const { recorder, proxy, listener } = parts
  const timers: NodeJS.Timeout[] = []
  const failed = (what: string) => (error: unknown) =>
    log.error({ component: what, err: error }, `${what} failed`)
  let relaying: Promise<void> | undefined
  let again = false
  let sweeping: Promise<SweepSummary> | undefined
  let exclusive: Promise<unknown> = Promise.resolve()

  async function drainOutbox(): Promise<void> {
    do {
      again = false
      while ((await relay(registry, failed('relay'), listener)) > 0);
    } while (again)
  }
  function wakeRelay(): void {
    again = true
    relaying ??= drainOutbox()
      .catch(failed('relay'))
      .finally(() => {
        relaying = undefined
      })
  }
  const here = config.background === 'on'
  if (here) stores.events.onEvent = wakeRelay

  async function sweepOnce(trigger: string): Promise<SweepSummary> {
    await exclusive
    const summary = await sweep(registry, trigger)
    log.info({ component: 'gc', ...summary }, 'sweep ended')
    return summary
  }
  function sweepNow(trigger: string): Promise<SweepSummary> {
    sweeping ??= sweepOnce(trigger).finally(() => {
      sweeping = undefined
    })
    return sweeping
  }
  async function withoutSweeps<T>(work: () => Promise<T>): Promise<T> {
    const before = exclusive
    const run = (async () => {
      await before
      await sweeping?.catch(() => {})
      return work()
    })()
    exclusive = run.catch(() => {})
    return run
  }

  const every = (ms: number, work: () => void) => {
    const timer = setInterval(work, ms)
    timer.unref()
    timers.push(timer)
  }
  every(FLUSH_EVERY_MS, () => recorder.flush().catch(failed('recorder')))
  every(FLUSH_EVERY_MS, () => proxy.flush().catch(failed('proxy')))
  if (here) every(RELAY_EVERY_MS, wakeRelay)
  every(EXPIRE_EVERY_MS, () => stores.expire?.(Date.now()).catch(failed('expiry')))
  if (here && config.sweepEveryHours > 0)
    every(config.sweepEveryHours * HOUR_MS, () => sweepNow('timer').catch(failed('gc')))
  if (here) wakeRelay() // what a stopped process left

  return {
    sweepNow,
    withoutSweeps,
    stop: async () => {
      timers.forEach(clearInterval)
      await sweeping?.catch(() => {})
      await exclusive
      await relaying
      await recorder.flush({ last: true }).catch(failed('recorder'))
      await proxy.flush().catch(failed('proxy'))
    },
  }
}
