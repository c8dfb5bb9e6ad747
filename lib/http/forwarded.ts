// Behind proxies of one's own: where the client is, as they say. What the client itself wrote there is never believed.
import type { HttpRequest } from './message.ts'

/**
 * @param proxies how many stand in front, each of which adds to X-Forwarded-For whom it was asked by; 0 for none
 * @returns the address that the outermost of them was asked by; the socket's when they said less
 */
export function forwardedAddress({ headers, address }: HttpRequest, proxies: number): string {
  if (proxies === 0) return address
  const said = (headers['x-forwarded-for'] ?? '').split(',').map((each) => each.trim())
  return said.at(-proxies) || address
}
