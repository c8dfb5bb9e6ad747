import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../support/server.ts'
import { type Client, clientOf, digest, startUpload } from './client.ts'

let server: Server
let http: Client
beforeAll(async () => {
  server = await startServer()
  http = clientOf(server.url)
})
afterAll(() => server.stop())

/** Sends bytes as they are. @returns everything that comes back until the connection ends */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect(server.port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (chunk) => {
      received += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(received))
  })
}

const NAMES = [
  '..',
  'lab/..',
  'lab/../x',
  'lab/%2e%2e/x',
  'lab%2Fx',
  'lab/%2F',
  'lab/x%00',
  'lab/UPPER',
  'lab//x',
  '-lab/x',
  'lab/x-',
  'lab/x..y',
  'lab/x___y',
  'lab/%C3%A9',
  'lab/%zz',
  'lab/x%20y',
  'lab\\x',
  `lab/${'x'.repeat(10_000)}`,
  'lab/%252e%252e',
]
for (const name of NAMES)
  test(`the repository name ${name.slice(0, 30)} is refused with 400 or 404, never with 500`, async () => {
    for (const [method, path] of [
      ['GET', `/v2/${name}/manifests/v1`],
      ['PUT', `/v2/${name}/manifests/v1`],
      ['POST', `/v2/${name}/blobs/uploads/`],
      ['GET', `/v2/${name}/tags/list`],
    ] as const) {
      const answer = await http(method, path, method === 'PUT' ? { body: '{}' } : {})
      expect([400, 404]).toContain(answer.status)
      expect(answer.code).toBeTruthy()
    }
  })

test('a tag that breaks the grammar is refused when pushed and unknown when pulled', async () => {
  for (const tag of ['.hidden', '-x', 'x'.repeat(129), 'a%20b', 'é']) {
    const put = await http('PUT', `/v2/lab/x/manifests/${encodeURI(decodeURI(tag))}`, { body: '{}' })
    expect([put.status, put.code]).toEqual([400, 'TAG_INVALID'])
    expect((await http('GET', `/v2/lab/x/manifests/${encodeURI(decodeURI(tag))}`)).status).toBe(404)
  }
})

test('unknown paths and methods answer 404 and 405 in the error format', async () => {
  for (const path of ['/v2/x', '/v2/lab/x/nothing/here', '/v2/lab/x/manifests', '/v3/', '/etc/passwd'])
    expect((await http('GET', path)).code).toBe('NOT_FOUND')
  const answer = await http('POST', '/v2/lab/x/manifests/v1')
  expect([answer.status, answer.code]).toEqual([405, 'UNSUPPORTED'])
  expect(answer.headers.allow).toBe('GET, HEAD, PUT, DELETE')
})

test('headers larger than the limit answer 431 in the error format', async () => {
  const answer = await raw(`GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(40_000)}\r\n\r\n`)
  expect(answer).toContain('HTTP/1.1 431')
  expect(JSON.parse(answer.slice(answer.indexOf('{'))).errors[0].code).toBe('REQUEST_INVALID')
})

test('what is no HTTP answers 400 and the server goes on', async () => {
  expect(await raw('\x16\x03\x01 hello\r\n\r\n')).toContain('HTTP/1.1 400')
  expect((await http('GET', '/v2/')).status).toBe(200)
})

test('a body cut short is not stored', async () => {
  const location = await startUpload(http, 'lab/cut')
  const path = `${location}?digest=${digest('abc')}`
  await new Promise<void>((resolve) => {
    const socket = connect(server.port, '127.0.0.1', () => {
      socket.write(`PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc`)
      socket.end()
    })
    socket.on('close', () => resolve())
    socket.resume()
  })
  expect((await http('HEAD', `/v2/lab/cut/blobs/${digest('abc')}`)).status).toBe(404)
})

test('requests that arrive byte by byte are served', async () => {
  const socket = connect(server.port, '127.0.0.1')
  const answered = new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(String(chunk))))
  for (const byte of 'GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n') {
    socket.write(byte)
    await new Promise(setImmediate)
  }
  expect(await answered).toContain('HTTP/1.1 200')
  socket.destroy()
})

test('no answer carries a stack trace, and every error has the JSON shape of the specification', async () => {
  for (const path of [
    '/v2/lab/x/blobs/sha256:1',
    '/v2/lab/x/manifests/sha256:1',
    '/v2/lab/%ff/tags/list',
    '/v2/_catalog?n=x',
  ]) {
    const answer = await http('GET', path)
    const { errors } = JSON.parse(answer.body.toString())
    expect(Object.keys(errors[0]).filter((key) => !['code', 'message', 'detail'].includes(key))).toEqual([])
    expect(answer.body.toString()).not.toMatch(/at .*\.ts|node:internal/)
  }
})
