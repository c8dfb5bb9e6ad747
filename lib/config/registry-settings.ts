// What of the configuration the registry itself reads. Apart from the schema, whose library functions do not carry.
import type { Config } from './schema.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

export type RegistryConfig = Pick<
  Config,
  | 'open'
  | 'undoWindowDays'
  | 'pushGraceHours'
  | 'blobLimitGiB'
  | 'auditLogDays'
  | 'redirectBlobs'
  | 'redirectHeads'
  | 'directUploads'
  | 'upstreamPrivateNetworks'
>

/** Where the cloud's stores are, and who checks passwords there. */
export type CloudStoresConfig = RegistryConfig &
  Pick<Config, 'table' | 'bucket' | 'secrets' | 'cognitoPool' | 'cognitoClient'>

/** Ranges of private addresses that requests to other registries may go to; `all` among them for every one. */
export function privateNetworks({ upstreamPrivateNetworks }: RegistryConfig): string[] {
  return upstreamPrivateNetworks
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
}

/** The registry's own settings out of a configuration. */
export function settingsOf(config: RegistryConfig) {
  return {
    undoWindowMs: config.undoWindowDays * DAY_MS,
    pushGraceMs: config.pushGraceHours * HOUR_MS,
    blobLimitBytes: Math.floor(config.blobLimitGiB * 2 ** 30),
    auditKeptMs: config.auditLogDays * DAY_MS,
    createProjectsOnPush: config.open,
    redirectBlobs: config.redirectBlobs === 'on',
    redirectHeads: config.redirectHeads === 'on',
    directUploads: config.directUploads === 'on',
  }
}
