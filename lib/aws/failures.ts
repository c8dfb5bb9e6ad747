// What the stores' errors mean to a client: all that passes is a 503 it may try again.
import { setTimeout as sleep } from 'node:timers/promises'
import { RegistryError } from '../oci/errors.ts'

/** First wait between attempts of ours; each next one may be twice as long. */
const BASE_MS = 20
const LONGEST_MS = 1000

const PASSING = new Set([
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'LimitExceededException',
  'TransactionInProgressException',
  'InternalServerError',
  'InternalError',
  'ServiceUnavailable',
  'SlowDown',
  'RequestTimeout',
  'TimeoutError',
  'AbortError',
  'ExpiredToken',
  'ExpiredTokenException',
  'CredentialsProviderError',
  'RequestTimeTooSkewed',
  'PermanentRedirect',
  'TemporaryRedirect',
])

interface AwsError extends Error {
  $fault?: 'client' | 'server'
  $metadata?: { httpStatusCode?: number; attempts?: number; requestId?: string }
  code?: string
}

/**
 * Runs one call to a store. What the SDK's own attempts could not get over becomes UNAVAILABLE (503), with the
 * store's error as its cause; anything else is a mistake of ours and stays what it is.
 */
export async function calling<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw isPassing(error as AwsError) ? unavailable(what, error) : error
  }
}

export function isPassing(error: AwsError): boolean {
  const status = error.$metadata?.httpStatusCode ?? 0
  // The stores' answers, broken off or not understood, have no status; system errors have a code.
  const broken = error.code !== undefined && /^E[A-Z]+$/.test(error.code) && error.code !== 'ENOSPC'
  return PASSING.has(error.name) || error.$fault === 'server' || status >= 500 || broken || isGarbled(error)
}

/** A half answer that is no JSON or XML any more. */
function isGarbled(error: AwsError): boolean {
  return (
    error instanceof SyntaxError ||
    /Deserialization error|aborted|socket hang up|premature/i.test(error.message)
  )
}

export function unavailable(what: string, cause: unknown): RegistryError {
  return new RegistryError('UNAVAILABLE', `the registry’s ${what} did not answer in time: try again`, {
    cause,
    headers: { 'Retry-After': '2' },
  })
}

/** Full jitter: as many processes as there are must not come back together. */
export function backOff(attempt: number): Promise<void> {
  return sleep(Math.random() * Math.min(LONGEST_MS, BASE_MS * 2 ** attempt))
}
