// The twin is no kinder than AWS: each limit is felt, and no longer felt when it is switched off.
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Behaviour } from './distribution.ts'
import { startEdge } from './edge.ts'
import { startGateway } from './gateway.ts'
import { LIMITS, type Limit, without } from './limits.ts'
import { collect, type OriginAnswer, type OriginRequest, passOn } from './origin.ts'
import { sharedTwin } from './shared.ts'
import type { Twin } from './twin.ts'

let twin: Twin
const closing: (() => unknown)[] = []
beforeAll(async () => {
  twin = await sharedTwin()
}, 240_000)
afterAll(async () => {
  for (const close of closing) await close()
})

async function stub(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const asked = (request: Partial<OriginRequest>): OriginRequest => ({
  method: 'GET',
  target: '/',
  headers: {},
  body: undefined,
  ...request,
})
const textOf = async ({ body }: OriginAnswer) => (await collect(body))!.toString()

async function throughGateway(
  listener: RequestListener,
  request: Partial<OriginRequest>,
  waitMs?: number,
): Promise<OriginAnswer> {
  return startGateway(await stub(listener), 'api', waitMs).origin(asked(request))
}

/** Through an edge of one behaviour, with these functions. */
async function throughEdge(
  functions: Record<string, string>,
  listener: RequestListener,
  ask: (url: string) => Promise<Response>,
): Promise<Response> {
  const url = await stub(listener)
  const behaviour: Behaviour = {
    TargetOriginId: 'stub',
    ViewerProtocolPolicy: 'https-only',
    AllowedMethods: ['GET', 'HEAD', 'PUT'],
    FunctionAssociations: Object.keys(functions).map((id) => ({
      EventType: id,
      FunctionARN: { 'Fn::GetAtt': [id, 'FunctionARN'] as [string, string] },
    })),
  }
  const edge = await startEdge({
    edge: {
      distribution: { Origins: [], DefaultCacheBehavior: behaviour, CacheBehaviors: [] },
      functions,
    },
    origins: { stub: (request) => passOn(url, request) },
    originHeaders: {},
    readKey: async () => '',
    tls: twin.certificates,
  })
  try {
    return await ask(`https://127.0.0.1:${edge.port}`)
  } finally {
    await edge.close()
  }
}

const put = (key: string, bytes: Buffer, headers: Record<string, string> = {}) =>
  twin.blobs(
    asked({
      method: 'PUT',
      target: `/${key}`,
      headers: {
        'content-length': String(bytes.length),
        'x-amz-content-sha256': createHash('sha256').update(bytes).digest('hex'),
        ...headers,
      },
      body: Readable.from([bytes]),
    }),
  )

const echo: RequestListener = (_, outgoing) => outgoing.end('{}')
const megabytes = (count: number) => Readable.from([Buffer.alloc(count * 2 ** 20)])

/** Whether something happened that only the limit explains. */
const FELT: Record<Limit, () => Promise<boolean>> = {
  'gateway-body': async () =>
    (await textOf(await throughGateway(echo, { method: 'PUT', body: megabytes(11) }))).includes('Entity'),
  'gateway-headers': async () =>
    (await throughGateway(echo, { headers: { 'x-pad': 'x'.repeat(11_000) } })).status === 431,
  'gateway-time': async () =>
    (await throughGateway((_, outgoing) => void setTimeout(() => outgoing.end(), 400), {}, 100)).status ===
    503,
  'function-event': async () =>
    (await throughGateway(echo, { method: 'PUT', body: megabytes(5) })).status === 413,
  'function-answer': async () =>
    (await throughGateway((_, outgoing) => outgoing.end(Buffer.alloc(5 * 2 ** 20)), {})).status === 500,
  challenge: async () =>
    (
      await throughGateway((_, outgoing) => {
        outgoing.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
      }, {})
    ).headers['www-authenticate'] === undefined,
  'head-length': async () =>
    (
      await throughGateway(
        (_, outgoing) => outgoing.writeHead(200, { 'content-length': '99', 'x-twin-length': '7' }).end(),
        { method: 'HEAD' },
      )
    ).headers['content-length'] === '7',
  'edge-errors': async () =>
    (
      await throughEdge(
        { 'viewer-response': 'function handler(e) { e.response.statusCode = 299; return e.response }' },
        (_, outgoing) => outgoing.writeHead(404).end(),
        (url) => fetch(url),
      )
    ).status === 404,
  'edge-query': async () =>
    (await (
      await throughEdge(
        {
          'viewer-request':
            'function handler(e) { return { statusCode: 200, headers: {}, body: e.request.querystring.a.value } }',
        },
        echo,
        (url) => fetch(`${url}/?a=sha256%3Aab`),
      )
    ).text()) === 'sha256%3Aab',
  'edge-read-only': async () =>
    (
      await throughEdge(
        {
          'viewer-request':
            'function handler(e) { e.request.headers.host = { value: "other" }; return e.request }',
        },
        echo,
        (url) => fetch(url),
      )
    ).status === 502,
  'error-cache': async () => {
    let answered = 0
    await throughEdge(
      {},
      (_, outgoing) => {
        answered += 1
        outgoing.writeHead(404).end()
      },
      async (url) => {
        await (await fetch(url)).text()
        return fetch(url)
      },
    )
    return answered === 1
  },
  'unsigned-headers': async () =>
    (await textOf(await put('b/limits/1', randomBytes(10), { 'x-amz-meta-note': 'x' }))).includes(
      'not signed',
    ),
  'payload-hash': async () =>
    (await put('b/limits/2', randomBytes(10), { 'x-amz-content-sha256': 'ab'.repeat(32) })).status === 400,
  'bucket-policy': async () => (await put('elsewhere/3', randomBytes(10))).status === 403,
}

for (const [limit, what] of Object.entries(LIMITS) as [Limit, string][])
  test(`${what}: so it is in the twin, and no longer without ${limit}`, async () => {
    const felt = FELT[limit]
    expect(await felt()).toBe(true)
    expect(await without(limit, felt)).toBe(false)
  })
