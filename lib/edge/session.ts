// The upload session's token, verified at the edge: it alone says whether bytes may go into the bucket, and where.
// Its form is drawn in lib/registry/session-token.ts.
import type { SignWith } from './request.ts'

export interface EdgeSession {
  repository: string
  id: string
  limitBytes: number
  /** The session had a PATCH: its bytes are with ingest. */
  patched: boolean
}

const TOKEN =
  /^([0-9a-f]{1,32})\.([0-9a-z]{1,64})\.([0-9a-z]{1,64})\.([0-9a-z]{1,12})\.([0-9a-z]{1,12})\.([A-Za-z0-9_-]{32})(~p)?$/

/** @returns undefined when forged, for another repository, expired, or no token at all */
export async function verifySession(
  token: string,
  name: string,
  signWith: SignWith,
  nowMs: number,
): Promise<EdgeSession | undefined> {
  const match = TOKEN.exec(token)
  if (!match) return undefined
  const payload = token.slice(0, token.lastIndexOf('.'))
  const mac = await signWith(match[1] as string, `${name}\n${payload}`)
  if (mac === undefined || !sameText(mac.slice(0, 32), match[6] as string)) return undefined
  if (Number.parseInt(match[4] as string, 36) * 1000 < nowMs) return undefined
  return {
    repository: match[2] as string,
    id: match[3] as string,
    limitBytes: Number.parseInt(match[5] as string, 36),
    patched: match[7] !== undefined,
  }
}

/** In the same time whatever differs. */
function sameText(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at)
  return difference === 0
}
