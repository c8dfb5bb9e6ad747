// HTTPS: the redirect from plain HTTP, and a certificate renewed without a restart.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../support/server.ts'
import { findTool } from '../tools.ts'

const openssl = findTool('openssl')
let directory: string
let server: Server

function makeCertificate(name: string): void {
  const key = ['-keyout', path.join(directory, 'tls.key'), '-out', path.join(directory, 'tls.crt')]
  execFileSync(
    openssl!,
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`, ...key],
    { stdio: 'ignore' },
  )
}

const commonName = () =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN)
      socket.end()
    })
    socket.on('error', reject)
  })

/** A port nobody listens on, found by asking the system for one. */
async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const { port } = holder.address() as { port: number }
  await new Promise((resolve) => holder.close(resolve))
  return port
}

let redirectPort: number
beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'entrepot-tls-'))
  makeCertificate('first')
  redirectPort = await freePort()
  const files = ['--tls-cert', path.join(directory, 'tls.crt'), '--tls-key', path.join(directory, 'tls.key')]
  server = await startServer({ args: [...files, '--redirect-http', String(redirectPort)] })
})
afterAll(async () => {
  await server.stop()
  rmSync(directory, { recursive: true })
})

test('plain HTTP is redirected to the same path on HTTPS, keeping the method', async () => {
  const answer = await new Promise<{ status?: number | undefined; location?: string | undefined }>(
    (resolve, reject) => {
      const asked = request(
        { host: '127.0.0.1', port: redirectPort, method: 'POST', path: '/v2/a/blobs/uploads/?mount=x' },
        (incoming) => {
          incoming.resume()
          resolve({ status: incoming.statusCode, location: incoming.headers.location })
        },
      )
      asked.on('error', reject).end()
    },
  )
  expect(answer).toEqual({
    status: 308,
    location: `https://127.0.0.1:${server.port}/v2/a/blobs/uploads/?mount=x`,
  })
})

test('SIGHUP takes up a renewed certificate, and a broken one leaves the old in place', async () => {
  expect(await commonName()).toBe('first')
  makeCertificate('second')
  server.process.kill('SIGHUP')
  await expect.poll(commonName).toBe('second')
  rmSync(path.join(directory, 'tls.crt'))
  server.process.kill('SIGHUP')
  await expect.poll(server.output).toContain('the old certificate stays')
  expect(await commonName()).toBe('second')
})
