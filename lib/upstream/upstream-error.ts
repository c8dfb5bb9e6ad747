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
}
