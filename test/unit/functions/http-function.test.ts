// The HTTP core behind API Gateway: events of payload 2.0 in, results out.
import { createHash } from 'node:crypto'
import middy from '@middy/core'
import fc from 'fast-check'
import { beforeAll, expect, test, vi } from 'vitest'
import { newSecrets, Secrets } from '../../../lib/access/secret-keys.ts'
import { ensureAdmin } from '../../../lib/access/users.ts'
import { type HttpFunction, httpFunction } from '../../../lib/functions/http-function.ts'
import { requestLog } from '../../../lib/functions/request-log.ts'
import type { GatewayEvent, GatewayResult } from '../../../lib/http/gateway.ts'
import { testRegistry } from '../../domain/registry.ts'

const ORIGIN = 'secret-of-the-edge'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const BASIC = `Basic ${Buffer.from('admin:Harbour-12345').toString('base64')}`

let answer: HttpFunction
const lines: string[] = []

beforeAll(async () => {
  vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(String(line)))
  const registry = await testRegistry()
  registry.clock.now = Date.now()
  await ensureAdmin(registry, 'Harbour-12345')
  const secrets = new Secrets({ ...(await newSecrets()), origin: ORIGIN }, registry.clock)
  const core = httpFunction(registry, secrets, true)
  const handler = middy<GatewayEvent, GatewayResult>().use(requestLog()).handler(core)
  answer = (event) => handler(event, {} as never) as Promise<GatewayResult>
})

interface Asked {
  query?: string
  headers?: Record<string, string>
  body?: string | Buffer
}

function event(method: string, path: string, { query = '', headers = {}, body }: Asked = {}): GatewayEvent {
  return {
    rawPath: path,
    rawQueryString: query,
    headers: {
      host: 'abc.execute-api.eu-central-1.amazonaws.com',
      'x-entrepot-origin': ORIGIN,
      'x-entrepot-host': 'registry.example',
      'x-entrepot-request': 'edge-1',
      authorization: BASIC,
      ...headers,
    },
    requestContext: { requestId: 'gateway-1', http: { method, sourceIp: '192.0.2.1' } },
    // As API Gateway does: text as it is, everything else in base64.
    ...(body === undefined
      ? {}
      : typeof body === 'string'
        ? { body, isBase64Encoded: false }
        : { body: body.toString('base64'), isBase64Encoded: true }),
  }
}

const bytesOf = ({ body, isBase64Encoded }: GatewayResult) =>
  Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')
const errorOf = (result: GatewayResult) => JSON.parse(bytesOf(result).toString()).errors[0]
const sha256 = (bytes: Buffer | string) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** A blob of a few bytes in one POST, and a manifest of it. */
async function pushImage(config: Buffer, tag: string): Promise<string> {
  const headers = { 'content-type': 'application/octet-stream', 'content-length': String(config.length) }
  const posted = await answer(
    event('POST', '/v2/library/a/blobs/uploads/', {
      query: `digest=${sha256(config)}`,
      headers,
      body: config,
    }),
  )
  expect(posted.statusCode).toBe(201)
  const descriptor = { mediaType: 'application/x', digest: sha256(config), size: config.length }
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: descriptor, layers: [] })
  const put = await answer(
    event('PUT', `/v2/library/a/manifests/${tag}`, {
      headers: { 'content-type': MANIFEST },
      body: Buffer.from(manifest),
    }),
  )
  expect(put.statusCode).toBe(201)
  return manifest
}

test('bodies in base64 and in text arrive byte by byte, and answers leave so', async () => {
  const manifest = await pushImage(Buffer.from([0, 255, 128, 10, 13]), 'bytes')
  const read = await answer(event('GET', '/v2/library/a/manifests/bytes', { headers: { accept: MANIFEST } }))
  expect(read.statusCode).toBe(200)
  expect(bytesOf(read).toString()).toBe(manifest)
  const text = await answer(
    event('PUT', '/v2/library/a/manifests/text', { headers: { 'content-type': MANIFEST }, body: manifest }),
  )
  expect(text.statusCode).toBe(201)
  expect(text.headers['Docker-Content-Digest']).toBe(sha256(manifest))
})

test('the answer to HEAD of a manifest carries its body, from which the gateway tells the length', async () => {
  const manifest = await pushImage(Buffer.from('head'), 'head')
  const head = await answer(event('HEAD', '/v2/library/a/manifests/head', { headers: { accept: MANIFEST } }))
  expect(head.statusCode).toBe(200)
  expect(bytesOf(head).toString()).toBe(manifest)
})

