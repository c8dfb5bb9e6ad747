// Other registries over the management API.

import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { DATABASE } from '../../lib/local/data-directory.ts'
import { type DockerHub, startDockerHub } from '../support/docker-hub.ts'
import { type Server, startServer } from '../support/server.ts'
import { type Harbor, harborOf, makeUser, numberOf } from './management.ts'

const LOGIN = { name: 'captain', password: 'key to the harbour' }
let server: Server
let other: Server
let hub: DockerHub
let admin: Harbor
let alice: Harbor
beforeAll(async () => {
  other = await startServer()
  hub = await startDockerHub({ origin: other.url, login: LOGIN, private: true })
  server = await startServer({ open: false, args: ['--upstream-private-networks', '127.0.0.0/8'] })
  admin = harborOf(server.url, 'admin')
  alice = harborOf(server.url, 'alice')
  await makeUser(admin, 'alice')
})
afterAll(async () => {
  for (const each of [server, other, hub]) await each.stop()
})
beforeEach(async () => {
  hub.log.length = 0
})

const credential = { type: 'basic', access_key: LOGIN.name, access_secret: LOGIN.password }
const body = (name: string, more: object = {}) => ({
  name,
  type: 'docker-registry',
  url: hub.url,
  credential,
  ...more,
})
const make = async (name: string, more: object = {}) =>
  numberOf(await admin('POST', '/registries', body(name, more)))

test('a registry is made when it answers, and read back as it was written but for its secret', async () => {
  const made = await admin('POST', '/registries', body('one', { description: 'the first' }))
  expect(made.headers.location).toMatch(/^\/api\/v2\.0\/registries\/\d+$/)
  const { json } = await admin('GET', `/registries/${numberOf(made)}`)
  expect(json).toEqual({
    id: numberOf(made),
    name: 'one',
    description: 'the first',
    type: 'docker-registry',
    url: hub.url,
    insecure: false,
    credential: { type: 'basic', access_key: 'captain', access_secret: '*****' },
    status: 'healthy',
    creation_time: expect.any(String),
    update_time: expect.any(String),
  })
  expect(hub.log.some(({ at, status }) => at === 'token' && status === 200)).toBe(true)
  const listed = await admin('GET', '/registries?name=on&q=type%3Ddocker-registry')
  expect(listed.json).toEqual([json])
  expect(listed.headers['x-total-count']).toBe('1')
})

test('the secret is in no answer, in no log, and not in the database', async () => {
  const id = await make('sealed')
  for (const where of ['/registries', `/registries/${id}`, '/audit-logs'])
    expect((await admin('GET', where)).body.toString()).not.toContain(LOGIN.password)
  if (process.env.TEST_STORES !== 'aws') {
    const db = new DatabaseSync(path.join(server.dataDir, DATABASE), { readOnly: true })
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()
    const everything = tables.flatMap(({ name }) => db.prepare(`SELECT * FROM "${name}"`).all())
    db.close()
    const text = JSON.stringify(everything)
    expect(text).toContain('captain')
    expect(text).not.toContain(LOGIN.password)
  }
  expect(server.output()).not.toContain(LOGIN.password)
})

test('an unreachable registry, a wrong login and an address inside are unhealthy, with the reason', async () => {
  const refused = async (more: object, reason: RegExp) => {
    const answer = await admin('POST', '/registries', body('never', more))
    expect([answer.status, answer.message]).toEqual([400, expect.stringMatching(reason)])
  }
  await refused({ url: 'http://127.0.0.1:1' }, /^the registry is unhealthy: no connection.*ECONNREFUSED/)
  await refused({ url: 'http://no-such.invalid' }, /unhealthy: the name no-such\.invalid cannot be resolved/)
  const guessed = { ...credential, access_secret: 'guessed' }
  await refused({ credential: guessed }, /unhealthy: .*401: incorrect username or password/)
  await refused({ url: 'http://169.254.169.254/' }, /unhealthy: 169\.254\.169\.254 is a private address/)
  await refused({ url: 'http://10.0.0.1' }, /private address.*upstreamPrivateNetworks/)
  expect((await admin('GET', '/registries?q=name%3Dnever')).json).toEqual([])
})

