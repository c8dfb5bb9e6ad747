// Answers that are too large for a function (6 MB): reports of scans can be.
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { toGateway } from '../../../lib/http/gateway.ts'

const LAMBDA_LIMIT_BYTES = 6 * 1024 * 1024
const report = JSON.stringify({
  found: Array.from({ length: 200_000 }, (_, id) => `CVE-2099-${id}`.repeat(3)),
})

async function answered(body: string | Uint8Array, acceptEncoding?: string) {
  const headers = acceptEncoding === undefined ? {} : { 'accept-encoding': acceptEncoding }
  const http = { method: 'GET', sourceIp: '192.0.2.1' }
  const event = { requestContext: { requestId: 'r', http }, headers }
  const result = await toGateway(event, {
    status: 200,
    headers: { 'Content-Type': 'application/json' },
    body,
  })
  expect(JSON.stringify(result).length).toBeLessThan(LAMBDA_LIMIT_BYTES)
  return { ...result, bytes: Buffer.from(result.body, 'base64') }
}

test.each(['gzip', 'gzip, deflate, br', 'br;q=1.0, gzip;q=0.8'])(
  'whoever takes %s gets a large answer packed',
  async (accepted) => {
    const { statusCode, headers, bytes } = await answered(report, accepted)
    expect([statusCode, headers['Content-Encoding'], headers.Vary]).toEqual([200, 'gzip', 'Accept-Encoding'])
    expect(gunzipSync(bytes).toString()).toBe(report)
  },
)

test.each([undefined, 'br', 'gzip;q=0', 'identity'])(
  'whoever takes %s is told what to ask with, because a large answer is not sent otherwise',
  async (accepted) => {
    const { statusCode, bytes } = await answered(report, accepted)
    expect(statusCode).toBe(406)
    expect(JSON.parse(bytes.toString()).errors[0].message).toContain('ask with Accept-Encoding: gzip')
  },
)

test('what is too large even packed is said to be so', async () => {
  const random = Buffer.from(Array.from({ length: 7_000_000 }, () => Math.random() * 256))
  const { statusCode, bytes } = await answered(random, 'gzip')
  expect([statusCode, bytes.toString()]).toEqual([406, expect.stringContaining('7000000 bytes')])
})

test('what fits is sent as it is', async () => {
  const { headers, bytes } = await answered('{}', 'gzip')
  expect([headers['Content-Encoding'], bytes.toString()]).toEqual([undefined, '{}'])
})
