// The units of DynamoDB that the sheet goes by are those the registry really asks for, request by request.

import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { newSecrets, Secrets } from '../../../lib/access/secret-keys.ts'
import { ensureAdmin } from '../../../lib/access/users.ts'
import { OPERATIONS } from '../../../lib/cost/operations.ts'
import { tellAll } from '../../../lib/events/event.ts'
import { webhooks } from '../../../lib/events/notify.ts'
import { type HttpFunction, httpFunction } from '../../../lib/functions/http-function.ts'
import type { GatewayResult } from '../../../lib/http/gateway.ts'
import type { Digest } from '../../../lib/oci/digest.ts'
import { registerDirectUpload } from '../../../lib/registry/direct-uploads.ts'
import { objectKeys } from '../../../lib/registry/object-keys.ts'
import { relay } from '../../../lib/registry/relay.ts'
import { scanOnPush } from '../../../lib/scanning/on-push.ts'
import { MANIFEST, once, repositoryId, type TestRegistry, testRegistry } from '../../domain/registry.ts'
import { metered, type Units } from './meter.ts'

const PASSWORD = 'Harbour-12345'
const BASIC = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`
const BLOBS = 10
const sha256 = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest

const units: Units = { reads: 0, writes: 0 }
let registry: TestRegistry
let answer: HttpFunction
let authorization = BASIC

beforeAll(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  registry = await testRegistry({ directUploads: true })
  registry.clock.now = Date.now()
  await ensureAdmin(registry, PASSWORD)
  registry.metadata = metered(registry.metadata, units)
  answer = httpFunction(registry, new Secrets(await newSecrets(), registry.clock), false)
  await token()
  const { put } = await push(streamed)
  await put() // the repository and today's records exist from here on
})
afterAll(() => vi.restoreAllMocks())

interface Asked {
  query?: string
  body?: Buffer
  type?: string
}

async function ask(
  method: string,
  path: string,
  { query = '', body, type }: Asked = {},
): Promise<GatewayResult> {
  return answer({
    rawPath: path,
    rawQueryString: query,
    headers: {
      host: 'registry.example',
      authorization,
      ...(body ? { 'content-length': String(body.length) } : {}),
      ...(type ? { 'content-type': type } : {}),
    },
    requestContext: { requestId: 'r', http: { method, sourceIp: '192.0.2.1' } },
    ...(body ? { body: body.toString('base64'), isBase64Encoded: true } : {}),
  })
}

async function token(): Promise<void> {
  authorization = BASIC
  const query = 'service=entrepot&scope=repository:library/a:pull,push'
  const { body, isBase64Encoded } = await ask('GET', '/service/token', { query })
  const { token } = JSON.parse(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8').toString())
  authorization = `Bearer ${token}`
}

function locationOf({ headers }: GatewayResult): string {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === 'location')![1]
}

const start = () => ask('POST', '/v2/library/a/blobs/uploads/')

async function stream(blob: Buffer, location?: string): Promise<GatewayResult> {
  const at = location ?? locationOf(await start())
  const sent = await ask('PATCH', at, { body: blob, type: 'application/octet-stream' })
  return ask('PUT', locationOf(sent), { query: `digest=${sha256(blob)}` })
}

const streamed = async (blob: Buffer) => {
  await stream(blob)
}

async function push(
  upload: (blob: Buffer) => Promise<void>,
): Promise<{ blobs: Buffer[]; put(): Promise<unknown> }> {
  const blobs = Array.from({ length: BLOBS }, () => randomBytes(300))
  for (const blob of blobs) await upload(blob)
  const [config, ...layers] = blobs.map((blob) => ({
    mediaType: 'application/x',
    digest: sha256(blob),
    size: blob.length,
  }))
  const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers }))
  const put = async () => {
    const { statusCode } = await ask('PUT', '/v2/library/a/manifests/v1', { body, type: MANIFEST })
    expect(statusCode).toBe(201)
  }
  return { blobs, put }
}

async function measured(run: () => Promise<unknown>): Promise<Units> {
  const before = { ...units }
  await run()
  return { reads: units.reads - before.reads, writes: units.writes - before.writes }
}

interface Stated {
  readUnits?: number
  writeUnits?: number
}

/** Stated is no less than what was asked for, and not much more. */
function expectStated(asked: Units, stated: Stated, perBlob: Stated = {}): void {
  const total = (name: keyof Stated) => (stated[name] ?? 0) + BLOBS * (perBlob[name] ?? 0)
  for (const [found, said] of [
    [asked.reads, total('readUnits')],
    [asked.writes, total('writeUnits')],
  ] as const) {
    expect(said).toBeGreaterThanOrEqual(found)
    expect(said).toBeLessThanOrEqual(found * 1.25 + 1)
  }
}

test('a token', async () => {
  expectStated(await measured(token), OPERATIONS.token)
})

test('a blob that is missed, an upload begun, and one streamed', async () => {
  const blob = randomBytes(300)
  const missed = await measured(() => ask('HEAD', `/v2/library/a/blobs/${sha256(blob)}`))
  expectStated(missed, OPERATIONS.missingBlob)
  expectStated(await measured(start), OPERATIONS.startUpload)
  const location = locationOf(await start())
  const asked = await measured(async () => {
    expect((await stream(blob, location)).statusCode).toBe(201)
  })
  expectStated(asked, OPERATIONS.streamedUpload)
})

test('a direct upload, registered by S3’s event', async () => {
  const blob = randomBytes(300)
  const key = objectKeys.direct(await repositoryId(registry, 'library/a'), sha256(blob), 'session')
  await registry.blobs.put(key, once(blob))
  const registered = await measured(async () => {
    expect(await registerDirectUpload(registry, key)).toBe('registered')
  })
  expectStated(registered, OPERATIONS.directUpload)
})

test('an image pushed, its event relayed, and pulled by tag with its blobs', async () => {
  const { blobs, put } = await push(streamed)
  while ((await relay(registry)) > 0);
  expectStated(await measured(put), OPERATIONS.manifestPush, OPERATIONS.manifestPushBlob)
  const jobs = { registry, dispatch: async () => {} }
  const listener = tellAll([scanOnPush(jobs), webhooks(jobs)])
  const relayed = await measured(async () => {
    while ((await relay(registry, undefined, listener)) > 0);
  })
  expectStated(relayed, OPERATIONS.relay, OPERATIONS.relayBlob)
  const pulled = await measured(() => ask('GET', '/v2/library/a/manifests/v1'))
  expectStated(pulled, OPERATIONS.manifestPull)
  const blob = await measured(() => ask('GET', `/v2/library/a/blobs/${sha256(blobs[0]!)}`))
  expectStated(blob, OPERATIONS.blobPull)
})
