// What the registry's verbs need from the outside. Implemented by lib/local and lib/aws; one contract
// suite per port (test/contract) says what an implementation must keep.
import type { ByteRange } from '../oci/range.ts'

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
export type Attributes = Record<string, Json>

export interface Key {
  /** Partition: items of one partition are ordered by `sk` and can be queried together. */
  pk: string
  /** Sort key, compared as UTF-8 bytes. */
  sk: string
}

export interface Item extends Key {
  attributes: Attributes
  /** Opaque bytes beside the attributes (a manifest); at most 64 KiB. */
  bytes?: Uint8Array
  /** The item may vanish after this; until it does it is still read. */
  expiresAtEpochSeconds?: number
}

export type Condition =
  | { kind: 'absent' }
  | { kind: 'present' }
  /** The item exists and each named attribute has this value. */
  | { kind: 'equals'; attributes: Record<string, string | number | boolean> }

export type Write =
  | { kind: 'put'; item: Item; if?: Condition }
  | { kind: 'delete'; key: Key; if?: Condition }
  /** Only the condition: the item is not changed. */
  | { kind: 'check'; key: Key; if: Condition }

/** A condition that does not hold is an expected answer, not an exception; `failed` holds indexes into the writes. */
export type Outcome = { ok: true } | { ok: false; failed: number[] }

export interface Query {
  pk: string
  /** Only sort keys with this prefix. */
  prefix?: string
  /** Only sort keys after this one (exclusive). */
  after?: string
  limit: number
  reverse?: boolean
}

/** Reads are strongly consistent, unless asked otherwise: they see every write answered before them. */
export interface MetadataStore {
  get(key: Key): Promise<Item | undefined>
  /**
   * Up to 100 keys; the answer has their order.
   * @param options `stale`: it may be as of a moment ago, at half the price
   */
  batchGet(keys: Key[], options?: { stale?: boolean }): Promise<(Item | undefined)[]>
  query(query: Query): Promise<Item[]>
  /** Every item, a page at a time in any stable order; for fsck and the like, never on a request's path. */
  scan(after: Key | undefined, limit: number): Promise<Item[]>
  /** All or nothing, at most 100 writes on distinct items; durable when it resolves. */
  transact(writes: Write[]): Promise<Outcome>
  /** Unconditional puts and deletes of any number, each durable when it resolves, in no order and not atomic. */
  batchWrite(writes: Write[]): Promise<void>
}

export interface StoredObject {
  key: string
  sizeBytes: number
  modifiedAtMs: number
  /** The sha256 of its bytes in hex, where the store checked it itself when it took them. */
  sha256?: string
}

/** What a store must remember of an upload between requests (a file's name, multipart parts); JSON. */
export type UploadState = Attributes

export interface Appended {
  state: UploadState
  /** Bytes of this append. */
  sizeBytes: number
  /** Where the upload's bytes so far are an object already, so that nothing is left to complete. */
  object?: string
}

/**
 * Objects are immutable and their keys never reused. Implementations throw errors with `code: 'ENOSPC'`
 * when there is no room, and whatever `body` throws.
 */
export interface BlobStore {
  /** Stores a whole object; durable when it resolves, nothing at `key` when `body` throws. @returns bytes stored */
  put(key: string, body: AsyncIterable<Uint8Array>): Promise<number>
  /**
   * Adds `body` after the first `offset` bytes of the upload that shall become the object `key`, dropping anything
   * beyond them (a dead request's leftovers). Without a state an upload is begun, apart from any other of that key.
   * A second append to one upload ends the first. Durable when it resolves.
   */
  append(
    key: string,
    state: UploadState | undefined,
    offset: number,
    body: AsyncIterable<Uint8Array>,
  ): Promise<Appended>
  /** Makes the upload's first `sizeBytes` bytes the object `key`. Repeating it after a crash finishes or does nothing. */
  complete(key: string, state: UploadState, sizeBytes: number): Promise<void>
  /** Forgets an upload, and an object its bytes were already; no error when there is none. */
  abort(key: string, state: UploadState): Promise<void>
  /**
   * The bytes, small objects at once and others in chunks, each valid until the next one is asked for.
   * @returns undefined when there is no such object
   */
  open(key: string, range?: ByteRange): Promise<Uint8Array | AsyncIterable<Uint8Array> | undefined>
  stat(key: string): Promise<StoredObject | undefined>
  copy(from: string, to: string): Promise<void>
  /** No error when there is no such object. */
  delete(key: string): Promise<void>
  /** Every object whose key starts with `prefix`, in no order. */
  list(prefix: string): AsyncIterable<StoredObject>
  /** A URL that whoever holds it can read the object from, for so long; absent where only we can read. */
  locate?(key: string, method: 'GET' | 'HEAD', lifeSeconds: number): Promise<string>
}

export interface Clock {
  nowMs(): number
}
