// The Authorization header, taken apart.

export interface BasicCredentials {
  name: string
  password: string
}

/** @returns undefined unless it is Basic and well formed */
export function parseBasic(authorization: string): BasicCredentials | undefined {
  const encoded = /^basic +([a-z0-9+/=_-]+) *$/i.exec(authorization)?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) }
}

export function parseBearer(authorization: string): string | undefined {
  return /^bearer +([^\s,]+) *$/i.exec(authorization)?.[1]
}
