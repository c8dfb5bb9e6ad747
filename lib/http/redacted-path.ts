/** Session tokens are permissions: a log holds only their beginning. */
export function redactedPath(path: string): string {
  return path.replace(/(\/blobs\/uploads\/.{12}).+$/, '$1…').slice(0, 500)
}
