// A client that does not give up: it repeats what failed, as docker and containerd do.
import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const TRIES = 12
const PAUSE_MS = 50

export interface PushedImage {
  name: string
  tag: string
  manifest: string
  blobs: string[]
}

export interface Pusher {
  /** Where the registry is at the moment; a restarted one has another port. */
  url(): string
  /** Told of every failed request, and waited for. */
  onError?(what: string, status: number | undefined): Promise<void> | void
}

type Way = 'whole' | 'stream' | 'chunks'

export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** An image of a small streamed layer, a chunked one, a large streamed one, and a config in one PUT. */
export async function pushImage(
  pusher: Pusher,
  name: string,
  tag: string,
  largeBytes: number,
): Promise<PushedImage> {
  const layers: [Buffer, Way][] = [
    [randomBytes(3000), 'stream'],
    [randomBytes(200_000), 'chunks'],
    ...(largeBytes > 0 ? [[randomBytes(largeBytes), 'stream'] as [Buffer, Way]] : []),
  ]
  const config = Buffer.from(JSON.stringify({ tag, salt: randomBytes(4).toString('hex') }))
  for (const [bytes, way] of layers) await uploadBlob(pusher, name, bytes, way)
  await uploadBlob(pusher, name, config, 'whole')
  const described = (bytes: Buffer) => ({
    mediaType: 'application/x',
    digest: sha256(bytes),
    size: bytes.length,
  })
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: described(config),
    layers: layers.map(([bytes]) => described(bytes)),
  })
  await tried(pusher, `PUT ${name}:${tag}`, async () => {
    const url = `${pusher.url()}/v2/${name}/manifests/${tag}`
    const answer = await fetch(url, { method: 'PUT', headers: { 'content-type': MANIFEST }, body: manifest })
    return { status: answer.status, done: answer.status === 201 }
  })
  return { name, tag, manifest, blobs: [...layers.map(([bytes]) => sha256(bytes)), sha256(config)] }
}

async function uploadBlob(pusher: Pusher, name: string, bytes: Buffer, way: Way): Promise<void> {
  const digest = sha256(bytes)
  await tried(pusher, `blob ${digest} (${way})`, async () => {
    const at = (location: string) => new URL(location, pusher.url())
    const there = await fetch(at(`/v2/${name}/blobs/${digest}`), { method: 'HEAD' })
    if (there.status === 200) return { status: 200, done: true }
    const started = await fetch(at(`/v2/${name}/blobs/uploads/`), { method: 'POST' })
    if (started.status !== 202) return { status: started.status, done: false }
    let location = started.headers.get('location')!
    const half = Math.floor(bytes.length / 2)
    const pieces = {
      whole: [],
      stream: [[0, bytes.length]],
      chunks: [
        [0, half],
        [half, bytes.length],
      ],
    }[way]
    for (const [from, to] of pieces as [number, number][]) {
      const headers = way === 'chunks' ? { 'content-range': `${from}-${to - 1}` } : undefined
      const body = bytes.subarray(from, to)
      const sent = await fetch(at(location), { method: 'PATCH', body, ...(headers ? { headers } : {}) })
      if (sent.status !== 202) return { status: sent.status, done: false }
      location = sent.headers.get('location')!
    }
    const commit = at(location)
    commit.searchParams.set('digest', digest)
    const ended = await fetch(commit, { method: 'PUT', ...(way === 'whole' ? { body: bytes } : {}) })
    return { status: ended.status, done: ended.status === 201 }
  })
}

async function tried(
  pusher: Pusher,
  what: string,
  once: () => Promise<{ status: number; done: boolean }>,
): Promise<void> {
  const seen: (number | string)[] = []
  for (let attempt = 0; attempt < TRIES; attempt++) {
    try {
      const { status, done } = await once()
      if (done) return
      await pusher.onError?.(what, status)
      seen.push(status)
    } catch (error) {
      await pusher.onError?.(what, undefined)
      seen.push((error as Error).message)
    }
    await sleep(PAUSE_MS * (attempt + 1))
  }
  throw new Error(`${what} failed ${TRIES} times: ${seen.join(', ')}`)
}

/** @returns what is not as it was acknowledged */
export async function findLies(url: string, image: PushedImage): Promise<string[]> {
  const lies: string[] = []
  const manifest = await fetch(`${url}/v2/${image.name}/manifests/${image.tag}`)
  if ((await manifest.text()) !== image.manifest)
    lies.push(`${image.name}:${image.tag} answers ${manifest.status}`)
  for (const digest of image.blobs) {
    const blob = await fetch(`${url}/v2/${image.name}/blobs/${digest}`)
    const bytes = Buffer.from(await blob.arrayBuffer())
    if (sha256(bytes) !== digest) lies.push(`${digest} answers ${blob.status} with ${bytes.length} bytes`)
  }
  return lies
}
