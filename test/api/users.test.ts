// Users over the management API, as Harbor's clients use it and as others misuse it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../support/server.ts'
import { basic, type Harbor, harborOf, makeUser, PASSWORD } from './management.ts'

let server: Server
let admin: Harbor
let alice: Harbor
let nobody: Harbor
let aliceId: number
beforeAll(async () => {
  server = await startServer({ open: false })
  admin = harborOf(server.url, 'admin')
  alice = harborOf(server.url, 'alice')
  nobody = harborOf(server.url)
  aliceId = await makeUser(admin, 'alice')
})
afterAll(() => server.stop())

const errorOf = ({ status, message }: { status: number; message: string }) => [status, message]

test('a user is created with a Location of path only, and reads as Harbor shows it', async () => {
  const answer = await admin('POST', '/users', {
    username: 'Berta',
    email: 'berta@example.com',
    realname: 'Berta B',
    password: PASSWORD,
    unknown_field: { x: 1 },
  })
  expect([answer.status, answer.body.toString()]).toEqual([201, ''])
  const path = answer.headers.location!
  expect(path).toMatch(/^\/api\/v2\.0\/users\/\d+$/)
  const { status, json } = await admin('GET', path.slice('/api/v2.0'.length))
  expect(status).toBe(200)
  expect(json).toEqual({
    user_id: Number(path.split('/').at(-1)),
    username: 'Berta',
    email: 'berta@example.com',
    realname: 'Berta B',
    sysadmin_flag: false,
    admin_role_in_auth: false,
    disabled: false,
    creation_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    update_time: expect.any(String),
  })
})

test('the list has filters, pages and their headers, and not the built-in administrator', async () => {
  for (const name of ['list-a', 'list-b', 'list-c']) await makeUser(admin, name)
  const names = async (query: string) => {
    const answer = await admin('GET', `/users?${query}`)
    expect(answer.status).toBe(200)
    return answer.json.map((each: { username: string }) => each.username)
  }
  expect(await names('q=username=list-b')).toEqual(['list-b'])
  expect(await names('q=username%253D~list-')).toEqual(['list-a', 'list-b', 'list-c'])
  expect(await names('username=LIST-&email=c@')).toEqual(['list-c'])
  expect(await names('q=username=~list-&sort=-username&page=1&page_size=2')).toEqual(['list-c', 'list-b'])
  expect(await names('page=999999999&page_size=100')).toEqual([])
  expect(await names('page=0&page_size=0&q=&sort=')).not.toContain('admin')
  const page = await admin('GET', '/users?q=username=~list-&page=2&page_size=1')
  expect(page.headers['x-total-count']).toBe('3')
  expect(page.headers.link).toMatch(
    /^<\/api\/v2\.0\/users\?.*page=1.*>; rel="prev" , <.*page=3.*>; rel="next"$/,
  )
})

test('users are searched by everybody who is logged in, the nearest name first', async () => {
  await makeUser(admin, 'alice-two')
  const found = await alice('GET', '/users/search?page=1&page_size=10&username=ALICE')
  expect(found.json.map((each: { username: string }) => each.username)).toEqual(['alice', 'alice-two'])
  expect(Object.keys(found.json[0]).sort()).toEqual(['user_id', 'username'])
  expect((await nobody('GET', '/users/search?username=a')).status).toBe(401)
  expect((await alice('GET', '/users/search')).status).toBe(422)
})

test('anonymous callers, and users asking for others, are refused', async () => {
  for (const [method, path] of [
    ['GET', '/users'],
    ['GET', '/users/1'],
    ['POST', '/users'],
    ['PUT', '/users/1'],
    ['DELETE', '/users/1'],
    ['PUT', '/users/1/sysadmin'],
    ['PUT', '/users/1/password'],
    ['PUT', '/users/1/cli_secret'],
  ] as const) {
    const body = method === 'GET' ? undefined : {}
    expect([method, path, (await nobody(method, path, body)).status]).toEqual([method, path, 401])
    expect([method, path, (await alice(method, path, body)).status]).toEqual([method, path, 403])
  }
  // The same for a user who does not exist: numbers cannot be tried out.
  expect((await alice('GET', '/users/999999')).status).toBe(403)
  expect(errorOf(await admin('GET', '/users/999999'))).toEqual([404, 'user 999999 not found'])
  expect((await admin('GET', '/users/no-number')).status).toBe(422)
})

test('everybody reads and changes their own profile, and only the profile', async () => {
  const change = { email: 'alice@other.example', realname: 'Alice A', comment: 'hello' }
  const everything = { ...change, sysadmin_flag: true, admin_role_in_auth: true, user_id: 1, disabled: true }
  expect((await alice('PUT', `/users/${aliceId}`, everything)).status).toBe(200)
  const { json } = await alice('GET', '/users/current')
  expect(json).toMatchObject({ ...change, user_id: aliceId, sysadmin_flag: false, disabled: false })
  const again = { email: 'alice@other.example', realname: 'Alice A' }
  expect((await alice('PUT', `/users/${aliceId}`, again)).status).toBe(200)
  expect((await alice('GET', '/users/current')).json).not.toHaveProperty('comment')
})

