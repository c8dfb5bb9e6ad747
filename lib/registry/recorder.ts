// Records of use: who pulled what, who was denied what, what each principal asked and got. Collected in memory and
// written in batches: a crash loses at most the last second of them, and no request waits.
import { AuditedPulls } from './audited-pulls.ts'
import { dayOf, keys } from './keys.ts'
import type { Attributes, Write } from './ports.ts'
import { PullCounts } from './pull-counts.ts'
import type { Registry } from './registry.ts'

export interface PullRecord {
  repo: string
  /** Of the repository, where it was found. */
  projectId?: string
  repository: string
  /** The tag asked for, when it was one. */
  tag?: string
  digest: string
  principal: string
  client: string
  requestId: string
  /** `false`: asked for and not there. */
  hit: boolean
}

export interface DenialRecord {
  principal: string
  asked: string
  rule: string
  requestId: string
  client: string
}

const DENIALS_KEPT_SECONDS = 30 * 86_400
/** Lines in one item, and in memory before further ones are counted as lost. */
const BATCH_LINES = 200
const BUFFERED_LINES = 20_000
const REMEMBERED = 50_000

export class Recorder {
  /** Lines dropped because the store could not keep up. */
  lost = 0
  readonly #registry: Registry
  #pulls: Attributes[] = []
  #denials: Attributes[] = []
  readonly #access = new Map<string, Write>()
  readonly #counts: PullCounts
  readonly #audited: AuditedPulls
  /** What was written of a principal's access. */
  readonly #noted = new Set<string>()

  readonly #pullLog: ((pull: PullRecord & { atMs: number }) => void) | undefined

  /** @param pullLog takes the lines of pulls; without it they become rows of the table */
  constructor(registry: Registry, pullLog?: (pull: PullRecord & { atMs: number }) => void) {
    this.#registry = registry
    this.#counts = new PullCounts(registry)
    this.#audited = new AuditedPulls(registry, pullLog !== undefined)
    this.#pullLog = pullLog
  }

  /** Whether there is anything to flush now. */
  get pending(): boolean {
    return (
      this.#pulls.length + this.#denials.length + this.#access.size > 0 ||
      this.#counts.due ||
      this.#audited.due
    )
  }

  pull(record: PullRecord): void {
    const atMs = this.#registry.clock.nowMs()
    if (this.#pullLog) this.#pullLog({ ...record, atMs })
    else if (!this.#add(this.#pulls, { ...record, atMs })) return
    if (!record.hit) return
    this.#counts.pull(record.repo, record.digest, record.tag)
    if (!this.#audited.add({ ...record, atMs })) this.lost += 1
  }

  denial(record: DenialRecord): void {
    this.#add(this.#denials, { ...record, atMs: this.#registry.clock.nowMs() })
  }

  /** @param what `<type>:<name>:<action>` */
  access(principal: string, what: string, got: boolean): void {
    const day = dayOf(this.#registry.clock.nowMs())
    if (!this.#isNews(`${principal} ${what} ${got} ${day}`)) return
    const key = keys.access(principal, what)
    this.#access.set(`${key.pk} ${key.sk}`, {
      kind: 'put',
      item: { ...key, attributes: { v: 1, askedDay: day, got } },
    })
  }

  /**
   * Writes what was collected so far.
   * @param options `last`: also counts that would wait for more; this process goes
   */
  async flush(options: { last?: boolean } = {}): Promise<void> {
    const now = this.#registry.clock.nowMs()
    const day = dayOf(now)
    const writes: Write[] = [...this.#access.values()]
    for (const lines of batches(this.#pulls))
      writes.push({
        kind: 'put',
        item: { ...keys.pulls(day, this.#registry.newId()), attributes: { v: 1, lines } },
      })
    for (const lines of batches(this.#denials))
      writes.push({
        kind: 'put',
        item: {
          ...keys.denials(day, this.#registry.newId()),
          attributes: { v: 1, lines },
          expiresAtEpochSeconds: Math.floor(now / 1000) + DENIALS_KEPT_SECONDS,
        },
      })
    this.#access.clear()
    this.#pulls = []
    this.#denials = []
    await this.#registry.metadata.batchWrite(writes)
    await this.#audited.flush(options.last ?? false)
    await this.#counts.flush(options.last ?? false)
  }

  #add(lines: Attributes[], line: Attributes): boolean {
    if (lines.length >= BUFFERED_LINES) {
      this.lost += 1
      return false
    }
    lines.push(line)
    return true
  }

  #isNews(what: string): boolean {
    if (this.#noted.has(what)) return false
    if (this.#noted.size >= REMEMBERED) this.#noted.clear()
    this.#noted.add(what)
    return true
  }
}

function* batches(lines: Attributes[]): Generator<Attributes[]> {
  for (let at = 0; at < lines.length; at += BATCH_LINES) yield lines.slice(at, at + BATCH_LINES)
}
