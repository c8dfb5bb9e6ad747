// The scanner of a server, when it has one.
import path from 'node:path'
import { Tokens } from '../access/tokens.ts'
import type { Config } from '../config/schema.ts'
import type { Upstreams } from '../registries/upstreams.ts'
import { createAdapter } from '../scanning/adapter.ts'
import type { Scanning } from '../scanning/job.ts'
import { addressOf } from '../scanning/registration.ts'
import { createTrivy, type TrivySettings } from '../scanning/trivy.ts'
import { trivyDescriber } from '../scanning/trivy-sbom.ts'
import type { OpenStores } from './open-stores.ts'

type ScannerConfig = Pick<
  Config,
  | 'data'
  | 'externalUrl'
  | 'trivy'
  | 'trivyCache'
  | 'trivyChecks'
  | 'trivyIgnoreUnfixed'
  | 'trivySkipUpdate'
  | 'trivyOffline'
  | 'trivyTimeoutSeconds'
  | 'trivyDbRepository'
  | 'trivyJavaDbRepository'
  | 'trivyInsecure'
>

const AT_ONCE = 2
const LOOPBACK = /^https:\/\/(127\.|\[::1\])/

/** @param origin of this registry, as the scanner reaches it */
export function scanningOf(
  { registry, secrets }: Pick<OpenStores, 'registry' | 'secrets'>,
  config: ScannerConfig,
  { guard, keys }: Pick<Upstreams, 'guard' | 'keys'>,
  origin: () => string,
): Scanning {
  const tokens = new Tokens(secrets, 'entrepot', registry.clock)
  const settings = trivySettings(config)
  // Its certificate names a host, and no address.
  const unnamed = () => LOOPBACK.test(origin())
  return {
    ...(config.trivy === 'off'
      ? {}
      : { scanner: createTrivy(settings, unnamed), describer: trivyDescriber(settings, unnamed) }),
    registered: (registration) =>
      createAdapter(registration.name, addressOf(keys, registration), {
        guard,
        timeoutSeconds: config.trivyTimeoutSeconds,
      }),
    origin,
    externalOrigin: () => (config.externalUrl === undefined ? origin() : new URL(config.externalUrl).origin),
    token: (repository) => tokens.issueScan(repository),
    timeoutSeconds: config.trivyTimeoutSeconds,
    atOnce: AT_ONCE,
  }
}

function trivySettings(config: ScannerConfig): TrivySettings {
  return {
    program: config.trivy,
    cache: path.resolve(config.trivyCache ?? path.join(config.data, 'trivy')),
    // Harbor's name for it.
    checks: config.trivyChecks.split(',').map((each) => (each === 'config' ? 'misconfig' : each)),
    ignoreUnfixed: config.trivyIgnoreUnfixed === 'on',
    skipUpdate: config.trivySkipUpdate === 'on',
    offline: config.trivyOffline === 'on',
    timeoutSeconds: config.trivyTimeoutSeconds,
    databaseRepository: config.trivyDbRepository,
    javaDatabaseRepository: config.trivyJavaDbRepository,
    insecure: config.trivyInsecure === 'on',
  }
}
