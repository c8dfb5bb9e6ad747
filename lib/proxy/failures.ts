// What clients of a cache are told of its upstream's failures.
import { type ErrorCode, RegistryError } from '../oci/errors.ts'
import type { UpstreamError, UpstreamFailure } from '../upstream/upstream-error.ts'

const ANSWERS: Record<UpstreamFailure, { code: ErrorCode; status: number }> = {
  absent: { code: 'MANIFEST_UNKNOWN', status: 404 },
  denied: { code: 'DENIED', status: 403 },
  limited: { code: 'TOOMANYREQUESTS', status: 429 },
  lying: { code: 'UNAVAILABLE', status: 502 },
  failed: { code: 'UNAVAILABLE', status: 502 },
  forbidden: { code: 'UNAVAILABLE', status: 502 },
  unreachable: { code: 'UNAVAILABLE', status: 502 },
  tls: { code: 'UNAVAILABLE', status: 502 },
  broken: { code: 'UNAVAILABLE', status: 502 },
  silent: { code: 'UNAVAILABLE', status: 504 },
}

/** The upstream's own reason. @param code of what is not there: MANIFEST_UNKNOWN or BLOB_UNKNOWN */
export function asAnswer(error: UpstreamError, what: string, absent: ErrorCode): RegistryError {
  const { code, status } = ANSWERS[error.failure]
  return new RegistryError(
    error.failure === 'absent' ? absent : code,
    `${what} cannot be had from upstream: ${error.message}`,
    {
      status,
      ...(error.retryAfter === undefined ? {} : { headers: { 'Retry-After': error.retryAfter } }),
      cause: error,
    },
  )
}

/** What marks an answer that could not be compared with its upstream (distribution-spec v1.1.1 §"Warnings"). */
export function staleHeaders(reason: string): Record<string, string> {
  const text = reason
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/["\\]/g, "'")
    .slice(0, 200)
  return { Warning: `299 - "served from the cache: ${text}"`, 'X-Entrepot-Stale': 'true' }
}
