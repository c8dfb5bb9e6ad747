// The context every verb takes: the ports, the clock and the settings of one registry.
import { randomBytes } from 'node:crypto'
import type { BlobStore, Clock, Item, MetadataStore } from './ports.ts'

export const SCHEMA_VERSION = 1

export interface Settings {
  /** How long a deleted manifest or an overwritten tag can be brought back; 0 turns undo off. */
  undoWindowMs: number
  /** How long an upload that no manifest references is kept at least; 24 h or more. */
  pushGraceMs: number
  /** The largest blob accepted. */
  blobLimitBytes: number
  /** How long entries of the audit log are kept. */
  auditKeptMs: number
  /** Create a project when something is pushed to it (labs: `--open`). */
  createProjectsOnPush: boolean
  /** Clients may put blobs into the store themselves: what is not linked yet may be there already. */
  directUploads: boolean
  /** Send whoever pulls a blob to the store, where the store can be read directly. */
  redirectBlobs: boolean
  /** The same for HEAD: an answer without a body cannot tell a length behind some gateways. */
  redirectHeads: boolean
}

export const DEFAULT_SETTINGS: Settings = {
  undoWindowMs: 7 * 86_400_000,
  pushGraceMs: 86_400_000,
  blobLimitBytes: 5 * 2 ** 40,
  auditKeptMs: 365 * 86_400_000,
  createProjectsOnPush: false,
  redirectBlobs: true,
  redirectHeads: false,
  directUploads: false,
}

export interface Registry {
  metadata: MetadataStore
  blobs: BlobStore
  clock: Clock
  settings: Settings
  /** A fresh, never repeated id; later ids sort after earlier ones (to the millisecond). */
  newId(): string
  /** Called after a transaction put an event into the outbox. */
  onEvent(): void
}

/** Who does something, for history, events and tombstones. */
export interface Actor {
  principal: string
  requestId: string
  /** Workload claims of the pusher (pipeline, commit), as its token carried them. */
  claims?: Record<string, string>
  /** Where it comes from, when it is replicated. */
  replicated?: Replicated
}

export interface Replicated {
  /** Identities of the registries it went through, the first it was pushed to first. */
  via?: string[]
  /** The number here of the registry it was pulled from. */
  from?: number
}

export const SYSTEM: Actor = { principal: 'system', requestId: '-' }

/** Time-ordered, 29 characters of [0-9a-z]. */
export function newId(nowMs = Date.now()): string {
  return nowMs.toString(36).padStart(9, '0') + randomBytes(10).toString('hex')
}

/** Attribute readers: items are our own, so a missing attribute is a programming error, not bad input. */
export function text(item: Item, name: string): string {
  const value = item.attributes[name]
  if (typeof value !== 'string') throw new TypeError(`item ${item.pk} ${item.sk}: ${name} is not a string`)
  return value
}

export function number(item: Item, name: string): number {
  const value = item.attributes[name]
  if (typeof value !== 'number') throw new TypeError(`item ${item.pk} ${item.sk}: ${name} is not a number`)
  return value
}

export function epochSeconds(registry: Registry): number {
  return Math.floor(registry.clock.nowMs() / 1000)
}
