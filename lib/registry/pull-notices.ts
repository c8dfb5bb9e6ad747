// Pulls told as events, for projects that ask for it. The others cost one read of their item a minute, whatever is pulled.
import { projectOf } from '../oci/reference.ts'
import { keys } from './keys.ts'
import { noticeWrite } from './outbox.ts'
import type { Write } from './ports.ts'
import { projectIn } from './projects.ts'
import type { PullRecord } from './recorder.ts'
import type { Registry } from './registry.ts'

/** What is known of a project is believed for so long. */
const KNOWN_MS = 60_000
const REMEMBERED = 10_000
const WAITING = 20_000
const READ_AT_ONCE = 100

/** Whether the project asks, and its id. */
interface Known {
  id: string | undefined
  untilMs: number
}

export class PullNotices {
  readonly #registry: Registry
  readonly #known = new Map<string, Known>()
  #waiting = new Map<string, PullRecord>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Whether a flush would do something. */
  get pending(): boolean {
    return this.#waiting.size > 0
  }

  /** The same pull by the same principal counts once until the next flush. @returns false when there is no room */
  pull(record: PullRecord): boolean {
    const known = this.#fresh(projectOf(record.repository))
    if (known && known.id === undefined) return true
    if (this.#waiting.size >= WAITING) return false
    const { repo, digest, tag, principal } = record
    this.#waiting.set([repo, digest, tag, principal].join(' '), record)
    return true
  }

  async flush(): Promise<void> {
    const pulls = [...this.#waiting.values()]
    this.#waiting = new Map()
    await this.#learn([...new Set(pulls.map(({ repository }) => projectOf(repository)))])
    const writes = pulls.flatMap((pull) => this.#noticeOf(pull))
    if (writes.length === 0) return
    await this.#registry.metadata.batchWrite(writes)
    this.#registry.onEvent()
  }

  async #learn(projects: string[]): Promise<void> {
    const unknown = projects.filter((project) => !this.#fresh(project))
    if (this.#known.size + unknown.length > REMEMBERED) this.#known.clear()
    const untilMs = this.#registry.clock.nowMs() + KNOWN_MS
    for (let at = 0; at < unknown.length; at += READ_AT_ONCE) {
      const some = unknown.slice(at, at + READ_AT_ONCE)
      const items = await this.#registry.metadata.batchGet(some.map(keys.project), { stale: true })
      for (const [index, name] of some.entries()) {
        const project = items[index] && projectIn(items[index], name)
        const asks = project?.notices?.includes('manifest.pulled')
        this.#known.set(name, { id: asks ? project?.id : undefined, untilMs })
      }
    }
  }

  #fresh(project: string): Known | undefined {
    const known = this.#known.get(project)
    return known && known.untilMs > this.#registry.clock.nowMs() ? known : undefined
  }

  #noticeOf({ repo, repository, tag, digest, principal, requestId }: PullRecord): Write[] {
    const projectId = this.#known.get(projectOf(repository))?.id
    if (projectId === undefined) return []
    const facts = {
      type: 'manifest.pulled' as const,
      digest,
      tags: tag === undefined ? [] : [tag],
      cause: 'pull',
    }
    return [
      noticeWrite(this.#registry, { id: repo, name: repository, projectId }, facts, { principal, requestId }),
    ]
  }
}
