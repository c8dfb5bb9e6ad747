// Signatures of bodies, as GitHub's webhooks have them: receivers know how to check them.
import { createHmac } from 'node:crypto'

/** @returns `sha256=` and the HMAC of the body's bytes in hex */
export function signatureOf(secret: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(body, 'utf8').digest('hex')}`
}
