// Behind the edge: what it says of the client is believed only together with the secret that it shares with us.
import { timingSafeEqual } from 'node:crypto'
import { RegistryError } from '../oci/errors.ts'

export interface EdgeClaims {
  /** The host the client addressed. */
  host: string | undefined
  requestId: string | undefined
  /** The client's address. */
  viewer: string | undefined
}

/** @throws DENIED when the request came around the edge */
export function edgeClaims(
  headers: Readonly<Record<string, string | undefined>>,
  secret: string,
): EdgeClaims {
  if (!sameText(headers['x-entrepot-origin'], secret))
    throw new RegistryError('DENIED', 'this address is not for clients: use the registry’s own host name')
  return {
    host: headers['x-entrepot-host'],
    requestId: headers['x-entrepot-request'],
    viewer: headers['x-entrepot-viewer'],
  }
}

function sameText(given: string | undefined, expected: string): boolean {
  const [a, b] = [Buffer.from(given ?? ''), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
