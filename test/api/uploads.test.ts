import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../support/server.ts'
import { type Client, clientOf, digest, pushBlob, startUpload } from './client.ts'

let server: Server
let http: Client
beforeAll(async () => {
  server = await startServer()
  http = clientOf(server.url)
})
afterAll(() => server.stop())

const chunk = (location: string, start: number, body: string) =>
  http('PATCH', location, { headers: { 'content-range': `${start}-${start + body.length - 1}` }, body })

test('chunks in order make the blob, the last one may come with the PUT', async () => {
  const first = await chunk(await startUpload(http, 'lab/chunks'), 0, 'hello ')
  expect([first.status, first.headers.range]).toEqual([202, '0-5'])
  const second = await chunk(first.headers.location!, 6, 'wide ')
  const put = await http('PUT', `${second.headers.location}?digest=${digest('hello wide world')}`, {
    headers: { 'content-range': '11-15' },
    body: 'world',
  })
  expect(put.status).toBe(201)
  expect((await http('GET', put.headers.location!)).body.toString()).toBe('hello wide world')
})

test('a chunk out of order answers 416 with the range so far, and the session goes on unharmed', async () => {
  const first = await chunk(await startUpload(http, 'lab/chunks'), 0, 'abc')
  for (const start of [1, 4, 100]) {
    const refused = await chunk(first.headers.location!, start, 'xyz')
    expect([refused.status, refused.headers.range]).toEqual([416, '0-2'])
  }
  const status = await http('GET', first.headers.location!)
  expect([status.status, status.headers.range]).toEqual([204, '0-2'])
  const last = await chunk(first.headers.location!, 3, 'def')
  expect((await http('PUT', `${last.headers.location}?digest=${digest('abcdef')}`)).status).toBe(201)
})

test('a zombie retry of a chunk that was accepted answers 416', async () => {
  const first = await chunk(await startUpload(http, 'lab/chunks'), 0, 'abc')
  expect((await chunk(first.headers.location!, 0, 'abc')).status).toBe(416)
})

test('a chunk whose length contradicts its range is refused', async () => {
  const location = await startUpload(http, 'lab/chunks')
  const answer = await http('PATCH', location, { headers: { 'content-range': '0-9' }, body: 'abc' })
  expect([answer.status, answer.code]).toEqual([400, 'SIZE_INVALID'])
  for (const header of ['x-y', '5-3', '-3', '0-99999999999999999999'])
    expect(
      (await http('PATCH', location, { headers: { 'content-range': header }, body: 'abc' })).status,
    ).toBe(400)
})

test('a wrong digest is refused, whole or chunked, and nothing is stored', async () => {
  const wrong = digest('something else')
  const whole = await http('PUT', `${await startUpload(http, 'lab/wrong')}?digest=${wrong}`, {
    body: 'content',
  })
  expect([whole.status, whole.code]).toEqual([400, 'DIGEST_INVALID'])
  expect(whole.message).toContain(digest('content'))
  const part = await chunk(await startUpload(http, 'lab/wrong'), 0, 'content')
  expect((await http('PUT', `${part.headers.location}?digest=${wrong}`)).code).toBe('DIGEST_INVALID')
  expect((await http('HEAD', `/v2/lab/wrong/blobs/${wrong}`)).status).toBe(404)
})

test('the digest must be given exactly once and be one', async () => {
  const location = await startUpload(http, 'lab/digest')
  const right = digest('x')
  for (const query of [
    '',
    '?digest=',
    '?digest=sha256:abc',
    '?digest=md5:d41d8cd98f00b204e9800998ecf8427e',
    `?digest=${right}&digest=${right}`,
    `?digest=${right.toUpperCase()}`,
  ]) {
    const answer = await http('PUT', `${location}${query}`, { body: 'x' })
    expect([answer.status, answer.code]).toEqual([400, 'DIGEST_INVALID'])
  }
  expect((await http('PUT', `${location}?digest=${encodeURIComponent(right)}`, { body: 'x' })).status).toBe(
    201,
  )
})

test('a commit whose answer was lost can be repeated, and answers 201 again', async () => {
  const location = await startUpload(http, 'lab/repeat')
  const commit = () => http('PUT', `${location}?digest=${digest('content')}`, { body: 'content' })
  expect((await commit()).status).toBe(201)
  expect((await commit()).status).toBe(201)
  const other = await http('PUT', `${location}?digest=${digest('other')}`, { body: 'other' })
  expect([other.status, other.code]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN'])
})

test('two commits of one session at the same time both answer 201, and the blob is whole', async () => {
  const part = await chunk(await startUpload(http, 'lab/twice'), 0, 'content')
  const commit = () => http('PUT', `${part.headers.location}?digest=${digest('content')}`)
  const answers = await Promise.all([commit(), commit(), commit()])
  expect(answers.map((answer) => answer.status)).toEqual([201, 201, 201])
  expect((await http('GET', `/v2/lab/twice/blobs/${digest('content')}`)).body.toString()).toBe('content')
})

test('twenty clients pushing one blob at once all succeed', async () => {
  const bytes = Buffer.alloc(300_000, 'same')
  const digests = await Promise.all(Array.from({ length: 20 }, () => pushBlob(http, 'lab/crowd', bytes)))
  expect(new Set(digests).size).toBe(1)
  expect((await http('GET', `/v2/lab/crowd/blobs/${digests[0]}`)).body.equals(bytes)).toBe(true)
})

test('a cancelled upload is gone', async () => {
  const part = await chunk(await startUpload(http, 'lab/cancel'), 0, 'abc')
  expect((await http('DELETE', part.headers.location!)).status).toBe(204)
  for (const method of ['GET', 'PATCH', 'DELETE']) {
    const answer = await http(method, part.headers.location!, method === 'PATCH' ? { body: 'x' } : {})
    expect([answer.status, answer.code]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN'])
  }
})

test('a forged, altered or foreign session is unknown', async () => {
  const location = await startUpload(http, 'lab/session')
  const altered = location.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
  for (const path of [
    altered,
    location.replace('lab/session', 'lab/else'),
    '/v2/lab/session/blobs/uploads/guess',
  ])
    expect((await http('PATCH', path, { body: 'x' })).code).toBe('BLOB_UPLOAD_UNKNOWN')
})

test('a client that goes away in the middle of a PATCH can ask for the offset and go on', async () => {
  const first = await chunk(await startUpload(http, 'lab/gone'), 0, 'abc')
  const location = first.headers.location!
  await new Promise<void>((resolve) => {
    const socket = connect(server.port, '127.0.0.1', () => {
      socket.write(`PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\npartial`, () => {
        socket.destroy()
        resolve()
      })
    })
  })
  // The broken request may still be ending: whoever comes next takes the session over.
  let next = await chunk(location, 3, 'def')
  while (next.status === 416) next = await chunk(location, 3, 'def')
  expect((await http('PUT', `${next.headers.location}?digest=${digest('abcdef')}`)).status).toBe(201)
})

test('a blob can be pushed and committed under sha512, in chunks too', async () => {
  const wanted = await pushBlob(http, 'lab/sha512', 'content', 'sha512')
  expect((await http('GET', `/v2/lab/sha512/blobs/${wanted}`)).body.toString()).toBe('content')
  const part = await chunk(await startUpload(http, 'lab/sha512'), 0, 'chunked')
  const chunked = digest('chunked', 'sha512')
  expect((await http('PUT', `${part.headers.location}?digest=${chunked}`)).status).toBe(201)
})
