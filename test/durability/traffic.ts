// Clients that push without pause until the registry is killed under them, and remember what was acknowledged.
import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'

export interface Acknowledged {
  repository: string
  tag: string
  manifest: string
  digest: string
  blobs: string[]
}

interface Answer {
  status: number
  location: string
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** Rejects when the connection breaks, which is how a killed registry looks. */
function send(
  url: string,
  method: string,
  path: string,
  body?: Uint8Array | string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, url), { method, headers }, (incoming) => {
      incoming.resume()
      incoming.on('error', reject)
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, location: incoming.headers.location ?? '' }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** Three ways to upload a blob, as the clients do: a stream and a commit, chunks with ranges, one PUT. */
async function upload(url: string, repository: string, bytes: Buffer, way: number): Promise<string> {
  const digest = sha256(bytes)
  const started = await send(url, 'POST', `/v2/${repository}/blobs/uploads/`)
  let { location } = started
  let rest: Buffer | undefined = bytes
  if (way === 0) {
    location = (await send(url, 'PATCH', location, bytes)).location
    rest = undefined
  } else if (way === 1) {
    const half = Math.floor(bytes.length / 2)
    for (const [from, to] of [
      [0, half],
      [half, bytes.length],
    ] as const)
      location = (
        await send(url, 'PATCH', location, bytes.subarray(from, to), { 'content-range': `${from}-${to - 1}` })
      ).location
    rest = undefined
  }
  const done = await send(url, 'PUT', `${location}?digest=${digest}`, rest)
  if (done.status !== 201) throw new Error(`blob: ${done.status}`)
  return digest
}

/** Pushes images until a connection breaks. */
export async function pushUntilKilled(
  url: string,
  client: number,
  acknowledged: Acknowledged[],
  onPush: () => void,
): Promise<void> {
  for (let number = 0; ; number++) {
    const repository = `lab/client-${client}`
    const tag = `t${Date.now()}-${number}`
    try {
      // Some are large enough to be stored in parts where a store has such.
      const large = number % 9 === 4 ? 14_000_000 : (number % 5) * 150_000
      const layers = [randomBytes(2 + large), randomBytes(70_000)]
      const blobs: string[] = []
      for (const [index, layer] of layers.entries())
        blobs.push(await upload(url, repository, layer, (client + index) % 3))
      const config = await upload(url, repository, Buffer.from(JSON.stringify({ tag })), 2)
      const manifest = JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: {
          mediaType: 'application/x',
          digest: config,
          size: Buffer.byteLength(JSON.stringify({ tag })),
        },
        layers: blobs.map((digest, index) => ({
          mediaType: 'application/x',
          digest,
          size: layers[index]!.length,
        })),
      })
      const put = await send(url, 'PUT', `/v2/${repository}/manifests/${tag}`, manifest, {
        'content-type': MANIFEST,
      })
      if (put.status !== 201) throw new Error(`manifest: ${put.status}`)
      acknowledged.push({ repository, tag, manifest, digest: sha256(manifest), blobs: [...blobs, config] })
      onPush()
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ECONNRESET' || code === 'ECONNREFUSED' || code === 'EPIPE') return
      throw error
    }
  }
}

/** @returns what is not as it was acknowledged */
export async function verify(url: string, image: Acknowledged): Promise<string[]> {
  const wrong: string[] = []
  const manifest = await fetch(`${url}/v2/${image.repository}/manifests/${image.tag}`)
  if ((await manifest.text()) !== image.manifest)
    wrong.push(`${image.repository}:${image.tag}: ${manifest.status}`)
  for (const digest of image.blobs) {
    const blob = await fetch(`${url}/v2/${image.repository}/blobs/${digest}`)
    const bytes = Buffer.from(await blob.arrayBuffer())
    if (sha256(bytes) !== digest)
      wrong.push(`${image.repository} ${digest}: ${blob.status}, ${bytes.length} bytes`)
  }
  return wrong
}
