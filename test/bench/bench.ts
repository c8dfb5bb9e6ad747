// What every scenario works with: the registries, where to put data, and where results go.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Job, JobResult } from './load/jobs.ts'
import { cpuSeconds, freePort } from './processes.ts'
import type { Contestant, Running } from './registries.ts'
import type { Sizes } from './sizes.ts'

export interface Metric {
  name: string
  unit: string
  better: 'higher' | 'lower'
}

export interface Scenario {
  /** As `--only` takes it. */
  name: string
  title: string
  /** What is done and counted, for the report. */
  about(sizes: Sizes): string
  run(bench: Bench): Promise<void>
}

export interface Row extends Metric {
  /** By contestant. */
  samples: Record<string, number[]>
}

/** Said once, when it was to start, and not again for all that it then could not do. */
class NotStarted extends Error {}

export class Bench {
  readonly contestants: Contestant[]
  readonly sizes: Sizes
  /** Temporary, on the filesystem that all registries store on. */
  readonly folder: string
  readonly rows: Row[] = []
  readonly notes: string[] = []
  readonly #failed = new Set<string>()

  constructor(contestants: Contestant[], sizes: Sizes, folder: string) {
    this.contestants = contestants
    this.sizes = sizes
    this.folder = folder
  }

  record(metric: Metric, contestant: Contestant, value: number): void {
    let row = this.rows.find((each) => each.name === metric.name && each.unit === metric.unit)
    if (!row) {
      row = { ...metric, samples: {} }
      this.rows.push(row)
    }
    row.samples[contestant.name] ??= []
    row.samples[contestant.name]!.push(value)
  }

  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text)
  }

  /** A, B, C, A, B, C …; a registry that fails is named and left out of what follows. */
  async interleave(
    what: string,
    rounds: number,
    measure: (contestant: Contestant, round: number) => Promise<void>,
  ): Promise<void> {
    for (let round = 0; round < rounds; round++)
      for (const contestant of this.contestants) {
        const id = `${what} ${contestant.name}`
        if (this.#failed.has(id)) continue
        try {
          await measure(contestant, round)
        } catch (error) {
          this.#failed.add(id)
          if (error instanceof NotStarted) continue
          const reason = (error as Error).message.replace(/\s+/g, ' ').slice(0, 300)
          this.note(`${contestant.name} failed at ${what}: ${reason}`)
        }
      }
  }

  /** On an empty data directory, with nothing left to be written back from what ran before. */
  async withFresh<T>(contestant: Contestant, use: (running: Running) => Promise<T>): Promise<T> {
    const dataDir = mkdtempSync(path.join(this.folder, 'data-'))
    const running = await contestant.start({ dataDir, port: await freePort() })
    try {
      execFileSync('sync', ['-f', this.folder])
      return await use(running)
    } finally {
      await running.stop()
      await rm(dataDir, { recursive: true, force: true })
    }
  }

  /** All of them at once, for scenarios that only read in their rounds; the idle ones cost nothing. */
  async withAll(use: (running: (contestant: Contestant) => Running) => Promise<void>): Promise<void> {
    const started = new Map<Contestant, Running>()
    const running = (contestant: Contestant) => {
      const found = started.get(contestant)
      if (!found) throw new NotStarted()
      return found
    }
    try {
      await this.interleave('starting', 1, async (contestant) => {
        const dataDir = mkdtempSync(path.join(this.folder, 'data-'))
        started.set(contestant, await contestant.start({ dataDir, port: await freePort() }))
      })
      await use(running)
    } finally {
      for (const running of started.values()) {
        await running.stop()
        await rm(running.dataDir, { recursive: true, force: true })
      }
    }
  }

  /** Records how much processor time the registry took for `work`: steadier than the clock on a shared machine. */
  async countingCpu<T>(name: string, running: Running, work: () => Promise<T>): Promise<T> {
    const before = cpuSeconds(running.pid)
    const result = await work()
    const metric = { name: `${name}: registry CPU`, unit: 's', better: 'lower' } as const
    this.record(metric, running.contestant, cpuSeconds(running.pid) - before)
    return result
  }

  /** The same for each of the operations that a load job did. */
  async countingCpuEach(name: string, running: Running, work: () => Promise<JobResult>): Promise<JobResult> {
    const before = cpuSeconds(running.pid)
    const result = await work()
    const milliseconds = ((cpuSeconds(running.pid) - before) * 1000) / result.countWithWarmup
    const metric = { name: `${name}: registry CPU each`, unit: 'ms', better: 'lower' } as const
    this.record(metric, running.contestant, milliseconds)
    return result
  }
}

/** One generator process. @throws when a request was not answered as it must be */
export async function load(job: Job): Promise<JobResult> {
  const program = fileURLToPath(import.meta.resolve('./load/load.ts'))
  const child = spawn(process.execPath, [program, JSON.stringify(job)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  let failure = ''
  child.stdout.on('data', (chunk) => {
    printed += chunk
  })
  child.stderr.on('data', (chunk) => {
    failure += chunk
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  const reason = /Error: (.*)/.exec(failure)?.[1] ?? failure.slice(-300)
  if (code !== 0) throw new Error(`${job.kind}: ${reason}`)
  return JSON.parse(printed)
}
