// The error codes of distribution-spec v1.1.1 §"Error Codes", and the few more every registry answers with.

interface ErrorKind {
  status: number
  message: string
}

export const OCI_ERRORS = {
  BLOB_UNKNOWN: { status: 404, message: 'blob unknown to registry' },
  BLOB_UPLOAD_INVALID: { status: 400, message: 'blob upload invalid' },
  BLOB_UPLOAD_UNKNOWN: { status: 404, message: 'blob upload unknown to registry' },
  DIGEST_INVALID: { status: 400, message: 'provided digest did not match uploaded content' },
  MANIFEST_BLOB_UNKNOWN: { status: 404, message: 'manifest references a blob unknown to registry' },
  MANIFEST_INVALID: { status: 400, message: 'manifest invalid' },
  MANIFEST_UNKNOWN: { status: 404, message: 'manifest unknown to registry' },
  NAME_INVALID: { status: 400, message: 'invalid repository name' },
  NAME_UNKNOWN: { status: 404, message: 'repository name not known to registry' },
  SIZE_INVALID: { status: 400, message: 'provided length did not match content length' },
  UNAUTHORIZED: { status: 401, message: 'authentication required' },
  DENIED: { status: 403, message: 'requested access to the resource is denied' },
  UNSUPPORTED: { status: 405, message: 'the operation is unsupported' },
  TOOMANYREQUESTS: { status: 429, message: 'too many requests' },
  // Not in the spec's table; the names distribution gives them, which clients print as they are.
  TAG_INVALID: { status: 400, message: 'manifest tag did not match the tag grammar' },
  RANGE_INVALID: { status: 416, message: 'invalid content range' },
  PAGINATION_NUMBER_INVALID: { status: 400, message: 'invalid number of results requested' },
  REQUEST_INVALID: { status: 400, message: 'invalid request' },
  CONFLICT: { status: 409, message: 'it exists already, or is in use' },
  // Harbor's.
  PROJECTPOLICYVIOLATION: { status: 412, message: 'the project’s policy refuses it' },
  PRECONDITION: { status: 412, message: 'something else has to be done first' },
  NOT_FOUND: { status: 404, message: 'no such endpoint' },
  UNAVAILABLE: { status: 503, message: 'service unavailable' },
  UNKNOWN: { status: 500, message: 'unknown error' },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof OCI_ERRORS

interface RegistryErrorOptions {
  /** Machine-readable particulars, rendered as the error's `detail`. */
  detail?: unknown
  /** Overrides the code's usual status where the spec asks for another (413, 412, 416). */
  status?: number
  /** Response headers that belong to the error, e.g. `Retry-After` or an upload's `Range`. */
  headers?: Record<string, string>
  /** Who was refused, for the record; never sent. */
  principal?: string
  cause?: unknown
}

/**
 * A failure the client is told about. `code` is what clients match on; `message` is for the person:
 * what was wrong with their input and what to do. Anything that is not a RegistryError becomes a bare 500.
 */
export class RegistryError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly detail: unknown
  readonly headers: Record<string, string>
  readonly principal: string | undefined

  constructor(code: ErrorCode, message?: string, options: RegistryErrorOptions = {}) {
    super(message ?? OCI_ERRORS[code].message, { cause: options.cause })
    this.name = 'RegistryError'
    this.code = code
    this.status = options.status ?? OCI_ERRORS[code].status
    this.detail = options.detail
    this.headers = options.headers ?? {}
    this.principal = options.principal
  }
}
