// A scanner elsewhere is asked what it is. Apart from what scans, which the management API has no use for.
import type { AddressGuard } from '../outbound/address-guard.ts'
import { AdapterClient } from './adapter-client.ts'
import { explained, secretsOf, withoutSecrets } from './adapter-failure.ts'
import type { AdapterMetadata } from './adapter-metadata.ts'
import type { ScannerAddress } from './registration.ts'

/** Somebody waits at a form, or for a list. */
const PING_MS = 5000

/** Within five seconds. @throws ScannerError */
export async function pingAdapter(
  address: ScannerAddress,
  guard: AddressGuard,
  signal?: AbortSignal,
): Promise<AdapterMetadata> {
  const client = new AdapterClient(address, guard, { answerMs: PING_MS, idleMs: PING_MS })
  const late = AbortSignal.timeout(PING_MS)
  try {
    return await client.metadata(signal ? AbortSignal.any([signal, late]) : late)
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw explained(error, address.url, PING_MS / 1000, withoutSecrets(secretsOf(address)))
  } finally {
    client.close()
  }
}
