// Pulls as entries of the audit log: collected in memory and written many to an item, because a pull must cost no write.
import { auditBatchWrites, type BatchedEntry } from './audit-log.ts'
import { descriptionOf, isAudited } from './audited-operations.ts'
import { readConfiguration } from './configuration.ts'
import type { PullRecord } from './recorder.ts'
import type { Registry } from './registry.ts'

/** In one item, and in memory. */
const BATCH = 200
const BUFFERED = 20_000
/** Where flushing is part of a request. */
const PATIENCE_MS = 60_000
const PULL = { operation: 'pull', resourceType: 'artifact' }

export class AuditedPulls {
  readonly #registry: Registry
  readonly #patienceMs: number
  #waiting: BatchedEntry[] = []
  #dueAtMs = 0

  /** @param patient writes a batch a minute, or a full one, instead of whatever there is at each flush */
  constructor(registry: Registry, patient: boolean) {
    this.#registry = registry
    this.#patienceMs = patient ? PATIENCE_MS : 0
  }

  /** Whether a flush would write something. */
  get due(): boolean {
    if (this.#waiting.length === 0) return false
    return this.#waiting.length >= BATCH || this.#registry.clock.nowMs() >= this.#dueAtMs
  }

  /** @returns false when there is no room */
  add({
    repository,
    digest,
    tag,
    principal,
    requestId,
    projectId,
    atMs,
  }: PullRecord & { atMs: number }): boolean {
    if (this.#waiting.length >= BUFFERED) return false
    const byDigest = `${repository}@${digest}`
    this.#waiting.push({
      ...PULL,
      id: this.#registry.newId(),
      atMs,
      principal,
      resource: tag === undefined ? byDigest : `${repository}:${tag}`,
      description: descriptionOf({ ...PULL, resource: byDigest }),
      succeeded: true,
      requestId,
      ...(projectId === undefined ? {} : { projectId }),
    })
    return true
  }

  /** @param everything also what is not due yet */
  async flush(everything: boolean): Promise<void> {
    if (!this.due && !(everything && this.#waiting.length > 0)) return
    const entries = this.#waiting
    this.#waiting = []
    this.#dueAtMs = this.#registry.clock.nowMs() + this.#patienceMs
    if (!isAudited(await readConfiguration(this.#registry), { ...PULL, resource: '' })) return
    for (let at = 0; at < entries.length; at += BATCH)
      await this.#registry.metadata.batchWrite(
        auditBatchWrites(this.#registry, entries.slice(at, at + BATCH)),
      )
  }
}
