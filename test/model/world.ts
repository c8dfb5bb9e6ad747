// One run: fresh stores, actors, a clock, and what must hold after every single step.
import { parseManifest } from '../../lib/oci/manifest.ts'
import { sweep } from '../../lib/registry/gc/sweep.ts'
import { keys } from '../../lib/registry/keys.ts'
import type { BlobStore, Item, Key, MetadataStore } from '../../lib/registry/ports.ts'
import { createProject } from '../../lib/registry/projects.ts'
import { DEFAULT_SETTINGS, newId, type Registry } from '../../lib/registry/registry.ts'
import { relay } from '../../lib/registry/relay.ts'
import { MANIFESTS } from './content.ts'
import { type Operation, perform, REPOSITORIES, TAGS } from './operations.ts'
import { bend, type Ports, type Variant } from './sabotage.ts'
import { type Actor, gated, Scheduler } from './scheduler.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** The clock of a run: it stands still until the schedule lets time pass. */
export interface ModelClock {
  nowMs: number
}

export class World {
  readonly scheduler = new Scheduler()
  readonly clock: ModelClock
  readonly #variant: Variant
  readonly #aliases = new Map<string, string>()
  readonly #metadata: MetadataStore
  readonly #blobs: BlobStore
  readonly #direct: string[] = []
  #ids = 0
  /** Acknowledged and undisturbed: `<repo> <tag>` -> digest. */
  readonly promised = new Map<string, string>()
  readonly #inFlight = new Map<Actor, { operation: Operation; disturbs: Set<Operation> }>()

  constructor(variant: Variant, clock: ModelClock, stores: Ports) {
    this.#variant = variant
    this.clock = clock
    this.#metadata = stores.metadata
    this.#blobs = stores.blobs
  }

  async open(): Promise<void> {
    const attributes = { v: 1, version: 1, createdAtMs: this.clock.nowMs }
    await this.#metadata.batchWrite([{ kind: 'put', item: { ...keys.schema, attributes } }])
    await createProject(this.#registry(this.#metadata, this.#blobs), 'library', { public: true })
  }

  #registry(metadata: Registry['metadata'], blobs: Registry['blobs']): Registry {
    return {
      metadata,
      blobs,
      clock: { nowMs: () => this.clock.nowMs },
      settings: { ...DEFAULT_SETTINGS, undoWindowMs: 2 * DAY_MS, directUploads: true },
      newId: () => {
        this.#ids += 1
        return `${newId(this.clock.nowMs).slice(0, 9)}${String(this.#ids).padStart(8, '0')}`
      },
      onEvent: () => {},
    }
  }

