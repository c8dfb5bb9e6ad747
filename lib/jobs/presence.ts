// Worker processes as the job dashboard shows them: each says from time to time that it is there, and what it runs.
import { keys, partitions } from '../registry/keys.ts'
import { pagesOf } from '../registry/partitions.ts'
import type { Attributes, Item } from '../registry/ports.ts'
import { epochSeconds, number, type Registry, text } from '../registry/registry.ts'
import { jobId, type Task } from './execution.ts'

const BEAT_MS = 15_000
/** Without a heartbeat for so long a process is not shown any more. */
const GONE_SECONDS = 90

export interface WorkerProcess {
  id: string
  host: string
  pid: number
  concurrency: number
  startedAtMs: number
  heartbeatAtMs: number
  running: { jobId: string; vendor: string; startedAtMs: number }[]
}

/** Who this process is, for the dashboard. */
export interface Place {
  host: string
  pid: number
}

export class Presence {
  readonly #registry: Registry
  readonly #process: Omit<WorkerProcess, 'heartbeatAtMs' | 'running'>
  readonly #running = new Map<number, WorkerProcess['running'][number]>()
  readonly #timer: NodeJS.Timeout

  constructor(registry: Registry, place: Place, concurrency: number) {
    this.#registry = registry
    this.#process = { ...place, id: registry.newId(), concurrency, startedAtMs: registry.clock.nowMs() }
    this.#timer = setInterval(() => void this.#tell(), BEAT_MS)
    this.#timer.unref()
    void this.#tell()
  }

  began(task: Task): void {
    const startedAtMs = this.#registry.clock.nowMs()
    this.#running.set(task.number, { jobId: jobId(task), vendor: task.vendor, startedAtMs })
    void this.#tell()
  }

  ended(task: Task): void {
    this.#running.delete(task.number)
    void this.#tell()
  }

  async leave(): Promise<void> {
    clearInterval(this.#timer)
    await this.#registry.metadata.batchWrite([{ kind: 'delete', key: keys.worker(this.#process.id) }])
  }

  async #tell(): Promise<void> {
    const { metadata, clock } = this.#registry
    const attributes: Attributes = {
      v: 1,
      ...this.#process,
      heartbeatAtMs: clock.nowMs(),
      running: [...this.#running.values()],
    }
    const expiresAtEpochSeconds = epochSeconds(this.#registry) + GONE_SECONDS
    await metadata
      .batchWrite([
        { kind: 'put', item: { ...keys.worker(this.#process.id), attributes, expiresAtEpochSeconds } },
      ])
      .catch(() => {}) // the next beat may come through
  }
}

export async function listWorkers(registry: Registry): Promise<WorkerProcess[]> {
  const oldestMs = registry.clock.nowMs() - GONE_SECONDS * 1000
  const found: WorkerProcess[] = []
  for await (const page of pagesOf(registry.metadata, { pk: partitions.workers }))
    found.push(...page.map(workerOf).filter(({ heartbeatAtMs }) => heartbeatAtMs >= oldestMs))
  return found
}

function workerOf(item: Item): WorkerProcess {
  return {
    id: text(item, 'id'),
    host: text(item, 'host'),
    pid: number(item, 'pid'),
    concurrency: number(item, 'concurrency'),
    startedAtMs: number(item, 'startedAtMs'),
    heartbeatAtMs: number(item, 'heartbeatAtMs'),
    running: item.attributes.running as unknown as WorkerProcess['running'],
  }
}
