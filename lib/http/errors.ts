// Errors as clients read them: distribution-spec v1.1.1 §"Error Codes". No extra keys, no stack traces.
import { OCI_ERRORS, RegistryError } from '../oci/errors.ts'
import { type HttpResponse, json } from './message.ts'

/**
 * Whatever was thrown, as an answer. Only a RegistryError speaks to the client; the rest is a bare 500
 * (507 for a full disk) with the request id to look up in the log.
 */
export function renderError(error: unknown, requestId: string): HttpResponse {
  const known = error instanceof RegistryError ? error : unexpected(error, requestId)
  const message = isRefusal(known) ? `${known.message} (request ${requestId})` : known.message
  const entry = { code: known.code, message, ...(known.detail === undefined ? {} : { detail: known.detail }) }
  return json(known.status, { errors: [entry] }, known.headers)
}

/** What `entrepot explain` tells more about. */
export function isRefusal({ code }: RegistryError): boolean {
  return code === 'DENIED' || code === 'PROJECTPOLICYVIOLATION'
}

function unexpected(error: unknown, requestId: string): RegistryError {
  const { code } = error as { code?: string }
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new RegistryError(
      'UNAVAILABLE',
      `the registry has no room left on its disk (request ${requestId})`,
      {
        status: 507,
      },
    )
  if (code === 'SUPERSEDED')
    return new RegistryError(
      'RANGE_INVALID',
      'another request continued this upload session at the same time',
    )
  return new RegistryError(
    'UNKNOWN',
    `${OCI_ERRORS.UNKNOWN.message}: look for request ${requestId} in the registry’s log`,
  )
}

export function methodNotAllowed(method: string, allowed: string[]): RegistryError {
  return new RegistryError(
    'UNSUPPORTED',
    `${method.slice(0, 20)} is not supported here: use ${allowed.join(', ')}`,
    {
      headers: { Allow: allowed.join(', ') },
    },
  )
}
