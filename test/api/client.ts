// A plain HTTP client for the API tests: raw enough to misbehave.
import { createHash } from 'node:crypto'
import { type IncomingHttpHeaders, request } from 'node:http'
import { request as secureRequest } from 'node:https'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  /** The first error's code, when the answer is an error. */
  code: string | undefined
  message: string
}

export interface Client {
  (
    method: string,
    path: string,
    options?: { headers?: Record<string, string>; body?: Uint8Array | string },
  ): Promise<Answer>
  url: string
}

/** @param authorization sent with every request unless a request sets its own */
export function clientOf(url: string, authorization?: string): Client {
  const send: Client = Object.assign(
    (method: string, path: string, options: Parameters<Client>[2] = {}) =>
      new Promise<Answer>((resolve, reject) => {
        const { hostname, port, protocol } = new URL(url)
        const begin = protocol === 'https:' ? secureRequest : request
        const headers = { ...(authorization ? { authorization } : {}), ...options.headers }
        // The path goes out as it is: URL would clean up what these tests want to send.
        const outgoing = begin({ hostname, port, method, path, headers }, (incoming) => {
          const chunks: Buffer[] = []
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
          incoming.on('error', reject)
          incoming.on('end', () =>
            resolve(answerOf(incoming.statusCode ?? 0, incoming.headers, Buffer.concat(chunks))),
          )
        })
        outgoing.on('error', reject)
        outgoing.end(options.body)
      }),
    { url },
  )
  return send
}

function answerOf(status: number, headers: IncomingHttpHeaders, body: Buffer): Answer {
  let error: { code?: string; message?: string } = {}
  if (status >= 400 && body.length > 0) error = JSON.parse(body.toString()).errors?.[0] ?? {}
  return { status, headers, body, code: error.code, message: error.message ?? '' }
}

export function digest(bytes: Uint8Array | string, algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}

export async function startUpload(http: Client, name: string): Promise<string> {
  const answer = await http('POST', `/v2/${name}/blobs/uploads/`)
  if (answer.status !== 202) throw new Error(`${answer.status} ${answer.body}`)
  return answer.headers.location!
}

/** @returns the digest */
export async function pushBlob(
  http: Client,
  name: string,
  bytes: Uint8Array | string,
  algorithm = 'sha256',
): Promise<string> {
  const wanted = digest(bytes, algorithm)
  const answer = await http('POST', `/v2/${name}/blobs/uploads/?digest=${wanted}`, { body: bytes })
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.body}`)
  return wanted
}

export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const INDEX = 'application/vnd.oci.image.index.v1+json'

/** Pushes an image of one layer. @returns its digest and bytes */
export async function pushImage(
  http: Client,
  name: string,
  reference: string,
  content: {
    layer?: string
    subject?: string
    artifactType?: string
    annotations?: Record<string, string>
  } = {},
): Promise<{ digest: string; bytes: string; layer: string; config: string }> {
  const layerBytes = content.layer ?? `layer of ${name}:${reference}`
  const layer = await pushBlob(http, name, layerBytes)
  const config = await pushBlob(http, name, '{}')
  const bytes = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    ...(content.artifactType ? { artifactType: content.artifactType } : {}),
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: config, size: 2 },
    layers: [{ mediaType: 'application/octet-stream', digest: layer, size: Buffer.byteLength(layerBytes) }],
    ...(content.subject ? { subject: { mediaType: MANIFEST, digest: content.subject, size: 2 } } : {}),
    ...(content.annotations ? { annotations: content.annotations } : {}),
  })
  const wanted = digest(bytes)
  const answer = await http('PUT', `/v2/${name}/manifests/${reference === '' ? wanted : reference}`, {
    headers: { 'content-type': MANIFEST },
    body: bytes,
  })
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.body}`)
  return { digest: wanted, bytes, layer, config }
}

export function indexOf(digests: { digest: string; size: number }[]): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: digests.map((each) => ({ mediaType: MANIFEST, ...each })),
  })
}
