// Both loopback addresses and the control socket belong to one registry.
import { request } from 'node:http'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientOf } from '../api/client.ts'
import { type Server, startServer } from '../support/server.ts'

let server: Server
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

test('requests on ::1 are counted in the metrics that 127.0.0.1 shows', async () => {
  await new Promise<void>((resolve, reject) => {
    const asked = request({ host: '::1', port: server.port, path: '/v2/six/tags/list' }, (answer) => {
      answer.resume()
      answer.on('end', resolve)
    })
    asked.on('error', reject).end()
  })
  const metrics = (await clientOf(server.url)('GET', '/metrics')).body.toString()
  expect(metrics).toMatch(/entrepot_http_requests_total\{method="GET",route="tags",status="404"\} 1/)
})

/** @returns the body of the answer, or the error's code */
function control(body: string): Promise<string> {
  return new Promise((resolve) => {
    const asked = request(
      { socketPath: path.join(server.dataDir, 'control.sock'), method: 'POST' },
      (answer) => {
        let text = ''
        answer.on('data', (chunk) => {
          text += chunk
        })
        answer.on('end', () => resolve(text))
      },
    )
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    asked.end(body)
  })
}

for (const body of ['no JSON', '{}', '{"operation":"of a later version","args":[],"principal":"x"}'])
  test(`the registry survives ${body} on its control socket`, async () => {
    await control(body)
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  })
