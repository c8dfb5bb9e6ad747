// HTTPS: the redirect from plain HTTP, and a certificate renewed without a restart.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { get } from 'node:https'
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

const authority = () => path.join(directory, 'ca.pem')
const read = (file: string) => readFileSync(path.join(directory, file), 'utf8')

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
  // A key beside the certificates is not what people may download.
  writeFileSync(authority(), `${read('tls.key')}${read('tls.crt')}`)
  const more = ['--tls-ca', authority(), '--redirect-http', String(redirectPort)]
  server = await startServer({ args: [...files, ...more] })
})
afterAll(async () => {
  await server.stop()
  rmSync(directory, { recursive: true })
})

test('people download the private authority’s certificate, and nothing else that is in its file', async () => {
  const { status, disposition, text } = await new Promise<Record<string, unknown>>((resolve, reject) => {
    const url = `${server.url}/api/v2.0/systeminfo/getcert`
    get(url, { rejectUnauthorized: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => {
        text += chunk
      })
      const disposition = answer.headers['content-disposition']
      answer.on('end', () => resolve({ status: answer.statusCode, disposition, text }))
    }).on('error', reject)
  })
  expect({ status, disposition, text }).toEqual({
    status: 200,
    disposition: 'attachment; filename=ca.crt',
    text: read('tls.crt'),
  })
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
