// The client of other registries, against an imitation of Docker Hub in front of another Entrepôt.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Digest } from '../../lib/oci/digest.ts'
import { upstreamCatalog, upstreamTags } from '../../lib/upstream/lists.ts'
import type { RateLimits } from '../../lib/upstream/rate-limits.ts'
import type { Upstream } from '../../lib/upstream/upstream.ts'
import {
  beginUpload,
  deleteUpstreamManifest,
  finishUpload,
  pushManifest,
  uploadChunk,
  uploadStatus,
  uploadWhole,
} from '../../lib/upstream/writing.ts'
import { type DockerHub, startDockerHub } from '../support/docker-hub.ts'
import { type Server, startServer } from '../support/server.ts'
import { openTestUpstream } from '../support/upstreams.ts'
import { type Client, clientOf, digest, MANIFEST, pushBlob, pushImage } from './client.ts'

const LOGIN = { name: 'captain', password: 'key to the harbour' }
const LIMIT = 1_000_000
let server: Server
let origin: Client
let hub: DockerHub
let image: Awaited<ReturnType<typeof pushImage>>
let limits: RateLimits[]
beforeAll(async () => {
  server = await startServer()
  origin = clientOf(server.url)
  hub = await startDockerHub({ origin: server.url, login: LOGIN })
  image = await pushImage(origin, 'library/app', 'v1', { layer: 'layer of the app' })
})
afterAll(async () => {
  await hub.stop()
  await server.stop()
})
beforeEach(() => {
  hub.log.length = 0
  hub.remaining = 100
  limits = []
})

const opened = (more: Parameters<typeof openTestUpstream>[1] = {}) =>
  openTestUpstream(hub.url, { type: 'docker-hub', onLimits: (each) => limits.push(each), ...more })
const layer = () => image.layer as Digest

async function read({ body }: { body: AsyncIterable<Uint8Array> }): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

test('an anonymous pull follows the challenge, asks once for each scope, and finds library/ by itself', async () => {
  const upstream = await opened()
  expect(await upstream.headManifest('app', 'v1')).toEqual({
    digest: image.digest,
    mediaType: MANIFEST,
    sizeBytes: image.bytes.length,
  })
  const manifest = await upstream.getManifest('app', image.digest)
  expect(manifest.bytes.toString()).toBe(image.bytes)
  expect(await read(await upstream.getBlob('app', layer(), LIMIT))).toBe('layer of the app')
  expect(hub.log.filter(({ at }) => at === 'token')).toHaveLength(1)
  expect(hub.log.filter(({ status }) => status === 401)).toHaveLength(1)
  expect(hub.log.filter(({ at }) => at === 'cdn').map(({ status }) => status)).toEqual([200])
})

test('what is not there is absent, and no error of ours', async () => {
  const upstream = await opened()
  expect(await upstream.headManifest('app', 'v2')).toBeUndefined()
  expect(await upstream.headBlob('app', digest('nowhere') as Digest)).toBeUndefined()
  await expect(upstream.getManifest('app', 'v2')).rejects.toMatchObject({ failure: 'absent', status: 404 })
})

test('the budget that the upstream tells of is noted', async () => {
  const upstream = await opened()
  await upstream.getManifest('app', 'v1')
  expect(limits).toEqual([{ limit: 100, remaining: 99, windowSeconds: 21_600 }])
  hub.remaining = 0
  await expect(upstream.getManifest('app', 'v1')).rejects.toMatchObject({
    failure: 'limited',
    status: 429,
    retryAfter: '60',
    message: expect.stringContaining('You have reached your pull rate limit.'),
  })
})

test('a login is checked, and a wrong one is refused in the upstream’s own words', async () => {
  const good = await opened({ accessKey: LOGIN.name, accessSecret: LOGIN.password })
  await good.ping()
  const bad = await opened({ accessKey: LOGIN.name, accessSecret: 'guessed' })
  await expect(bad.ping()).rejects.toMatchObject({
    failure: 'denied',
    status: 401,
    message: expect.stringMatching(/^the token service .* answered 401: incorrect username or password$/),
  })
})

test('a token that ends in the middle is fetched anew', async () => {
  const upstream = await opened()
  await upstream.getManifest('app', 'v1')
  hub.expireTokens()
  expect(await read(await upstream.getBlob('app', layer(), LIMIT))).toBe('layer of the app')
  expect(hub.log.filter(({ at }) => at === 'token')).toHaveLength(2)
})

test('many requests at once share one token', async () => {
  const upstream = await opened()
  await Promise.all(Array.from({ length: 20 }, () => upstream.headManifest('app', 'v1')))
  expect(hub.log.filter(({ at }) => at === 'token').length).toBeLessThanOrEqual(2)
})

