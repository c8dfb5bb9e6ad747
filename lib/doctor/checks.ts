// What a registry's front door has to get right, one check at a time, each told by what breaks without it.
import { randomBytes } from 'node:crypto'
import { type Answer, type Asker, sha256 } from './client.ts'

export interface CheckContext {
  ask: Asker
  /** `https://registry.example` */
  url: string
  /** A repository of the doctor's own. */
  name: string
  /** Digests of the manifests that were pushed. */
  pushed: Set<string>
}

export interface Check {
  id: string
  /** The rule, in a sentence. */
  rule: string
  /** Who suffers when it is broken. */
  breaks: string
  /** Something the registry does well without. */
  optional?: boolean
  /** Resolves with what was seen; throws what was wrong. */
  run(context: CheckContext): Promise<string>
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

export const CHECKS: Check[] = [
  {
    id: 'challenge',
    rule: 'a request without login is answered 401 with a Bearer challenge that names this host',
    breaks: 'every login: docker, containerd and podman find no token endpoint',
    run: async ({ ask, url }) => {
      const answer = await ask('GET', '/v2/', { anonymous: true })
      const challenge = answer.headers.get('www-authenticate') ?? ''
      expectStatus(answer, 401)
      const realm = /^Bearer realm="([^"]+)"/.exec(challenge)?.[1]
      if (!realm || new URL(realm).host !== new URL(url).host)
        throw new Error(`WWW-Authenticate is ${JSON.stringify(challenge)}`)
      return realm
    },
  },
  {
    id: 'login',
    rule: 'a token of this registry opens /v2/',
    breaks: 'docker login',
    run: async ({ ask }) => expectStatus(await ask('GET', '/v2/'), 200),
  },
  {
    id: 'errors-json',
    rule: 'errors are the specification’s JSON, not a page of HTML',
    breaks: 'clients print a page instead of a reason',
    run: async ({ ask, name }) => {
      const answer = await ask('GET', `/v2/${name}/manifests/no-such-tag`)
      expectStatus(answer, 404)
      const { errors } = JSON.parse(answer.body.toString()) as { errors?: { code?: string }[] }
      if (!errors?.[0]?.code) throw new Error(`the body is ${answer.body.toString().slice(0, 100)}`)
      return errors[0].code
    },
  },
  {
    id: 'absence-not-cached',
    rule: 'what was absent a moment ago is found as soon as it was pushed',
    breaks: 'push-then-pull: an error that is cached hides the image for seconds',
    run: async (context) => {
      const tag = `t${randomBytes(6).toString('hex')}`
      expectStatus(await context.ask('GET', `/v2/${context.name}/manifests/${tag}`), 404)
      await pushManifest(context, tag)
      return expectStatus(await context.ask('GET', `/v2/${context.name}/manifests/${tag}`), 200)
    },
  },
  {
    id: 'head-manifest-length',
    rule: 'HEAD of a manifest tells its true length, type and digest',
    breaks: 'containerd and oras resolve tags by HEAD; a length of 0 makes an empty descriptor',
    run: async (context) => {
      const bytes = await pushManifest(context, 'head')
      const answer = await context.ask('HEAD', `/v2/${context.name}/manifests/head`)
      expectStatus(answer, 200)
      expectHeader(answer, 'content-length', String(bytes.length))
      expectHeader(answer, 'docker-content-digest', sha256(bytes))
      return expectHeader(answer, 'content-type', MANIFEST)
    },
  },
  {
    id: 'whole-blob',
    rule: 'a whole blob is accepted with 201, Location and Docker-Content-Digest, and is there at once',
    breaks: 'pushes by Docker 29, buildx, containerd, helm, oras and regctl',
    run: async (context) => {
      const bytes = randomBytes(300_000)
      const answer = await putWhole(context, bytes, sha256(bytes))
      expectStatus(answer, 201)
      expectHeader(answer, 'docker-content-digest', sha256(bytes))
      const location = answer.headers.get('location')
      if (!location) throw new Error('there is no Location')
      return sameBytes(await context.ask('GET', location), bytes)
    },
  },
  {
    id: 'wrong-digest',
    rule: 'a blob whose bytes do not have the digest is refused and not there',
    breaks: 'trust: whoever stores other bytes under a digest owns every image',
    run: async (context) => {
      const [bytes, claimed] = [randomBytes(1000), sha256(randomBytes(8))]
      const answer = await putWhole(context, bytes, claimed)
      if (answer.status < 400 || answer.status >= 500) throw new Error(`it was answered ${answer.status}`)
      expectStatus(await context.ask('HEAD', `/v2/${context.name}/blobs/${claimed}`), 404)
      return `refused with ${answer.status}`
    },
  },
  {
    id: 'direct-whole-blob',
    rule: 'a whole blob goes straight to S3',
    breaks: 'nothing: without it the blob goes through the ingest tasks',
    optional: true,
    run: async (context) => {
      const bytes = randomBytes(300_000)
      const answer = await putWhole(context, bytes, sha256(bytes))
      expectStatus(answer, 201)
      expectHeader(answer, 'x-entrepot-path', 'direct')
      return sameBytes(await context.ask('GET', `/v2/${context.name}/blobs/${sha256(bytes)}`), bytes)
    },
  },
  {
    id: 'direct-wrong-digest',
    rule: 'S3 itself refuses a blob that does not have its digest',
    breaks: 'nothing while direct uploads are off; on, it must hold',
    optional: true,
    run: async (context) => {
      const answer = await putWhole(context, randomBytes(1000), sha256(randomBytes(8)))
      const code = /<Code>([^<]+)<\/Code>/.exec(answer.body.toString())?.[1]
      if (answer.status !== 400 || code === undefined)
        throw new Error(`${answer.status} without an error of S3: ${answer.body.toString().slice(0, 100)}`)
      return code
    },
  },
  {
    id: 'stream',
    rule: 'a stream of unknown length is accepted and committed',
    breaks: 'pushes by Docker 28 and older, podman, skopeo, buildah and crane',
    run: async (context) => {
      const bytes = randomBytes(300_000)
      const location = await startUpload(context)
      const sent = await context.ask('PATCH', location, { body: chunks(bytes) })
      expectStatus(sent, 202)
      expectHeader(sent, 'range', `0-${bytes.length - 1}`)
      const ended = await context.ask('PUT', withDigest(sent.headers.get('location') ?? '', sha256(bytes)))
      expectStatus(ended, 201)
      return sameBytes(await context.ask('GET', `/v2/${context.name}/blobs/${sha256(bytes)}`), bytes)
    },
  },
  {
    id: 'head-blob-length',
    rule: 'HEAD of a blob tells its true length',
    breaks: 'docker and podman compare it before they skip an upload',
    run: async (context) => {
      const bytes = await pushBlob(context)
      const answer = await context.ask('HEAD', `/v2/${context.name}/blobs/${sha256(bytes)}`)
      expectStatus(answer, 200)
      return expectHeader(answer, 'content-length', String(bytes.length))
    },
  },
  {
    id: 'range',
    rule: 'a range of a blob is answered 206 with just those bytes',
    breaks: 'resumed downloads, lazy pulling',
    run: async (context) => {
      const bytes = await pushBlob(context)
      const headers = { range: 'bytes=100-199' }
      const answer = await context.ask('GET', `/v2/${context.name}/blobs/${sha256(bytes)}`, { headers })
      expectStatus(answer, 206)
      return sameBytes(answer, bytes.subarray(100, 200))
    },
  },
  {
    id: 'no-smuggling',
    rule: 'headers that S3 takes orders from do nothing',
    breaks: 'isolation: a copy source would read other people’s blobs',
    run: async (context) => {
      const bytes = randomBytes(500)
      const headers = {
        'x-amz-copy-source': '/any/b/any',
        'x-amz-acl': 'public-read',
        'x-amz-storage-class': 'GLACIER',
        'x-amz-tagging': 'a=b',
        cookie: 'a=b',
      }
      const answer = await putWhole(context, bytes, sha256(bytes), headers)
      expectStatus(answer, 201)
      return sameBytes(await context.ask('GET', `/v2/${context.name}/blobs/${sha256(bytes)}`), bytes)
    },
  },
]