test('nobody becomes an administrator by what they send at registration', async () => {
  const number = await makeUser(admin, 'mallory', { sysadmin_flag: true, admin: true, user_id: 1, number: 1 })
  expect(number).toBeGreaterThan(1)
  expect((await admin('GET', `/users/${number}`)).json.sysadmin_flag).toBe(false)
})

test.each([
  [{ email: '' }, "email can't be empty"],
  [{ email: 'no at sign' }, 'invalid email'],
  [{ realname: '' }, 'realname with illegal length'],
  [{ realname: 'a,b' }, 'realname contains illegal characters'],
  [{ comment: 'x'.repeat(31) }, 'comment with illegal length'],
  [{ username: '' }, 'invalid user name'],
  [{ username: 'x'.repeat(256) }, 'longer than 255'],
  [{ username: 'a,b' }, 'invalid user name'],
  [{ username: 'robot$x' }, 'invalid user name'],
  [{ username: 'robot-x' }, 'cannot begin as those of robots'],
  [{ username: 'аlice' }, 'invalid user name'],
  [{ username: 'alice​' }, 'invalid user name'],
  [{ password: 'short1A' }, 'at least 8 characters'],
  [{ password: 'nouppercase1' }, 'an uppercase letter'],
  [{ password: `Aa1${'x'.repeat(900_000)}` }, 'at most 1024 characters'],
])('%o is refused with 400, saying what is wrong', async (wrong, why) => {
  const user = { username: 'wrong', email: 'wrong@example.com', realname: 'w', password: PASSWORD, ...wrong }
  expect(errorOf(await admin('POST', '/users', user))).toEqual([400, expect.stringContaining(why)])
})

test('names and emails are taken once, whatever their case', async () => {
  const user = { username: 'ALICE', email: 'new@example.com', realname: 'x', password: PASSWORD }
  expect((await admin('POST', '/users', user)).status).toBe(409)
  const mail = { ...user, username: 'other', email: 'ALICE@other.example' }
  expect((await admin('POST', '/users', mail)).status).toBe(409)
})

test('bodies that are no JSON object, of other types or too large are refused', async () => {
  expect((await admin('POST', '/users', '{"username":')).status).toBe(400)
  expect((await admin('POST', '/users', '[]')).status).toBe(400)
  expect((await admin('POST', '/users', { email: 7 })).status).toBe(422)
  expect((await admin('POST', '/users', `{"password":"${'x'.repeat(1_100_000)}"}`)).status).toBe(413)
})

test('a query is data: what looks like SQL or reaches for secrets finds nothing', async () => {
  for (const q of ["username=x' OR '1'='1", 'hash=~a', 'salt=~a', 'password=~a', '__proto__=~a']) {
    const answer = await admin('GET', `/users?q=${encodeURIComponent(q)}`)
    expect([q, answer.status, answer.json]).toEqual([q, 200, []])
  }
  expect((await admin('GET', '/users?q=username')).status).toBe(400)
  expect((await admin('GET', '/users?page_size=101')).status).toBe(422)
  expect((await admin('GET', '/users?page=-1')).status).toBe(422)
})

test('one’s own password is changed with the old one; an administrator needs none', async () => {
  const number = await makeUser(admin, 'pia')
  const pia = harborOf(server.url, 'pia')
  const change = (old_password: string, new_password: string) =>
    pia('PUT', `/users/${number}/password`, { old_password, new_password })
  expect(errorOf(await change('Wrong-passw0rd', 'Next-passw0rd'))).toEqual([
    403,
    'Current password is incorrect',
  ])
  expect(errorOf(await change(PASSWORD, PASSWORD))).toEqual([
    400,
    'New password is identical to old password',
  ])
  expect((await change(PASSWORD, 'short')).status).toBe(400)
  expect((await change(PASSWORD, 'Next-passw0rd')).status).toBe(200)
  const late = await pia('GET', '/users/current')
  expect([late.status, late.body.toString()]).toEqual([401, expect.stringContaining('unauthorized')])
  const byAdmin = { new_password: 'Third-passw0rd' }
  expect((await admin('PUT', `/users/${number}/password`, byAdmin)).status).toBe(200)
  expect((await harborOf(server.url, 'pia', 'Third-passw0rd')('GET', '/users/current')).status).toBe(200)
})

