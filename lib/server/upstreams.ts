// Other registries as a configuration lets them be reached.
import { privateNetworks } from '../config/registry-settings.ts'
import type { Config } from '../config/schema.ts'
import { createAddressGuard } from '../outbound/address-guard.ts'
import { Upstreams } from '../registries/upstreams.ts'
import type { OpenStores } from './open-stores.ts'
import { StartupError } from './startup-error.ts'

/** @throws StartupError when a private network is none */
export function upstreamsOf({ secrets, ecr }: OpenStores, config: Config): Upstreams {
  try {
    const guard = createAddressGuard(privateNetworks(config))
    return new Upstreams({ keys: secrets, guard, ...(ecr ? { ecr } : {}) })
  } catch (error) {
    throw new StartupError('usage', `upstreamPrivateNetworks: ${(error as Error).message}`, error)
  }
}
