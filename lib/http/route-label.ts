// The kind of a path, for metrics: names and digests would make a series each.

const KINDS: [RegExp, string][] = [
  [/^\/v2\/?$/, 'base'],
  [/^\/v2\/_catalog$/, 'catalog'],
  [/\/tags\/list$/, 'tags'],
  [/\/manifests\/[^/]*$/, 'manifest'],
  [/\/referrers\/[^/]*$/, 'referrers'],
  [/\/blobs\/uploads\/?$/, 'uploads'],
  [/\/blobs\/uploads\/[^/]+$/, 'upload'],
  [/\/blobs\/[^/]+$/, 'blob'],
  [/^\/service\/token$/, 'token'],
]

export function routeLabel(path: string): string {
  return KINDS.find(([pattern]) => pattern.test(path))?.[1] ?? 'other'
}
