// Why another registry did not give what it was asked for: its own status and words, as far as it had any.
import type { OutboundFailure } from '../outbound/outbound-error.ts'

/**
 * `absent`: it says that there is no such thing. `denied`: it wants another login. `limited`: too many requests.
 * `lying`: what it sent is not what it announced, or what was asked for. `failed`: any other answer that is no success.
 * The rest: there was no answer.
 */
export type UpstreamFailure = 'absent' | 'denied' | 'limited' | 'lying' | 'failed' | OutboundFailure

export interface UpstreamErrorDetails {
  /** The upstream's HTTP status. */
  status?: number
  /** Its `Retry-After` as it was sent: seconds or a date. */
  retryAfter?: string
  cause?: unknown
}

export class UpstreamError extends Error {
  readonly failure: UpstreamFailure
  readonly status: number | undefined
  readonly retryAfter: string | undefined

  constructor(failure: UpstreamFailure, message: string, details: UpstreamErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.name = 'UpstreamError'
    this.failure = failure
    this.status = details.status
    this.retryAfter = details.retryAfter
  }

  /** @returns how long it asked to be left alone, in ms from `nowMs` on; 0 where it did not, or nobody understands it */
  waitMs(nowMs: number): number {
    if (this.retryAfter === undefined) return 0
    const seconds = Number(this.retryAfter)
    const ms = Number.isNaN(seconds) ? Date.parse(this.retryAfter) - nowMs : seconds * 1000
    return Math.max(ms || 0, 0)
  }
}
