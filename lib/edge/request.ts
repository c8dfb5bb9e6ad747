// Requests as a CloudFront function sees them. The code in this folder runs there (runtime 2.0), in the twin and in
// tests, so it is written in what that runtime is known to have: no destructuring, spread, for-of, classes.

export interface EdgeValue {
  value: string
  /** All values, when there are several. */
  multiValue?: { value: string }[]
}

export interface EdgeRequest {
  method: string
  /** As sent, percent-encoded, without the query. */
  uri: string
  /** Values as sent, percent-encoded. */
  querystring: Record<string, EdgeValue>
  /** Lower-case names. */
  headers: Record<string, EdgeValue>
  cookies: Record<string, EdgeValue>
}

export interface EdgeSettings {
  /**
   * Whose whole blobs may go to S3 past everything of ours: `on` everybody's, `off` or none nobody's, else the name of
   * the only repository. Asked only for blobs that could.
   */
  directUploads(): Promise<string | undefined>
  /** There are tasks that take streams. */
  ingest: boolean
}

/** Computes an HMAC-SHA256 in base64url with the session key of that id; undefined when there is no such key. */
export type SignWith = (keyId: string, text: string) => Promise<string | undefined>

export type Decision =
  | { kind: 'api' }
  | { kind: 'ingest' }
  /** A whole blob of the digest, to be stored at `key`. */
  | { kind: 'blobs'; key: string; hex: string; name: string }
  | { kind: 'refuse'; status: number; code: string; message: string; challenge?: string }

export function header(request: EdgeRequest, name: string): string | undefined {
  const found = request.headers[name]
  return found ? found.value : undefined
}
