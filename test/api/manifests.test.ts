import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../support/server.ts'
import { type Client, clientOf, digest, INDEX, indexOf, MANIFEST, pushBlob, pushImage } from './client.ts'

let server: Server
let http: Client
beforeAll(async () => {
  server = await startServer()
  http = clientOf(server.url)
})
afterAll(() => server.stop())

const put = (path: string, body: string, type = MANIFEST) =>
  http('PUT', `/v2/${path}`, { headers: { 'content-type': type }, body })

test('a manifest comes back byte for byte, by tag and by digest, with HEAD telling the true length', async () => {
  const image = await pushImage(http, 'lab/app', 'v1')
  for (const reference of ['v1', image.digest]) {
    const got = await http('GET', `/v2/lab/app/manifests/${reference}`)
    expect(got.body.toString()).toBe(image.bytes)
    expect(got.headers['docker-content-digest']).toBe(image.digest)
    expect(got.headers['content-type']).toBe(MANIFEST)
    const head = await http('HEAD', `/v2/lab/app/manifests/${reference}`)
    expect(head.headers['content-length']).toBe(String(image.bytes.length))
    expect(head.body).toHaveLength(0)
  }
})

test('white space and key order of a manifest are kept', async () => {
  const config = await pushBlob(http, 'lab/verbatim', '{}')
  const bytes = ` {\n  "config": {"size": 2, "digest": "${config}", "mediaType": "application/x"},\n"layers":[ ],"schemaVersion":2 }\n`
  expect((await put('lab/verbatim/manifests/v1', bytes)).status).toBe(201)
  expect((await http('GET', '/v2/lab/verbatim/manifests/v1')).body.toString()).toBe(bytes)
})

test('If-None-Match with the digest answers 304 without a body', async () => {
  const image = await pushImage(http, 'lab/etag', 'v1')
  const got = await http('GET', '/v2/lab/etag/manifests/v1', {
    headers: { 'if-none-match': `"${image.digest}"` },
  })
  expect(got.status).toBe(304)
  expect(got.body).toHaveLength(0)
})

test('a manifest whose blobs are missing is refused, naming every digest', async () => {
  const missing = [digest('never one'), digest('never two')]
  const body = JSON.stringify({
    schemaVersion: 2,
    config: { mediaType: 'application/x', digest: missing[0], size: 9 },
    layers: [{ mediaType: 'application/x', digest: missing[1], size: 9 }],
  })
  const answer = await put('lab/missing/manifests/v1', body)
  expect([answer.status, answer.code]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN'])
  for (const each of missing) expect(answer.message).toContain(each)
  expect((await http('GET', '/v2/lab/missing/manifests/v1')).status).toBe(404)
})

test('a foreign layer need not be there', async () => {
  const config = await pushBlob(http, 'lab/foreign', '{}')
  const mediaType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
  const body = JSON.stringify({
    schemaVersion: 2,
    config: { mediaType: 'application/x', digest: config, size: 2 },
    layers: [{ mediaType, digest: digest('elsewhere'), size: 9, urls: ['https://example.com/x'] }],
  })
  expect((await put('lab/foreign/manifests/v1', body)).status).toBe(201)
})

test('a descriptor that tells a wrong size is refused', async () => {
  const config = await pushBlob(http, 'lab/size', '{}')
  const body = JSON.stringify({
    schemaVersion: 2,
    config: { mediaType: 'application/x', digest: config, size: 3 },
    layers: [],
  })
  const answer = await put('lab/size/manifests/v1', body)
  expect([answer.status, answer.code]).toEqual([400, 'SIZE_INVALID'])
})

test('an index needs its manifests, may lack a mediaType, and is served with its own type', async () => {
  const image = await pushImage(http, 'lab/index', 'v1')
  const child = { mediaType: MANIFEST, digest: image.digest, size: image.bytes.length }
  const bare = JSON.stringify({ schemaVersion: 2, manifests: [child] })
  expect((await put('lab/index/manifests/all', bare, INDEX)).status).toBe(201)
  expect((await http('GET', '/v2/lab/index/manifests/all')).headers['content-type']).toBe(INDEX)
  const other = indexOf([{ digest: digest('no such manifest'), size: 5 }])
  const refused = await put('lab/index/manifests/bad', other, INDEX)
  expect([refused.status, refused.code]).toEqual([404, 'MANIFEST_BLOB_UNKNOWN'])
})

test('an index of 10,000 manifests that are not there is refused within the request', async () => {
  const many = Array.from({ length: 10_000 }, (_, number) => ({ digest: digest(String(number)), size: 5 }))
  const answer = await put('lab/many/manifests/v1', indexOf(many), INDEX)
  expect(answer.code).toBe('MANIFEST_BLOB_UNKNOWN')
})

test('manifests of up to 4 MiB are kept verbatim and larger ones refused with 413', async () => {
  const config = await pushBlob(http, 'lab/large', '{}')
  const manifest = (padding: number) =>
    JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: 'application/x', digest: config, size: 2 },
      layers: [],
      annotations: { padding: 'x'.repeat(padding) },
    })
  const room = 4 * 1024 * 1024 - manifest(0).length
  expect((await put('lab/large/manifests/v1', manifest(room))).status).toBe(201)
  expect((await http('GET', '/v2/lab/large/manifests/v1')).body).toHaveLength(4 * 1024 * 1024)
  const refused = await put('lab/large/manifests/v2', manifest(room + 1))
  expect([refused.status, refused.code]).toEqual([413, 'MANIFEST_INVALID'])
})

