// Requests and answers as the HTTP core sees them, whatever server or function carries them.

export interface HttpRequest {
  /** Unique; told to the client and in every log line. */
  id: string
  method: string
  /** As sent, percent-encoded, without the query. */
  path: string
  query: URLSearchParams
  /** Lower-case names. */
  headers: Readonly<Record<string, string | undefined>>
  body: AsyncIterable<Uint8Array>
  /** `https://registry.example`, as the client addressed us. */
  origin: string
  /** Of the client, as far as it is known: the socket's other end, or what a proxy that is trusted says. */
  address: string
}

export interface HttpResponse {
  status: number
  headers: Record<string, string>
  /** For HEAD too: the server leaves it out and keeps its length. */
  body?: string | Uint8Array | AsyncIterable<Uint8Array>
  /** Required with chunks, and for HEAD. A chunk is valid until the next one is asked for. */
  lengthBytes?: number
}

export function json(status: number, value: unknown, headers: Record<string, string> = {}): HttpResponse {
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(value) }
}

export function empty(status: number, headers: Record<string, string> = {}): HttpResponse {
  return { status, headers, body: '' }
}

/** Content-Length as a number; undefined when absent or not one. */
export function contentLength(request: HttpRequest): number | undefined {
  const header = request.headers['content-length']
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined
}

/** Whether the request says that a body follows. */
export function hasBody(request: HttpRequest): boolean {
  return request.headers['transfer-encoding'] !== undefined || (contentLength(request) ?? 0) > 0
}
