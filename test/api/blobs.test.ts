import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../support/server.ts'
import { type Client, clientOf, digest, pushBlob, pushImage } from './client.ts'

let server: Server
let http: Client
const bytes = 'The quick brown fox jumps over the lazy dog'
const path = `/v2/lab/blobs/blobs/${digest(bytes)}`
beforeAll(async () => {
  server = await startServer()
  http = clientOf(server.url)
  await pushBlob(http, 'lab/blobs', bytes)
})
afterAll(() => server.stop())

const range = (header: string, more: Record<string, string> = {}) =>
  http('GET', path, { headers: { range: header, ...more } })

test('a blob is served whole with its digest, length and entity tag', async () => {
  const got = await http('GET', path)
  expect(got.body.toString()).toBe(bytes)
  expect(got.headers['docker-content-digest']).toBe(digest(bytes))
  expect(got.headers.etag).toBe(`"${digest(bytes)}"`)
  expect((await http('HEAD', path)).headers['content-length']).toBe(String(bytes.length))
})

test('ranges are served as 206 with what they cover', async () => {
  for (const [header, part] of [
    ['bytes=4-8', bytes.slice(4, 9)],
    ['bytes=40-', bytes.slice(40)],
    ['bytes=-3', bytes.slice(-3)],
    ['bytes=40-999999999999', bytes.slice(40)],
  ] as const) {
    const got = await range(header)
    expect([got.status, got.body.toString()]).toEqual([206, part])
    expect(got.headers['content-range']).toMatch(/^bytes \d+-\d+\/43$/)
  }
})

test('a range outside the blob answers 416 with the size', async () => {
  for (const header of ['bytes=43-', 'bytes=999999999999-', 'bytes=-0']) {
    const got = await range(header)
    expect([got.status, got.headers['content-range']]).toEqual([416, 'bytes */43'])
  }
})

test('a range that is no range is ignored', async () => {
  for (const header of ['bytes=', 'bytes=a-b', 'pages=1-2', 'bytes=0-1,3-4', 'bytes=99999999999999999999-'])
    expect((await range(header)).status).toBe(200)
})

test('If-Range with another entity tag gets the whole blob, If-None-Match with this one gets 304', async () => {
  expect((await range('bytes=0-1', { 'if-range': '"other"' })).status).toBe(200)
  expect((await range('bytes=0-1', { 'if-range': `"${digest(bytes)}"` })).status).toBe(206)
  expect((await http('GET', path, { headers: { 'if-none-match': `W/"${digest(bytes)}"` } })).status).toBe(304)
})

test('a blob of no bytes can be pushed and pulled', async () => {
  const empty = await pushBlob(http, 'lab/empty', '')
  const got = await http('GET', `/v2/lab/empty/blobs/${empty}`)
  expect([got.status, got.headers['content-length']]).toEqual([200, '0'])
})

test('a blob of another repository is unknown here', async () => {
  await pushBlob(http, 'lab/other', 'x')
  const answer = await http('GET', `/v2/lab/other/blobs/${digest(bytes)}`)
  expect([answer.status, answer.code]).toEqual([404, 'BLOB_UNKNOWN'])
})

test('a blob that a manifest uses is not deleted, and the answer names the manifest', async () => {
  const image = await pushImage(http, 'lab/used', 'v1')
  const refused = await http('DELETE', `/v2/lab/used/blobs/${image.layer}`)
  expect([refused.status, refused.code]).toEqual([405, 'UNSUPPORTED'])
  expect(refused.message).toContain(image.digest)
  await http('DELETE', `/v2/lab/used/manifests/${image.digest}`)
  expect((await http('DELETE', `/v2/lab/used/blobs/${image.layer}`)).status).toBe(202)
  expect((await http('HEAD', `/v2/lab/used/blobs/${image.layer}`)).status).toBe(404)
})

test('a mount makes a blob available without its bytes, and a miss starts an upload', async () => {
  const large = await pushBlob(http, 'lab/source', Buffer.alloc(100_000, 'mount'))
  const hit = await http('POST', `/v2/lab/target/blobs/uploads/?mount=${large}&from=lab/source`)
  expect([hit.status, hit.headers.location]).toEqual([201, `/v2/lab/target/blobs/${large}`])
  expect((await http('GET', `/v2/lab/target/blobs/${large}`)).body).toHaveLength(100_000)
  for (const from of ['&from=lab/nowhere', '&from=../etc', '', '&from=lab/blobs'])
    expect(
      (await http('POST', `/v2/lab/target/blobs/uploads/?mount=${digest('unknown')}${from}`)).status,
    ).toBe(202)
})
