// Other registries, opened as they are used: one client for each, until somebody changes it.
import type { SealingKeys } from '../access/sealing.ts'
import type { AddressGuard } from '../outbound/address-guard.ts'
import { type EcrAuthorization, openUpstream, type UpstreamAddress } from '../upstream/open-upstream.ts'
import { providerOf } from '../upstream/providers.ts'
import type { RateLimits } from '../upstream/rate-limits.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { UpstreamError } from '../upstream/upstream-error.ts'
import { Budgets } from './budgets.ts'
import { opened, type RegistryText, type RemoteRegistry } from './remote-registry.ts'

export interface UpstreamsOptions {
  keys: SealingKeys
  guard: AddressGuard
  ecr?: EcrAuthorization
}

/** Somebody waits at a form. */
const PING_MS = 15_000

export class Upstreams {
  readonly keys: SealingKeys
  readonly guard: AddressGuard
  readonly budgets = new Budgets()
  readonly #options: UpstreamsOptions
  readonly #opened = new Map<number, { asOfMs: number; upstream: Promise<Upstream> }>()

  constructor(options: UpstreamsOptions) {
    this.#options = options
    this.keys = options.keys
    this.guard = options.guard
  }

  /** @throws UpstreamError when its login cannot be had; RegistryError when its secret cannot be opened */
  open(remote: RemoteRegistry): Promise<Upstream> {
    const known = this.#opened.get(remote.id)
    if (known?.asOfMs === remote.updatedAtMs) return known.upstream
    const onLimits = (limits: RateLimits) => this.budgets.note(remote.id, limits)
    const upstream = this.#open(opened(this.keys, remote), { onLimits })
    const kept = { asOfMs: remote.updatedAtMs, upstream }
    this.#opened.set(remote.id, kept)
    upstream.catch(() => {
      if (this.#opened.get(remote.id) === kept) this.#opened.delete(remote.id)
    })
    return upstream
  }

  /** @returns why it cannot be used, or undefined when it can */
  async ping(text: RegistryText): Promise<string | undefined> {
    try {
      const upstream = await this.#open(text, { answerMs: PING_MS, idleMs: PING_MS })
      await upstream.ping()
      return undefined
    } catch (error) {
      if (error instanceof UpstreamError) return error.message
      throw error
    }
  }

  #open(
    text: RegistryText,
    more: { onLimits?: (limits: RateLimits) => void; answerMs?: number; idleMs?: number },
  ): Promise<Upstream> {
    const { guard, ecr } = this.#options
    return openUpstream(addressOf(text), { guard, ...(ecr ? { ecr } : {}), ...more })
  }
}

/** @param text whose type has been checked */
function addressOf(text: RegistryText): UpstreamAddress {
  const { url, insecure, caCertificate, accessKey, accessSecret } = text
  return { provider: providerOf(text.type)!, url, insecure, caCertificate, accessKey, accessSecret }
}
