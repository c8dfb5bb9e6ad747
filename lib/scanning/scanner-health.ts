// What scanners elsewhere say of themselves just now; believed for half a minute, as in Harbor.
import type { SealingKeys } from '../access/sealing.ts'
import { RegistryError } from '../oci/errors.ts'
import type { AddressGuard } from '../outbound/address-guard.ts'
import type { AdapterMetadata } from './adapter-metadata.ts'
import { pingAdapter } from './adapter-ping.ts'
import { addressOf, type Registration, type ScannerAddress } from './registration.ts'
import { ScannerError } from './scanner.ts'

/** Which hosts may be asked, and the keys of the credentials for them. */
export interface Outbound {
  guard: AddressGuard
  keys: SealingKeys
}

export type ScannerHealth = { metadata: AdapterMetadata } | { reason: string }

const BELIEVED_MS = 30_000
const REMEMBERED = 200
const known = new Map<string, { untilMs: number; health: Promise<ScannerHealth> }>()

/** Within five seconds. */
export function healthOf({ guard, keys }: Outbound, registration: Registration): Promise<ScannerHealth> {
  const as = `${registration.id} ${registration.updatedAtMs}`
  const before = known.get(as)
  if (before && before.untilMs > performance.now()) return before.health
  if (known.size >= REMEMBERED) known.clear()
  const health = ask(guard, () => addressOf(keys, registration))
  known.set(as, { untilMs: performance.now() + BELIEVED_MS, health })
  return health
}

async function ask(guard: AddressGuard, address: () => ScannerAddress): Promise<ScannerHealth> {
  try {
    return { metadata: await pingAdapter(address(), guard) }
  } catch (error) {
    if (error instanceof ScannerError || error instanceof RegistryError) return { reason: error.message }
    throw error
  }
}

/** @throws REQUEST_INVALID with the reason, in Harbor's words */
export async function requireAnswering(
  { guard }: Pick<Outbound, 'guard'>,
  address: ScannerAddress,
): Promise<void> {
  const health = await ask(guard, () => address)
  if ('reason' in health)
    throw new RegistryError('REQUEST_INVALID', `scanner controller: ping: ${health.reason}`)
}
