// Failed logins through the edge count where the viewer is, not where it says that it is.
import { request } from 'node:https'
import { beforeAll, expect, test } from 'vitest'
import { managementOf } from './management.ts'
import { sharedTwin } from './shared.ts'
import type { Twin } from './twin.ts'

const NAME = `lina-${Date.now().toString(36)}`
const PASSWORD = 'Right-password-12'
/** Of one name from one place, within a minute (docs/security.md). */
const ALLOWED = 10

let twin: Twin
beforeAll(async () => {
  twin = await sharedTwin()
  const user = { username: NAME, email: `${NAME}@example.com`, realname: NAME, password: PASSWORD }
  await managementOf(twin, 'admin', twin.adminPassword)('POST', '/users', 201, user)
}, 240_000)

/** As `docker login` asks for its token. @param from an address of this machine. @param claimed what the client says it is */
function logIn(
  password: string,
  from: string,
  claimed: string,
): Promise<{ status: number; retryAfter: string | undefined }> {
  const query = `account=${NAME}&client_id=docker&offline_token=true&service=entrepot`
  const headers = {
    authorization: `Basic ${Buffer.from(`${NAME}:${password}`).toString('base64')}`,
    'x-forwarded-for': claimed,
    'x-real-ip': claimed,
    'x-entrepot-viewer': claimed,
    'cloudfront-viewer-address': `${claimed}:1`,
  }
  return new Promise((resolve, reject) => {
    const url = new URL(`/service/token?${query}`, twin.url)
    request(url, { headers, localAddress: from, agent: false }, (answer) => {
      answer.resume()
      answer.once('end', () =>
        resolve({ status: answer.statusCode!, retryAfter: answer.headers['retry-after'] }),
      )
    })
      .once('error', reject)
      .end()
  })
}

test('a forged X-Forwarded-For neither escapes the limit nor locks out whoever is there', async () => {
  const [attacker, owner] = ['127.0.0.7', '127.0.0.8']
  // Wherever it says that it is; at last that it is where the owner is.
  for (let each = 0; each < ALLOWED; each++)
    expect((await logIn('a guess', attacker, `198.51.100.${each}`)).status).toBe(401)
  for (const claimed of ['198.51.100.77', '192.0.2.8', '10.0.0.1, 192.0.2.8']) {
    const { status, retryAfter } = await logIn(PASSWORD, attacker, claimed)
    expect([status, Number(retryAfter)]).toEqual([429, expect.any(Number)])
    expect(Number(retryAfter)).toBeLessThanOrEqual(60)
  }
  expect((await logIn(PASSWORD, owner, '192.0.2.7')).status).toBe(200)
}, 60_000)