test.each(['altered', 'short', 'cut', 'endless'] as const)('a blob that is %s is no blob', async (kind) => {
  const upstream = await opened()
  const mend = hub.break(/\/blobs\//, { kind })
  const reading = upstream.getBlob('app', layer(), LIMIT).then(read)
  await expect(reading).rejects.toMatchObject({ failure: expect.stringMatching(/^(lying|broken)$/) })
  mend()
})

test.each(['altered', 'short', 'endless'] as const)('a manifest that is %s is no manifest', async (kind) => {
  const upstream = await opened()
  const mend = hub.break(/\/manifests\//, { kind })
  for (const reference of ['v1', image.digest])
    await expect(upstream.getManifest('app', reference)).rejects.toMatchObject({
      failure: expect.stringMatching(/^(lying|broken)$/),
    })
  mend()
})

test('silence, an HTML page and a 500 say what they are', async () => {
  const upstream = await opened({ idleMs: 1000 })
  const html = { kind: 'status', status: 502, body: '<html><h1>Bad gateway</h1></html>' } as const
  let mend = hub.break(/./, html)
  await expect(upstream.headManifest('app', 'v1')).rejects.toMatchObject({ failure: 'failed', status: 502 })
  mend()
  mend = hub.break(/./, { kind: 'status', status: 500 })
  await expect(upstream.getManifest('app', 'v1')).rejects.toThrow(
    /^127\.0\.0\.1:\d+ answered 500: broken on purpose: 500$/,
  )
  mend()
})

test('a redirect to a metadata service is not followed', async () => {
  const upstream = await opened()
  const mend = hub.break(/\/blobs\//, { kind: 'redirect', location: 'http://169.254.169.254/latest' })
  await expect(upstream.getBlob('app', layer(), LIMIT)).rejects.toMatchObject({ failure: 'forbidden' })
  mend()
})

test('lists are read page by page, in the upstream’s order', async () => {
  for (const tag of ['a', 'b', 'c']) await pushImage(origin, 'lab/tags', tag)
  const upstream = await openTestUpstream(server.url)
  const tags: string[] = []
  for await (const page of upstreamTags(upstream, 'lab/tags')) tags.push(...page)
  expect(tags).toEqual(['a', 'b', 'c'])
  const names: string[] = []
  for await (const page of upstreamCatalog(upstream)) names.push(...page)
  expect(names).toEqual(['lab/tags', 'library/app'])
})

test('referrers come by the API', async () => {
  const { digest: signature } = await pushImage(origin, 'library/app', '', { subject: image.digest })
  const upstream = await opened()
  const bytes = await upstream.getReferrers('app', image.digest as Digest)
  const { manifests } = JSON.parse(bytes!.toString())
  expect(manifests.map((each: { digest: string }) => each.digest)).toEqual([signature])
})

test('blobs go there whole, in chunks, or by a mount; a manifest follows and can be deleted', async () => {
  const upstream = await openTestUpstream(server.url)
  const bytes = randomBytes(300_000)
  const content = {
    digest: digest(bytes) as Digest,
    sizeBytes: bytes.length,
    async *open(from: number) {
      yield bytes.subarray(from)
    },
  }
  const whole = await beginUpload(upstream, 'lab/whole', content.digest)
  await uploadWhole(upstream, 'lab/whole', whole!, content)
  expect(await upstream.headBlob('lab/whole', content.digest)).toEqual({ sizeBytes: bytes.length })

  let progress = (await beginUpload(upstream, 'lab/chunks', content.digest))!
  progress = await uploadChunk(upstream, 'lab/chunks', progress, bytes.subarray(0, 100_000))
  progress = (await uploadStatus(upstream, 'lab/chunks', progress))!
  expect(progress.offset).toBe(100_000)
  progress = await uploadChunk(upstream, 'lab/chunks', progress, bytes.subarray(100_000))
  await finishUpload(upstream, 'lab/chunks', progress, content.digest)
  expect(await upstream.headBlob('lab/chunks', content.digest)).toEqual({ sizeBytes: bytes.length })

  expect(await beginUpload(upstream, 'lab/mounted', content.digest, 'lab/whole')).toBeUndefined()
  const config = await pushBlob(origin, 'lab/mounted', '{}')
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: 'application/x', digest: config, size: 2 },
      layers: [{ mediaType: 'application/x', digest: content.digest, size: bytes.length }],
    }),
  )
  await pushManifest(upstream, 'lab/mounted', 'v1', { bytes: manifest, mediaType: MANIFEST })
  expect((await upstream.headManifest('lab/mounted', 'v1'))?.digest).toBe(digest(manifest))
  expect(await deleteUpstreamManifest(upstream, 'lab/mounted', 'v1')).toBe(true)
  expect(await deleteUpstreamManifest(upstream, 'lab/mounted', 'v1')).toBe(false)
})

test('an upload that somebody else ended is gone', async () => {
  const upstream: Upstream = await openTestUpstream(server.url)
  const gone = { location: `${server.url}/v2/lab/whole/blobs/uploads/nothing`, offset: 0 }
  expect(await uploadStatus(upstream, 'lab/whole', gone)).toBeUndefined()
})