test('a push by sha512 digest is stored and served under it', async () => {
  const config = await pushBlob(http, 'lab/sha512', '{}', 'sha512')
  const bytes = JSON.stringify({
    schemaVersion: 2,
    config: { mediaType: 'application/x', digest: config, size: 2 },
    layers: [],
  })
  const wanted = digest(bytes, 'sha512')
  expect((await put(`lab/sha512/manifests/${wanted}`, bytes)).headers['docker-content-digest']).toBe(wanted)
  expect((await http('GET', `/v2/lab/sha512/manifests/${wanted}`)).body.toString()).toBe(bytes)
})

test('a push by a digest the bytes do not have is refused', async () => {
  const answer = await put(`lab/app/manifests/${digest('other')}`, '{}')
  expect([answer.status, answer.code]).toEqual([400, 'DIGEST_INVALID'])
})

test('tags given with a push by digest are all set and named in OCI-Tag', async () => {
  const image = await pushImage(http, 'lab/tagged', '')
  const answer = await put(`lab/tagged/manifests/${image.digest}?tag=1&tag=1.2&tag=latest`, image.bytes)
  expect(answer.headers['oci-tag']).toBe('1, 1.2, latest')
  for (const tag of ['1', '1.2', 'latest'])
    expect((await http('HEAD', `/v2/lab/tagged/manifests/${tag}`)).headers['docker-content-digest']).toBe(
      image.digest,
    )
})

for (const [what, body] of [
  ['that is no JSON', '{"schemaVersion":2,'],
  ['that is an array', '[]'],
  ['with a key twice', '{"schemaVersion":2,"layers":[],"layers":[]}'],
  ['with a key twice, once escaped', '{"schemaVersion":2,"layers":[],"l\\u0061yers":[]}'],
  ['nested a thousand levels deep', `{"schemaVersion":2,"x":${'['.repeat(1000)}${']'.repeat(1000)}}`],
  ['without a config', '{"schemaVersion":2,"layers":[]}'],
  ['of another schema version', '{"schemaVersion":1,"config":{},"layers":[]}'],
] as const)
  test(`a manifest ${what} is refused as invalid`, async () => {
    const answer = await put('lab/bad/manifests/v1', body)
    expect([answer.status, answer.code]).toEqual([400, 'MANIFEST_INVALID'])
  })

test('a Content-Type that contradicts the manifest is refused', async () => {
  const answer = await put(
    'lab/bad/manifests/v1',
    JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [] }),
  )
  expect([answer.status, answer.code]).toEqual([400, 'MANIFEST_INVALID'])
})