test('a CLI secret logs in beside the password, and cannot change it', async () => {
  const number = await makeUser(admin, 'carl')
  const carl = harborOf(server.url, 'carl')
  expect((await carl('PUT', `/users/${number}/cli_secret`, { secret: 'weak' })).status).toBe(400)
  expect((await carl('PUT', `/users/${number}/cli_secret`, { secret: 'Cli-secret-1' })).status).toBe(200)
  const bySecret = harborOf(server.url, 'carl', 'Cli-secret-1')
  expect((await bySecret('GET', '/users/current')).json.username).toBe('carl')
  expect((await carl('GET', '/users/current')).status).toBe(200)
  const change = { old_password: 'Cli-secret-1', new_password: 'Next-passw0rd' }
  expect((await bySecret('PUT', `/users/${number}/password`, change)).status).toBe(403)
  await carl('PUT', `/users/${number}/cli_secret`, { secret: 'Cli-secret-2' })
  expect((await bySecret('GET', '/users/current')).status).toBe(401)
})

test('administrators are made and unmade, but never the last one', async () => {
  const number = await makeUser(admin, 'deputy')
  const deputy = harborOf(server.url, 'deputy')
  const set = (who: Harbor, user: number, sysadmin_flag: boolean) =>
    who('PUT', `/users/${user}/sysadmin`, { sysadmin_flag })
  expect((await set(deputy, number, true)).status).toBe(403)
  expect((await set(admin, number, true)).status).toBe(200)
  expect((await deputy('GET', '/users')).status).toBe(200)
  const { user_id: builtIn } = (await admin('GET', '/users/current')).json
  expect((await set(deputy, builtIn, false)).status).toBe(403)
  expect(errorOf(await deputy('DELETE', `/users/${builtIn}`))).toEqual([
    403,
    `User with ID ${builtIn} cannot be deleted`,
  ])
  expect((await deputy('DELETE', `/users/${number}`)).status).toBe(403)
  expect((await set(admin, number, false)).status).toBe(200)
  expect((await deputy('GET', '/users')).status).toBe(403)
})

test('a deleted user is gone, and one of the same name later has nothing of the earlier', async () => {
  const number = await makeUser(admin, 'gone')
  const token = await refreshToken('gone')
  expect((await admin('DELETE', `/users/${number}`)).status).toBe(200)
  expect(errorOf(await admin('GET', `/users/${number}`))).toEqual([404, `user ${number} not found`])
  expect((await harborOf(server.url, 'gone')('GET', '/users/current')).status).toBe(401)
  await new Promise((resolve) => setTimeout(resolve, 1100))
  expect(await makeUser(admin, 'gone')).not.toBe(number)
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token, service: 'entrepot' })
  const refreshed = await fetch(`${server.url}/service/token`, { method: 'POST', body: form })
  expect(refreshed.status).toBe(401)
})

async function refreshToken(name: string): Promise<string> {
  const answer = await fetch(`${server.url}/service/token?service=entrepot&offline_token=true`, {
    headers: { authorization: basic(name, PASSWORD) },
  })
  return ((await answer.json()) as { refresh_token: string }).refresh_token
}

test('an administrator locks somebody out and lets them in again', async () => {
  const number = await makeUser(admin, 'locked')
  const locked = harborOf(server.url, 'locked')
  const profile = { email: 'locked@example.com', realname: 'l' }
  expect((await admin('PUT', `/users/${number}`, { ...profile, disabled: true })).status).toBe(200)
  expect((await locked('GET', '/users/current')).status).toBe(401)
  expect((await admin('PUT', `/users/${number}`, profile)).status).toBe(200)
  expect((await locked('GET', '/users/current')).status).toBe(401)
  expect((await admin('PUT', `/users/${number}`, { ...profile, disabled: false })).status).toBe(200)
  expect((await locked('GET', '/users/current')).status).toBe(200)
})

test('everybody can list what they may in a project', async () => {
  const permissions = async (who: Harbor, query: string) => {
    const answer = await who('GET', `/users/current/permissions?${query}`)
    expect(answer.status).toBe(200)
    return answer.json.map((each: { resource: string; action: string }) => `${each.resource}:${each.action}`)
  }
  expect(await permissions(admin, 'scope=/project/1')).toContain('/project/1/member:create')
  expect(await permissions(admin, 'scope=/project/1&relative=true')).toContain('.:delete')
  // `library` is public: everybody may pull.
  expect(await permissions(alice, 'scope=/project/1/repository&relative=true')).toEqual(['.:list', '.:pull'])
  expect(await permissions(alice, 'scope=/project/999')).toEqual([])
  expect(await permissions(alice, 'scope=/system')).toEqual([])
  expect(await permissions(admin, 'scope=/system')).toContain('/system/user:list')
  expect(await permissions(admin, '')).toEqual([])
  expect((await nobody('GET', '/users/current/permissions')).status).toBe(401)
})

test('a wrong password and an unknown name are refused alike', async () => {
  const wrong = await harborOf(server.url, 'alice', 'Wrong-passw0rd')('GET', '/users/current')
  const unknown = await harborOf(server.url, 'no-such-user', 'Wrong-passw0rd')('GET', '/users/current')
  expect(wrong.status).toBe(401)
  expect(wrong.json).toEqual(unknown.json)
})
