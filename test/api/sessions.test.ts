// Sessions of browsers: begun by the password, ended at once, and no use to other sites' pages.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { type Answer, type Client, clientOf } from './client.ts'
import { harborOf, makeUser, PASSWORD } from './management.ts'

let server: Server
let http: Client
beforeAll(async () => {
  server = await startServer({ open: false })
  http = clientOf(server.url)
})
afterAll(() => server.stop())

const form = { 'content-type': 'application/x-www-form-urlencoded' }

async function logIn(principal: string, password: string, headers = {}): Promise<Answer> {
  const body = new URLSearchParams({ principal, password }).toString()
  return http('POST', '/c/login', { body, headers: { ...form, ...headers } })
}

/** The cookie as a browser sends it back. */
const cookieOf = (answer: Answer) => answer.headers['set-cookie']![0]!.split(';')[0]!

const ask = (method: string, path: string, headers: Record<string, string>, body?: unknown) =>
  http(method, `/api/v2.0${path}`, {
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

test('a session begins with the password, in a cookie that scripts and other sites do not get', async () => {
  const answer = await logIn('admin', ADMIN_PASSWORD)
  expect(answer.status).toBe(200)
  expect(answer.headers['set-cookie']).toEqual([
    expect.stringMatching(/^sid=[\w-]{43}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/),
  ])
  const current = await ask('GET', '/users/current', { cookie: cookieOf(answer) })
  expect(JSON.parse(current.body.toString())).toMatchObject({ username: 'admin' })
  for (const wrong of [await logIn('admin', 'wrong'), await logIn('nobody', 'wrong')]) {
    expect(wrong.status).toBe(401)
    expect(wrong.headers['set-cookie']).toBeUndefined()
  }
  expect((await http('GET', '/c/login')).status).toBe(405)
  expect((await http('GET', '/c/else')).status).toBe(404)
})

test('a change needs the token that answers bring, and another session’s token is none', async () => {
  const cookie = cookieOf(await logIn('admin', ADMIN_PASSWORD))
  const project = { project_name: 'by-session' }
  const refused = await ask('POST', '/projects', { cookie }, project)
  expect(refused).toMatchObject({ status: 403, code: 'FORBIDDEN', message: expect.stringContaining('CSRF') })
  const token = String(refused.headers['x-harbor-csrf-token'])
  const other = cookieOf(await logIn('admin', ADMIN_PASSWORD))
  const foreign = await ask('POST', '/projects', { cookie: other, 'x-harbor-csrf-token': token }, project)
  expect(foreign.status).toBe(403)
  const made = await ask('POST', '/projects', { cookie, 'x-harbor-csrf-token': token }, project)
  expect(made.status).toBe(201)
  const read = await ask('GET', '/projects', { cookie })
  expect(read.headers['x-harbor-csrf-token']).toBe(token)
})

test('an id that the browser came with is never taken over', async () => {
  const fixed = `sid=${'A'.repeat(43)}`
  const answer = await logIn('admin', ADMIN_PASSWORD, { cookie: fixed })
  expect(cookieOf(answer)).not.toBe(fixed)
  expect((await ask('GET', '/users/current', { cookie: fixed })).status).toBe(401)
  for (const cookie of ['sid=', 'sid=x', `sid=${'x'.repeat(5000)}`, 'other=1'])
    expect((await ask('GET', '/users/current', { cookie })).status).toBe(401)
})

test('another site’s page cannot log anybody in, and nobody is sent elsewhere', async () => {
  expect((await logIn('admin', ADMIN_PASSWORD, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  const body = new URLSearchParams({ principal: 'admin', password: ADMIN_PASSWORD }).toString()
  const answer = await http('POST', '/c/login?redirect_url=https://evil.example', { body, headers: form })
  expect([answer.status, answer.headers.location]).toEqual([200, undefined])
})

test('logging out, a new password and disabling end a session at once', async () => {
  const admin = harborOf(server.url, 'admin')
  const number = await makeUser(admin, 'sue')
  const begin = async (password = PASSWORD) => cookieOf(await logIn('sue', password))
  const counts = async (cookie: string) => (await ask('GET', '/users/current', { cookie })).status
  const first = await begin()
  expect(await counts(first)).toBe(200)
  const out = await http('GET', '/c/log_out', { headers: { cookie: first } })
  expect(out.headers['set-cookie']).toEqual([expect.stringContaining('sid=; Path=/; Max-Age=0')])
  expect(await counts(first)).toBe(401)
  const second = await begin()
  await admin('DELETE', `/users/${number}`)
  expect(await counts(second)).toBe(401)
})
