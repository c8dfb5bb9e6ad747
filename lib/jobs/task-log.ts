// The log of a task: lines in the order they came, of all its attempts, kept with its execution.
import { keys, partitions } from '../registry/keys.ts'
import { pagesOf } from '../registry/partitions.ts'
import { epochSeconds, type Registry } from '../registry/registry.ts'
import { KEPT_SECONDS } from './ends.ts'

const LINE_CHARACTERS = 4000
/** Lines written as one item, well below what an item may have. */
const ITEM_CHARACTERS = 60_000
/** An attempt says no more than that. */
const ATTEMPT_CHARACTERS = 2_000_000

export class TaskLog {
  readonly #registry: Registry
  readonly #task: number
  #lines: string[] = []
  #items = 0
  #left = ATTEMPT_CHARACTERS

  constructor(registry: Registry, task: number) {
    this.#registry = registry
    this.#task = task
  }

  add(line: string, level: 'INFO' | 'ERROR' = 'INFO'): void {
    if (this.#left <= 0) return
    const time = new Date(this.#registry.clock.nowMs()).toISOString()
    const text = `${time} [${level}] ${line.slice(0, LINE_CHARACTERS).replaceAll('\n', ' ')}`
    this.#left -= text.length
    this.#lines.push(this.#left > 0 ? text : `${time} [INFO] the log is longer than what is kept of it`)
  }

  /** Writes what was not written yet. */
  async flush(): Promise<void> {
    const lines = this.#lines
    this.#lines = []
    for (let from = 0; from < lines.length; ) {
      let [to, characters] = [from, 0]
      while (to < lines.length && characters < ITEM_CHARACTERS) {
        characters += lines[to]!.length
        to += 1
      }
      await this.#write(lines.slice(from, to).join('\n'))
      from = to
    }
  }

  async #write(text: string): Promise<void> {
    const { metadata, clock } = this.#registry
    const key = keys.taskLog(this.#task, clock.nowMs(), this.#items++)
    const expiresAtEpochSeconds = epochSeconds(this.#registry) + KEPT_SECONDS
    await metadata.batchWrite([
      { kind: 'put', item: { ...key, attributes: { v: 1, text }, expiresAtEpochSeconds } },
    ])
  }
}

/** At most `limit` characters, from the beginning. */
export async function readTaskLog(registry: Registry, task: number, limit = 4_000_000): Promise<string> {
  let log = ''
  for await (const page of pagesOf(registry.metadata, { pk: partitions.taskLog(task) }))
    for (const { attributes } of page) {
      log += `${attributes.text}\n`
      if (log.length >= limit) return log.slice(0, limit)
    }
  return log
}
