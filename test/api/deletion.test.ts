import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../support/server.ts'
import { type Client, clientOf, digest, INDEX, indexOf, MANIFEST, pushImage } from './client.ts'

let server: Server
let http: Client
beforeAll(async () => {
  server = await startServer()
  http = clientOf(server.url)
})
afterAll(() => server.stop())

test('deleting a tag leaves the manifest and the other tags', async () => {
  const image = await pushImage(http, 'lab/tag', 'v1')
  await http('PUT', '/v2/lab/tag/manifests/v2', { headers: { 'content-type': MANIFEST }, body: image.bytes })
  expect((await http('DELETE', '/v2/lab/tag/manifests/v1')).status).toBe(202)
  expect((await http('GET', '/v2/lab/tag/manifests/v1')).code).toBe('MANIFEST_UNKNOWN')
  expect((await http('GET', '/v2/lab/tag/manifests/v2')).status).toBe(200)
  expect((await http('GET', `/v2/lab/tag/manifests/${image.digest}`)).status).toBe(200)
  expect((await http('DELETE', '/v2/lab/tag/manifests/v1')).status).toBe(404)
})

test('deleting a manifest takes all its tags along, however many', async () => {
  const image = await pushImage(http, 'lab/many', '')
  for (let start = 0; start < 45; start += 15) {
    const tags = Array.from({ length: 15 }, (_, index) => `tag=t${start + index}`).join('&')
    await http('PUT', `/v2/lab/many/manifests/${image.digest}?${tags}`, {
      headers: { 'content-type': MANIFEST },
      body: image.bytes,
    })
  }
  expect(JSON.parse((await http('GET', '/v2/lab/many/tags/list')).body.toString()).tags).toHaveLength(45)
  expect((await http('DELETE', `/v2/lab/many/manifests/${image.digest}`)).status).toBe(202)
  expect(JSON.parse((await http('GET', '/v2/lab/many/tags/list')).body.toString()).tags).toEqual([])
  expect((await http('GET', '/v2/lab/many/manifests/t7')).status).toBe(404)
})

test('a manifest that an index holds is not deleted, and the answer names the index', async () => {
  const image = await pushImage(http, 'lab/child', '')
  const index = indexOf([{ digest: image.digest, size: image.bytes.length }])
  await http('PUT', '/v2/lab/child/manifests/all', { headers: { 'content-type': INDEX }, body: index })
  const refused = await http('DELETE', `/v2/lab/child/manifests/${image.digest}`)
  expect([refused.status, refused.code]).toEqual([412, 'DENIED'])
  expect(refused.message).toContain(digest(index))
  expect((await http('DELETE', `/v2/lab/child/manifests/${digest(index)}`)).status).toBe(202)
  expect((await http('DELETE', `/v2/lab/child/manifests/${image.digest}`)).status).toBe(202)
})

test('a manifest deleted and pushed again while others delete it is either there with all its parts or absent', async () => {
  const image = await pushImage(http, 'lab/race', 'v1')
  const push = () =>
    http('PUT', '/v2/lab/race/manifests/v1', { headers: { 'content-type': MANIFEST }, body: image.bytes })
  const remove = () => http('DELETE', `/v2/lab/race/manifests/${image.digest}`)
  for (let round = 0; round < 15; round++) {
    const answers = await Promise.all([push(), remove(), push(), remove(), push()])
    for (const { status, body } of answers) expect([201, 202, 404], body.toString()).toContain(status)
  }
  expect((await push()).status).toBe(201)
  expect((await http('GET', '/v2/lab/race/manifests/v1')).body.toString()).toBe(image.bytes)
  expect((await http('HEAD', `/v2/lab/race/blobs/${image.layer}`)).status).toBe(200)
})

test('deleting what is not there answers 404 with what was not found', async () => {
  await pushImage(http, 'lab/known', 'v1')
  expect((await http('DELETE', `/v2/lab/known/manifests/${digest('x')}`)).code).toBe('MANIFEST_UNKNOWN')
  expect((await http('DELETE', `/v2/lab/known/blobs/${digest('x')}`)).code).toBe('BLOB_UNKNOWN')
  expect((await http('DELETE', `/v2/lab/unknown/manifests/${digest('x')}`)).code).toBe('NAME_UNKNOWN')
})