  /** Each actor is a process of its own: nothing is shared but the stores. */
  async start(operation: Operation): Promise<Actor> {
    for (const other of this.#inFlight.values()) other.disturbs.add(operation)
    const disturbs = new Set([...this.#inFlight.values()].map((each) => each.operation))
    this.#breakPromises(operation)
    return this.scheduler.start(operation.kind, async (actor) => {
      this.#inFlight.set(actor, { operation, disturbs })
      const ports = bend(
        this.#variant,
        { metadata: gated(this.#metadata, actor), blobs: gated(this.#blobs, actor) },
        operation.kind === 'sweep',
        this.#aliases,
      )
      const acknowledged = await perform(this.#registry(ports.metadata, ports.blobs), operation, this.#direct)
      this.#inFlight.delete(actor)
      if (acknowledged && ![...disturbs].some((other) => conflicts(operation, other)))
        this.#promise(operation)
    })
  }

  crash(actor: Actor): void {
    this.scheduler.crash(actor)
    this.#inFlight.delete(actor)
  }

  /** Nobody holds a request open for a day, so days pass only when no client's operation is under way. */
  get idle(): boolean {
    return this.scheduler.running.every((actor) => actor.name === 'sweep' || actor.name === 'relay')
  }

  #promise(operation: Operation): void {
    if (operation.kind !== 'push' && operation.kind !== 'put manifest') return
    if (operation.tag !== null)
      this.promised.set(`${operation.repo} ${TAGS[operation.tag]}`, MANIFESTS[operation.manifest]!.digest)
  }

  #breakPromises(operation: Operation): void {
    for (const [key, digest] of this.promised) {
      const [repo, tag] = key.split(' ')
      if (!('repo' in operation) || String(operation.repo) !== repo) continue
      const sameTag = 'tag' in operation && operation.tag !== null && TAGS[operation.tag] === tag
      const deleted = operation.kind === 'delete manifest' && MANIFESTS[operation.manifest]!.digest === digest
      const restored = operation.kind === 'undo manifest' && MANIFESTS[operation.manifest]!.digest === digest
      const whole = operation.kind === 'delete repository' || operation.kind === 'undo repository'
      if (sameTag || deleted || restored || whole) this.promised.delete(key)
    }
  }

  /** @throws Error naming what was lost */
  async check(): Promise<void> {
    for (let repo = 0; repo < REPOSITORIES.length; repo++) await this.#checkRepository(repo)
  }

  async #checkRepository(index: number): Promise<void> {
    const name = await this.#get(keys.repository(REPOSITORIES[index]!))
    const repo = name?.attributes.id as string | undefined
    for (const { digest } of repo ? MANIFESTS : []) {
      const manifest = await this.#get(keys.manifest(repo!, digest))
      if (manifest) await this.#checkManifest(repo!, digest, manifest)
    }
    for (const [key, digest] of this.promised) {
      const [promisedRepo, tag] = key.split(' ')
      if (promisedRepo !== String(index)) continue
      if (!repo) throw new Error(`repository ${REPOSITORIES[index]} is gone, tag ${tag} was acknowledged`)
      const found = await this.#get(keys.tag(repo, tag!))
      const manifest = await this.#get(keys.manifest(repo, digest))
      if (found?.attributes.digest !== digest || manifest?.attributes.birth !== found.attributes.birth)
        throw new Error(
          `tag ${tag} of ${REPOSITORIES[index]} was acknowledged and does not lead to ${digest}`,
        )
    }
  }

  async #checkManifest(repo: string, digest: string, item: Item): Promise<void> {
    const bytes = (await this.#get(keys.manifestBytes(repo, digest)))?.bytes
    if (!bytes) throw new Error(`manifest ${digest} has no bytes`)
    const manifest = parseManifest(bytes, item.attributes.mediaType as string)
    for (const blob of manifest.blobs) {
      const link = await this.#get(keys.link(repo, blob.digest))
      if (!link) throw new Error(`manifest ${digest} needs blob ${blob.digest}, which has no link`)
      const stored = await this.#blobs.stat(link.attributes.object as string)
      if (!stored) throw new Error(`manifest ${digest} needs blob ${blob.digest}, whose object is gone`)
      if (stored.sizeBytes !== blob.size) throw new Error(`blob ${blob.digest} has other bytes`)
    }
    for (const child of manifest.children)
      if (!(await this.#get(keys.manifest(repo, child.digest))))
        throw new Error(`index ${digest} needs manifest ${child.digest}, which is gone`)
  }

  /** After everybody is done and all windows have passed, only what is used is left. */
  async settle(): Promise<void> {
    const registry = this.#registry(this.#metadata, this.#blobs)
    const ports = bend(this.#variant, registry, true, this.#aliases)
    for (let round = 0; round < 16; round++) {
      this.clock.nowMs += 2 * DAY_MS
      await relay(registry)
      await sweep({ ...registry, ...ports }, 'model')
    }
    await this.check()
    await this.#checkNothingLeft()
  }

  async #checkNothingLeft(): Promise<void> {
    const used = new Set<string>()
    const items = await this.#everything()
    for (const item of items) {
      if (item.sk === 'L' && item.pk.startsWith('L#')) used.add(item.attributes.object as string)
      if (item.sk.startsWith('X#')) throw new Error(`${item.pk} ${item.sk} outlived its undo window`)
    }
    let [storedBytes, linkedBytes] = [0, 0]
    for await (const { key, sizeBytes } of this.#blobs.list('')) {
      if (!used.has(key))
        throw new Error(`object ${key} of ${sizeBytes} bytes is linked by nobody and was left`)
      storedBytes += sizeBytes
    }
    for (const key of used) linkedBytes += (await this.#blobs.stat(key))?.sizeBytes ?? 0
    if (storedBytes !== linkedBytes)
      throw new Error(`${storedBytes} bytes are stored, ${linkedBytes} are linked`)
    for (const item of items) {
      if (item.sk !== 'L' || !item.pk.startsWith('L#')) continue
      if (!(await this.#isUsed(item.pk))) throw new Error(`${item.pk} is used by no manifest and was left`)
    }
  }

  async #everything(): Promise<Item[]> {
    const items: Item[] = []
    for (;;) {
      const page = await this.#metadata.scan(items.at(-1), 1000)
      items.push(...page)
      if (page.length < 1000) return items
    }
  }

  async #isUsed(pk: string): Promise<boolean> {
    for (const { sk } of await this.#metadata.query({ pk, prefix: 'R#', limit: 1000 })) {
      const [, manifest, attempt] = sk.split('#')
      const found = await this.#get(keys.manifest(pk.split('#')[1]!, manifest!))
      if (found && (found.attributes.birth === attempt || attempt === 'shared')) return true
    }
    return false
  }

  #get(key: Key): Promise<Item | undefined> {
    return this.#metadata.get(key)
  }
}

function conflicts(own: Operation, other: Operation): boolean {
  if (!('repo' in own) || !('repo' in other) || own.repo !== other.repo) return false
  if (/manifest|repository/.test(other.kind) && !other.kind.startsWith('put')) return true
  const ownTag = 'tag' in own ? own.tag : null
  return 'tag' in other && other.tag !== null && other.tag === ownTag
}
