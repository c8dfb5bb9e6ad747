// Package URLs (https://github.com/package-url/purl-spec): `pkg:deb/debian/libssl3@3.0.17-1?arch=amd64`.

export interface PackageUrl {
  /** `deb`, `npm`, `maven`, … in lower case. */
  type: string
  /** A distribution, a scope, a group; empty where there is none. */
  namespace: string
  name: string
  version: string
}

/** @returns undefined for what is none */
export function parsePackageUrl(text: string): PackageUrl | undefined {
  const match = /^pkg:\/*([a-z][a-z0-9.+-]*)\/([^?#]+)/i.exec(text)
  if (!match) return undefined
  const path = match[2]!.replace(/\/+$/, '')
  const at = path.lastIndexOf('@')
  // An @ that begins a segment is a scope's that somebody did not escape.
  const named = at > 0 && path[at - 1] !== '/' ? path.slice(0, at) : path
  const segments = named.split('/').map(decoded)
  const name = segments.pop()!
  if (name === '') return undefined
  return {
    type: match[1]!.toLowerCase(),
    namespace: segments.filter((each) => each !== '').join('/'),
    name,
    version: named === path ? '' : decoded(path.slice(at + 1)),
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
