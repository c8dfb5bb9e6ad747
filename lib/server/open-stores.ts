// What a shape of the registry hands to the server and the commands: its stores, opened.
import type { IdentityProvider } from '../access/identity-providers.ts'
import type { Secrets } from '../access/secret-keys.ts'
import type { Dispatch } from '../jobs/messages.ts'
import type { OpenSpool } from '../proxy/spool.ts'
import type { PullRecord } from '../registry/recorder.ts'
import type { Registry } from '../registry/registry.ts'
import type { EcrAuthorization } from '../upstream/open-upstream.ts'

export interface CopyReport {
  objects: number
  bytes: number
  /** Objects that share their bytes with the original, which is safe because they never change. */
  linked: number
}

export interface OpenStores {
  registry: Registry
  secrets: Secrets
  /** Who checks passwords that are not the registry's own. */
  providers?: IdentityProvider[]
  /** Asks AWS for logins to registries of ECR; absent where nothing can. */
  ecr?: EcrAuthorization
  /** Copies that are read while they grow, where there is a disk for them. */
  openSpool?: OpenSpool
  /** Replaced by whoever relays the outbox. */
  events: { onEvent(): void }
  /** Hands tasks to workers of their own, where there are any. */
  dispatch?: Dispatch
  /** Of this machine's, for logs and the control socket; absent where nothing is kept on the machine. */
  directory?: string
  /** Where pulls are told as lines of a log instead of rows of the table. */
  pullLog?: (pull: PullRecord & { atMs: number }) => void
  /** Adds keys that sign after a while. */
  rotateKeys(): Promise<void>
  /** Deletes expired items, where the store does not do so by itself. */
  expire?(nowMs: number): Promise<void>
  /** Writes a copy that can be started as it is, where the store has no better way. */
  backUp?(target: string): Promise<CopyReport>
  /** After the metadata was restored to a point in time: brings back the objects it names, where that is needed. */
  recoverObjects?(): Promise<{ named: number; recovered: number; lost: string[] }>
  close(): Promise<void>
}