function expectStatus(answer: Answer, status: number): string {
  if (answer.status !== status)
    throw new Error(`${answer.status} instead of ${status}: ${answer.body.toString().slice(0, 200)}`)
  return `${status}`
}

function expectHeader(answer: Answer, name: string, value: string): string {
  const found = answer.headers.get(name)
  if (found !== value) throw new Error(`${name} is ${found} instead of ${value}`)
  return `${name}: ${value}`
}

function sameBytes(answer: Answer, bytes: Uint8Array): string {
  if (!answer.body.equals(bytes))
    throw new Error(`other bytes came back (${answer.status}, ${answer.body.length} bytes)`)
  return `${bytes.length} bytes, the same`
}

async function startUpload({ ask, name }: CheckContext): Promise<string> {
  const answer = await ask('POST', `/v2/${name}/blobs/uploads/`)
  expectStatus(answer, 202)
  return answer.headers.get('location') ?? ''
}

function withDigest(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`
}

async function putWhole(
  context: CheckContext,
  bytes: Uint8Array,
  digest: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return context.ask('PUT', withDigest(await startUpload(context), digest), { body: bytes, headers })
}

async function pushBlob(context: CheckContext): Promise<Buffer> {
  const bytes = randomBytes(70_000)
  expectStatus(await putWhole(context, bytes, sha256(bytes)), 201)
  return bytes
}

async function pushManifest(context: CheckContext, tag: string): Promise<Buffer> {
  const config = await pushBlob(context)
  const descriptor = {
    mediaType: 'application/vnd.entrepot.doctor',
    digest: sha256(config),
    size: config.length,
  }
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: descriptor, layers: [] }),
  )
  const headers = { 'content-type': MANIFEST }
  expectStatus(
    await context.ask('PUT', `/v2/${context.name}/manifests/${tag}`, { body: bytes, headers }),
    201,
  )
  context.pushed.add(sha256(bytes))
  return bytes
}

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000)
}
