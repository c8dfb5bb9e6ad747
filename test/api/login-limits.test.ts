// Failed logins over HTTP: one limit for all doors and all processes, told to each client as it expects. On S3 and DynamoDB
// (TEST_STORES=aws) there are three processes on one store; a data directory has one.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { type Answer, clientOf } from './client.ts'
import { basic } from './management.ts'

const PROCESSES = process.env.TEST_STORES === 'aws' ? 3 : 1
const HOME = '192.0.2.7'
/** Refused before it is hashed, and counted. */
const WRONG = 'x'.repeat(1025)

let data: string
const servers: Server[] = []
beforeAll(async () => {
  data = await mkdtemp(path.join(tmpdir(), 'entrepot-logins-'))
  const options = { dataDir: data, open: false, args: ['--trusted-proxies', '1'] }
  for (let at = 0; at < PROCESSES; at++) servers.push(await startServer(options))
}, 120_000)
afterAll(async () => {
  for (const server of servers) await server.stop()
  await rm(data, { recursive: true, force: true })
})

let turn = 0
type Headers = Record<string, string>
/** At one process after another, as a proxy passes it on. */
function ask(method: string, path: string, address: string, headers: Headers, body?: string) {
  turn += 1
  const http = clientOf(servers[turn % PROCESSES]!.url)
  const sent = { 'x-forwarded-for': address, ...headers }
  return http(method, path, { headers: sent, ...(body === undefined ? {} : { body }) })
}

const form = (fields: Headers) => new URLSearchParams(fields).toString()
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

type Door = (name: string, secret: string, address: string) => Promise<Answer>
const DOORS: Record<string, Door> = {
  '/v2/': (name, secret, address) => ask('GET', '/v2/', address, { authorization: basic(name, secret) }),
  '/service/token': (name, secret, address) =>
    ask('GET', '/service/token', address, { authorization: basic(name, secret) }),
  'the OAuth2 form': (username, password, address) =>
    ask('POST', '/service/token', address, FORM, form({ grant_type: 'password', username, password })),
  '/api/v2.0': (name, secret, address) =>
    ask('GET', '/api/v2.0/users/current', address, { authorization: basic(name, secret) }),
  '/c/login': (principal, password, address) =>
    ask('POST', '/c/login', address, FORM, form({ principal, password })),
}
const doors = Object.values(DOORS)

/** Wrong secrets, at one door after another. */
async function fail(count: number, name: (at: number) => string, address: string): Promise<number[]> {
  const statuses: number[] = []
  for (let at = 0; at < count; at++)
    statuses.push((await doors[at % doors.length]!(name(at), WRONG, address)).status)
  return statuses
}

test('ten wrong secrets at any doors close them all to that name and address, a missing name as an existing one', async () => {
  for (const name of ['admin', 'nobody', 'robot$none']) {
    expect(await fail(10, () => name, '198.51.100.1')).toEqual(Array(10).fill(401))
    for (const [where, logIn] of Object.entries(DOORS)) {
      const { status, code, message, headers } = await logIn(name, ADMIN_PASSWORD, '198.51.100.1')
      const harbors = where.startsWith('/api') || where.startsWith('/c')
      expect([where, status, code]).toEqual([where, 429, harbors ? 'TOO_MANY_REQUEST' : 'TOOMANYREQUESTS'])
      expect(message).toMatch(/too many failed logins .*wait \d+ seconds/)
      expect(Number(headers['retry-after'])).toBeGreaterThan(0)
      expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60)
    }
  }
  expect((await DOORS['/v2/']!('admin', ADMIN_PASSWORD, HOME)).status).toBe(200)
})

test('what a client writes into X-Forwarded-For is not where it is', async () => {
  for (let at = 0; at < 10; at++) await DOORS['/v2/']!('eve', WRONG, `203.0.113.${at}, 198.51.100.2`)
  expect((await DOORS['/v2/']!('eve', WRONG, '198.51.100.2')).status).toBe(429)
  expect((await DOORS['/v2/']!('eve', WRONG, '203.0.113.1')).status).toBe(401)
})

test('a hundred wrong secrets of robots and users close an address to names that never logged in there', async () => {
  expect((await DOORS['/service/token']!('admin', ADMIN_PASSWORD, HOME)).status).toBe(200)
  expect(await fail(100, (at) => `robot$ci-${at}`, HOME)).toEqual(Array(100).fill(401))
  const { status, headers } = await DOORS['/service/token']!('ann', WRONG, HOME)
  expect(status).toBe(429)
  expect(Number(headers['retry-after'])).toBeGreaterThan(60)
  expect((await DOORS['/api/v2.0']!('admin', ADMIN_PASSWORD, HOME)).status).toBe(200)
  expect((await DOORS['/service/token']!('ann', WRONG, '198.51.100.3')).status).toBe(401)
})

test('a hundred wrong secrets from everywhere close a name to new addresses, and no administrator out of known ones', async () => {
  expect((await DOORS['/api/v2.0']!('admin', ADMIN_PASSWORD, '198.51.100.4')).status).toBe(200)
  for (let at = 0; at < 100; at++) await DOORS['/service/token']!('admin', WRONG, `203.0.113.${at}`)
  expect((await DOORS['/c/login']!('admin', ADMIN_PASSWORD, '198.51.100.5')).status).toBe(429)
  for (const logIn of doors) expect((await logIn('admin', ADMIN_PASSWORD, '198.51.100.4')).status).toBe(200)
})

test('without a proxy that is configured, X-Forwarded-For is not believed', async () => {
  const server = await startServer({ open: false })
  const http = clientOf(server.url)
  const statuses: number[] = []
  for (let at = 0; at < 11; at++) {
    const headers = { authorization: basic('eve', WRONG), 'x-forwarded-for': `203.0.113.${at}` }
    statuses.push((await http('GET', '/v2/', { headers })).status)
  }
  expect(statuses).toEqual([...Array(10).fill(401), 429])
  await server.stop()
})