test.each([
  [{ name: '' }, 400, 'name cannot be empty'],
  [{ name: 'x'.repeat(65) }, 400, 'the max length of name is 64'],
  [{ type: 'ftp' }, 400, 'there is no registry type "ftp"'],
  [{ url: '' }, 400, 'invalid registry URL: it is empty'],
  [{ url: 'ftp://host' }, 400, 'invalid registry URL: the scheme ftp: is not http or https'],
  [{ url: 'http://user:secret@host' }, 400, 'invalid registry URL: a login belongs into the credential'],
  [{ url: 'http://host/?a=b' }, 400, 'invalid registry URL: it has a query or fragment'],
  [{ ca_certificate: 'no PEM' }, 400, 'the CA certificate must be PEM, of at most 65536 characters'],
  [{ name: 7 }, 422, 'name in body must be a text'],
  [{ credential: 'captain:key' }, 422, 'credential in body must be an object'],
  [{ insecure: 'yes' }, 422, 'insecure in body must be true or false'],
])('%j is refused', async (wrong, status, message) => {
  const answer = await admin('POST', '/registries', body('wrong', wrong))
  expect([answer.status, answer.message]).toEqual([status, message])
})

test('a name is taken once', async () => {
  const id = await make('twice')
  const again = await admin('POST', '/registries', body('twice'))
  expect([again.status, again.message]).toEqual([409, 'registry twice already exists'])
  const third = await make('third')
  expect((await admin('PUT', `/registries/${third}`, { name: 'twice' })).status).toBe(409)
  expect((await admin('PUT', `/registries/${third}`, { name: 'fourth' })).status).toBe(200)
  expect(await make('third')).toBeGreaterThan(id)
})

test('a change without a secret keeps it, and with the stars that stand for it too', async () => {
  const id = await make('kept')
  for (const change of [{ description: 'changed' }, { access_secret: '*****' }, { name: 'kept too' }])
    expect((await admin('PUT', `/registries/${id}`, change)).status).toBe(200)
  expect((await admin('GET', `/registries/${id}`)).json).toMatchObject({
    name: 'kept too',
    description: 'changed',
    credential: { access_key: 'captain', access_secret: '*****' },
  })
  expect((await admin('POST', '/registries/ping', { id })).status).toBe(200)
  const wrong = await admin('PUT', `/registries/${id}`, { access_secret: 'guessed' })
  expect([wrong.status, wrong.message]).toEqual([400, expect.stringContaining('incorrect username')])
  expect((await admin('POST', '/registries/ping', { id })).status).toBe(200)
})

test('a secret does not go to another address: not by a change, and not by a ping', async () => {
  const id = await make('moved')
  const thief = await startDockerHub({ origin: other.url })
  const put = (change: object) => admin('PUT', `/registries/${id}`, change)
  const ping = await admin('POST', '/registries/ping', { id, url: thief.url })
  expect([ping.status, thief.log]).toEqual([200, []])
  expect((await put({ url: thief.url })).message).toMatch(/unhealthy/)
  const sent = Buffer.from(thief.logins.join().replaceAll('Basic ', ''), 'base64').toString()
  expect(sent).toContain('captain:')
  expect(sent).not.toContain(LOGIN.password)
  expect((await put({ url: thief.url, access_key: '' })).status).toBe(200)
  const { json } = await admin('GET', `/registries/${id}`)
  expect([json.url, json.credential]).toEqual([thief.url, { type: 'basic' }])
  await thief.stop()
})

test('a ping by its body needs type and address, and says why it fails', async () => {
  const ping = (more: object) => admin('POST', '/registries/ping', more)
  const login = { access_key: LOGIN.name, access_secret: LOGIN.password }
  expect((await ping({ type: 'docker-registry', url: hub.url, ...login })).status).toBe(200)
  expect((await ping({ type: 'docker-registry', url: hub.url })).message).toMatch(/unhealthy: .* 401/)
  expect((await ping({ url: hub.url })).status).toBe(400)
  expect((await ping({ type: 'docker-registry' })).status).toBe(400)
  expect((await ping({ id: 999_999 })).status).toBe(404)
})

