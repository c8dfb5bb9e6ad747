// Five minutes of patience: who works slowly is served, who sends headers forever is not.
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientOf, digest, startUpload } from '../api/client.ts'
import { type Server, startServer } from '../support/server.ts'

let server: Server
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const PIECES = 32
const EVERY_MS = 10_000

test('an upload that takes longer than five minutes arrives whole', async () => {
  const http = clientOf(server.url)
  const bytes = Buffer.alloc(PIECES * 100, 'slow')
  const started = performance.now()
  const location = await startUpload(http, 'lab/slow')
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1')
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk
      if (received.includes('\r\n\r\n')) resolve(received)
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`closed after ${received}`)))
    void (async () => {
      socket.write(
        `PUT ${location}?digest=${digest(bytes)} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes.length}\r\n\r\n`,
      )
      for (let piece = 0; piece < PIECES; piece++) {
        socket.write(bytes.subarray(piece * 100, (piece + 1) * 100))
        if (piece < PIECES - 1) await pause(EVERY_MS)
      }
    })()
  })
  expect(answer).toContain('HTTP/1.1 201')
  expect(performance.now() - started).toBeGreaterThan(300_000)
  expect((await http('GET', `/v2/lab/slow/blobs/${digest(bytes)}`)).body.equals(bytes)).toBe(true)
}, 400_000)

test('a client that never ends its headers is told 408 within two minutes, and others are served meanwhile', async () => {
  const received = await new Promise<string>((resolve, reject) => {
    let text = ''
    const socket = connect(server.port, '127.0.0.1', () => socket.write('GET /v2/ HTTP/1.1\r\nHost: x\r\n'))
    const more = setInterval(() => socket.write('X-More: yes\r\n'), 5000)
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => {
      clearInterval(more)
      resolve(text)
    })
  })
  expect(received).toContain('HTTP/1.1 408')
  expect((await clientOf(server.url)('GET', '/v2/')).status).toBe(200)
}, 150_000)