test('a digest whose colon the client encoded is found, whether or not the gateway decodes paths', async () => {
  const config = Buffer.from('encoded')
  await pushImage(config, 'encoded')
  for (const digest of [sha256(config), sha256(config).replace(':', '%3A')])
    expect((await answer(event('HEAD', `/v2/library/a/blobs/${digest}`))).statusCode).toBe(200)
})

test('the host is the one the edge names, and the request id too', async () => {
  const result = await answer(event('GET', '/v2/', { headers: { authorization: 'Bearer nonsense' } }))
  expect(result.statusCode).toBe(401)
  expect(result.headers['WWW-Authenticate']).toContain('realm="https://registry.example/service/token"')
  expect(result.headers['X-Request-Id']).toBe('edge-1')
})

test('a request around the edge is refused, whatever host and address it claims', async () => {
  for (const origin of ['', 'guess', ORIGIN.slice(1), `${ORIGIN} `]) {
    const forged = { 'x-entrepot-origin': origin, 'x-entrepot-host': 'registry.example' }
    const result = await answer(event('GET', '/v2/', { headers: forged }))
    expect(result.statusCode).toBe(403)
    expect(errorOf(result).code).toBe('DENIED')
    expect(result.headers['Cache-Control']).toBe('no-store')
  }
})

test('a session token is in no log line', async () => {
  const started = await answer(event('POST', '/v2/library/a/blobs/uploads/'))
  const location = started.headers.Location!
  lines.length = 0
  await answer(event('GET', location))
  expect(lines.join('\n')).toContain('/blobs/uploads/')
  expect(lines.join('\n')).not.toContain(location.split('/').at(-1))
  expect(lines.join('\n')).not.toContain('Harbour')
})

test('each request is one line with its metrics', async () => {
  lines.length = 0
  await answer(event('GET', '/v2/library/a/tags/list', { headers: { 'user-agent': 'crane/1' } }))
  const line = JSON.parse(lines.find((each) => each.includes('_aws'))!)
  expect(line).toMatchObject({
    route: 'tags',
    requests: 1,
    errors: 0,
    status: 200,
    client: 'crane/1',
    requestId: 'edge-1',
  })
  expect(line._aws.CloudWatchMetrics[0].Dimensions).toEqual([['route']])
})

test('whatever the event, there is an answer in JSON and never an exception', async () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('/v2/', '%', '%ff', '..', '\u0000'),
  )
  const wild = fc.record(
    {
      rawPath: fc.oneof(
        text,
        text.map((each) => `/v2/${each}`),
        text.map((each) => `/service/token${each}`),
      ),
      rawQueryString: text,
      headers: fc.dictionary(
        fc.oneof(text, fc.constantFrom('content-length', 'authorization', 'range', 'accept')),
        text,
      ),
      requestContext: fc.record({
        requestId: text,
        http: fc.record({
          method: fc.oneof(text, fc.constantFrom('GET', 'PUT', 'POST', 'PATCH', 'HEAD')),
          sourceIp: text,
        }),
      }),
      body: text,
      isBase64Encoded: fc.boolean(),
    },
    { requiredKeys: ['rawPath', 'rawQueryString', 'headers', 'requestContext'] },
  )
  const property = fc.asyncProperty(wild, fc.boolean(), async (given, throughEdge) => {
    const headers = throughEdge ? { ...given.headers, 'x-entrepot-origin': ORIGIN } : given.headers
    const result = await answer({ ...given, headers } as GatewayEvent)
    expect(result.statusCode).toBeGreaterThanOrEqual(200)
    expect(result.statusCode).toBeLessThan(500)
    if (result.statusCode >= 400) expect(errorOf(result).message).not.toBe('')
  })
  await fc.assert(property, { numRuns: 2000 })
})

test('what is no event of a gateway is answered too', async () => {
  for (const given of [{}, { rawPath: '/v2/' }, { requestContext: {} }, { headers: null }])
    expect((await answer(given as never)).statusCode).toBe(500)
})

test('failed logins are counted by the address that the edge tells, whatever the gateway was asked by', async () => {
  const wrong = (address: string, sourceIp: string) => {
    const headers = { 'x-entrepot-viewer': address, authorization: 'Basic ZXZlOng=' }
    const asked = event('GET', '/v2/', { headers })
    asked.requestContext.http.sourceIp = sourceIp
    return answer(asked)
  }
  for (let at = 0; at < 10; at++) expect((await wrong('192.0.2.9', `130.176.0.${at}`)).statusCode).toBe(401)
  expect((await wrong('192.0.2.9', '130.176.0.99')).statusCode).toBe(429)
  expect((await wrong('192.0.2.10', '130.176.0.1')).statusCode).toBe(401)
})
