// Telling what is not there from what went wrong.
import { type ErrorCode, RegistryError } from '../oci/errors.ts'
import { UpstreamError } from '../upstream/upstream-error.ts'
import { asAnswer } from './failures.ts'

const ABSENT: ReadonlySet<ErrorCode> = new Set(['NAME_UNKNOWN', 'MANIFEST_UNKNOWN', 'BLOB_UNKNOWN'])

export async function foundOrError<T>(found: Promise<T>): Promise<T | RegistryError> {
  try {
    return await found
  } catch (error) {
    if (error instanceof RegistryError) return error
    throw error
  }
}

/** @returns the error when it says that there is no such thing. @throws any other */
export async function foundOrAbsent<T>(found: Promise<T>): Promise<T | RegistryError> {
  const result = await foundOrError(found)
  if (result instanceof RegistryError && !ABSENT.has(result.code)) throw result
  return result
}

export async function orUndefined<T>(found: Promise<T>): Promise<T | undefined> {
  const result = await foundOrAbsent(found)
  return result instanceof RegistryError ? undefined : result
}

/** @param absent what the client is told when the upstream has no such thing. @throws RegistryError */
export async function explaining<T>(what: string, absent: ErrorCode, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof UpstreamError ? asAnswer(error, what, absent) : error
  }
}
