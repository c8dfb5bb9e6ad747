// A request of ours that got no answer, and why.

/**
 * `forbidden`: the address guard or a rule about redirects refused it. `unreachable`: no connection, or no name.
 * `tls`: no trust in the certificate. `silent`: too long without a byte. `broken`: the answer broke off or is none.
 */
export type OutboundFailure = 'forbidden' | 'unreachable' | 'tls' | 'silent' | 'broken'

export class OutboundError extends Error {
  readonly failure: OutboundFailure

  constructor(failure: OutboundFailure, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'OutboundError'
    this.failure = failure
  }
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'ETIMEDOUT',
])

/** Whatever a connection threw, in words for whoever configured its URL. */
export function explained(error: unknown, host: string): OutboundError {
  if (error instanceof OutboundError) return error
  const { code = '', message, errors } = error as NodeJS.ErrnoException & { errors?: unknown[] }
  // Several addresses were tried: any of them explains it.
  if (errors?.[0]) return explained(errors[0], host)
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new OutboundError('unreachable', `the name ${host} cannot be resolved`, error)
  if (UNREACHABLE.has(code))
    return new OutboundError('unreachable', `no connection to ${host}: ${code}`, error)
  if (/CERT|SSL|TLS|SELF_SIGNED|ISSUER|ALTNAME/.test(code))
    return new OutboundError('tls', `no trusted TLS connection to ${host}: ${message}`, error)
  return new OutboundError('broken', `the connection to ${host} broke off: ${code || message}`, error)
}
