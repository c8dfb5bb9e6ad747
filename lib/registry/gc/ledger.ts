// Sweeps are recorded executions; the ledger of each says what it freed, and nothing else frees bytes.
import { keys, partitions } from '../keys.ts'
import { pagesOf } from '../partitions.ts'
import type { Attributes } from '../ports.ts'
import type { Registry } from '../registry.ts'

export interface LedgerLine {
  what: 'manifest' | 'link' | 'object' | 'session' | 'deletion'
  /** Repository id, object key or session id. */
  where: string
  digest?: string
  /** Bytes given back to the store; only objects hold any. */
  freedBytes: number
  why: string
}

export interface SweepSummary {
  id: string
  state: 'running' | 'done' | 'failed'
  trigger: string
  startedAtMs: number
  endedAtMs?: number
  looked: number
  manifests: number
  links: number
  objects: number
  sessions: number
  freedBytes: number
  /** Candidates that could not be judged; they are tried again by the next sweep. */
  failures: number
  /** What the first of them failed with, or the sweep itself. */
  error?: string
}

const COUNTED = { manifest: 'manifests', link: 'links', object: 'objects', session: 'sessions' } as const

export class Ledger {
  readonly summary: SweepSummary
  readonly #registry: Registry
  #lines = 0

  constructor(registry: Registry, trigger: string) {
    this.#registry = registry
    this.summary = {
      id: registry.newId(),
      state: 'running',
      trigger,
      startedAtMs: registry.clock.nowMs(),
      looked: 0,
      manifests: 0,
      links: 0,
      objects: 0,
      sessions: 0,
      freedBytes: 0,
      failures: 0,
    }
  }

  async save(): Promise<void> {
    const attributes = { v: 1, ...this.summary } as unknown as Attributes
    const item = { ...keys.sweep(this.summary.id), attributes }
    await this.#registry.metadata.batchWrite([{ kind: 'put', item }])
  }

  async write(line: LedgerLine): Promise<void> {
    if (line.what !== 'deletion') this.summary[COUNTED[line.what]] += 1
    this.summary.freedBytes += line.freedBytes
    this.#lines += 1
    const attributes = { v: 1, ...line, atMs: this.#registry.clock.nowMs() } as Attributes
    const key = keys.ledgerLine(this.summary.id, String(this.#lines).padStart(9, '0'))
    await this.#registry.metadata.batchWrite([{ kind: 'put', item: { ...key, attributes } }])
  }
}

/** The latest sweeps, newest first. */
export async function listSweeps(registry: Registry, limit: number): Promise<SweepSummary[]> {
  const items = await registry.metadata.query({ pk: partitions.sweeps, limit, reverse: true })
  return items.map((item) => item.attributes as unknown as SweepSummary)
}

/** Everything one sweep freed. */
export async function* readLedger(registry: Registry, sweep: string): AsyncGenerator<LedgerLine> {
  for await (const page of pagesOf(registry.metadata, { pk: partitions.ledger(sweep) }))
    for (const item of page) yield item.attributes as unknown as LedgerLine
}
