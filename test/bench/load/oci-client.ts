// The few registry requests the jobs are made of; any answer but the expected one ends the job.
import { createHash } from 'node:crypto'
import type { Answer, Connection, RequestBody } from './raw-http.ts'

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const OCTETS = { 'Content-Type': 'application/octet-stream' }

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export function expectStatus(answer: Answer, status: number, what: string): Answer {
  if (answer.status === status) return answer
  throw new Error(
    `${what}: ${answer.status} instead of ${status} ${answer.body?.toString().slice(0, 300) ?? ''}`,
  )
}

/** @returns the path of a new upload session */
export async function startUpload(connection: Connection, repository: string): Promise<string> {
  const path = `/v2/${repository}/blobs/uploads/`
  return locationOf(
    expectStatus(await connection.request('POST', path, { keepBody: true }), 202, `POST ${path}`),
  )
}

/** POST, then the whole blob in one PUT. */
export async function putBlob(
  connection: Connection,
  repository: string,
  digest: string,
  body: Uint8Array | RequestBody,
): Promise<void> {
  const session = await startUpload(connection, repository)
  await finishUpload(connection, session, digest, body)
}

/** As skopeo and crane do it: is it there, start, stream, finish. */
export async function pushBlob(connection: Connection, repository: string, bytes: Uint8Array): Promise<void> {
  const digest = digestOf(bytes)
  const path = `/v2/${repository}/blobs/${digest}`
  expectStatus(await connection.request('HEAD', path), 404, `HEAD ${path}`)
  const session = await startUpload(connection, repository)
  await finishUpload(connection, await appendToUpload(connection, session, bytes), digest)
}

/** One PATCH. @returns where the upload continues */
export async function appendToUpload(
  connection: Connection,
  session: string,
  body: Uint8Array | RequestBody,
  contentRange?: string,
): Promise<string> {
  const headers = contentRange === undefined ? OCTETS : { ...OCTETS, 'Content-Range': contentRange }
  const answer = await connection.request('PATCH', session, { headers, body, keepBody: true })
  return locationOf(expectStatus(answer, 202, 'PATCH'))
}

export async function finishUpload(
  connection: Connection,
  session: string,
  digest: string,
  body?: Uint8Array | RequestBody,
): Promise<void> {
  const path = `${session}${session.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`
  const options = { headers: OCTETS, keepBody: true, ...(body === undefined ? {} : { body }) }
  expectStatus(await connection.request('PUT', path, options), 201, 'PUT of a blob')
}

export async function putManifest(
  connection: Connection,
  repository: string,
  reference: string,
  manifest: Uint8Array,
): Promise<void> {
  const path = `/v2/${repository}/manifests/${reference}`
  const options = { headers: { 'Content-Type': OCI_MANIFEST }, body: manifest, keepBody: true }
  expectStatus(await connection.request('PUT', path, options), 201, `PUT ${path}`)
}

export function manifestOf(config: Uint8Array, ...layers: Uint8Array[]): Buffer {
  const descriptor = (mediaType: string, bytes: Uint8Array) => ({
    mediaType: `application/vnd.oci.image.${mediaType}`,
    digest: digestOf(bytes),
    size: bytes.length,
  })
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: descriptor('config.v1+json', config),
      layers: layers.map((layer) => descriptor('layer.v1.tar+gzip', layer)),
    }),
  )
}

/** An image configuration nobody else has. */
export function configOf(layer: Uint8Array): Buffer {
  return Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['/bin/true'] },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  )
}

function locationOf(answer: Answer): string {
  const location = answer.headers.get('location')
  if (!location) throw new Error('an upload was answered without Location')
  const { pathname, search } = new URL(location, 'http://registry')
  return pathname + search
}