test('whether a stored registry answers is noted when it is looked at', async () => {
  const id = await make('ill')
  const status = async () => (await admin('GET', `/registries/${id}`)).json.status
  const mend = hub.break(/^\/v2\/$/, { kind: 'status', status: 503 })
  expect((await admin('POST', '/registries/ping', { id })).message).toMatch(/unhealthy: .* answered 503/)
  expect(await status()).toBe('unhealthy')
  mend()
  expect((await admin('POST', '/registries/ping', { id })).status).toBe(200)
  expect(await status()).toBe('healthy')
})

test('another Entrepôt is a registry of type harbor or docker-registry', async () => {
  for (const type of ['harbor', 'docker-registry'])
    await make(`entrepot as ${type}`, { type, url: other.url, credential: undefined })
})

test('what registries there can be is told with what to ask for', async () => {
  const { json: types } = await admin('GET', '/replication/adapters')
  expect(types).toEqual(
    expect.arrayContaining([
      'docker-hub',
      'github-ghcr',
      'quay',
      'aws-ecr',
      'azure-acr',
      'google-gcr',
      'gitlab',
      'jfrog-artifactory',
      'harbor',
      'docker-registry',
    ]),
  )
  const { json: infos } = await admin('GET', '/replication/adapterinfos')
  expect(Object.keys(infos).sort()).toEqual([...types].sort())
  expect(infos['docker-hub'].endpoint_pattern).toEqual({
    endpoint_type: 'EndpointPatternTypeFix',
    endpoints: [{ key: 'hub.docker.com', value: 'https://hub.docker.com' }],
  })
  const id = await make('told')
  expect((await admin('GET', `/registries/${id}/info`)).json).toMatchObject({
    type: 'docker-registry',
    supported_triggers: ['manual', 'scheduled'],
  })
  expect((await admin('GET', '/registries/999999/info')).status).toBe(404)
})

test('a registry is deleted once; a missing one is not found', async () => {
  const id = await make('gone')
  expect((await admin('DELETE', `/registries/${id}`)).status).toBe(200)
  for (const method of ['GET', 'PUT', 'DELETE'])
    expect((await admin(method, `/registries/${id}`, method === 'PUT' ? {} : undefined)).status).toBe(404)
  await make('gone')
})

test('only administrators, and robots given it, have to do with registries', async () => {
  const id = await make('guarded')
  const calls: [string, string][] = [
    ['GET', '/registries'],
    ['POST', '/registries'],
    ['POST', '/registries/ping'],
    ['GET', `/registries/${id}`],
    ['PUT', `/registries/${id}`],
    ['DELETE', `/registries/${id}`],
    ['GET', `/registries/${id}/info`],
    ['GET', '/replication/adapters'],
    ['GET', '/replication/adapterinfos'],
  ]
  const nobody = harborOf(server.url)
  for (const [method, where] of calls) {
    expect((await alice(method, where)).status, `${method} ${where}`).toBe(403)
    expect((await nobody(method, where)).status, `${method} ${where}`).toBe(401)
  }
  const access = [{ resource: 'registry', action: 'list' }]
  const { json } = await admin('POST', '/robots', {
    name: 'lister',
    level: 'system',
    duration: -1,
    permissions: [{ kind: 'system', namespace: '/', access }],
  })
  const robot = harborOf(server.url, json.name, json.secret)
  expect((await robot('GET', '/registries')).status).toBe(200)
  expect((await robot('GET', `/registries/${id}`)).status).toBe(403)
})

test('each deed is in the audit log once', async () => {
  const id = await make('noted')
  await admin('PUT', `/registries/${id}`, { description: 'x' })
  await admin('DELETE', `/registries/${id}`)
  const { json } = await admin('GET', '/auditlog-exts?page_size=100')
  const deeds = json.filter((each: { resource: string }) => each.resource === 'noted')
  expect(deeds.map((each: { operation: string }) => each.operation).sort()).toEqual([
    'create',
    'delete',
    'update',
  ])
  expect(new Set(deeds.map((each: { resource_type: string }) => each.resource_type))).toEqual(
    new Set(['registry']),
  )
})
