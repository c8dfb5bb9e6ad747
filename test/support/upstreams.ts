// Other registries as the domain opens them, for tests: this machine's addresses are allowed.
import { newSecrets, Secrets } from '../../lib/access/secret-keys.ts'
import { createAddressGuard } from '../../lib/outbound/address-guard.ts'
import { Upstreams, type UpstreamsOptions } from '../../lib/registries/upstreams.ts'
import { openUpstream } from '../../lib/upstream/open-upstream.ts'
import { providerOf } from '../../lib/upstream/providers.ts'
import type { RateLimits } from '../../lib/upstream/rate-limits.ts'
import type { Upstream } from '../../lib/upstream/upstream.ts'

export async function testUpstreams(more: Partial<UpstreamsOptions> = {}): Promise<Upstreams> {
  const keys = new Secrets(await newSecrets(), { nowMs: Date.now })
  return new Upstreams({ keys, guard: createAddressGuard(['127.0.0.0/8', '::1']), ...more })
}

export interface Opening {
  type?: string
  accessKey?: string
  accessSecret?: string
  onLimits?: (limits: RateLimits) => void
  idleMs?: number
}

export function openTestUpstream(url: string, opening: Opening = {}): Promise<Upstream> {
  const { type = 'docker-registry', accessKey = '', accessSecret = '', ...options } = opening
  return openUpstream(
    { provider: providerOf(type)!, url, insecure: false, caCertificate: '', accessKey, accessSecret },
    { guard: createAddressGuard(['all']), ...options },
  )
}
