// Settings of the registry over the management API.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../support/server.ts'
import { type Harbor, harborOf, makeUser, PASSWORD } from './management.ts'

let server: Server
let admin: Harbor
beforeAll(async () => {
  server = await startServer({ open: false })
  admin = harborOf(server.url, 'admin')
  await makeUser(admin, 'alice')
})
afterAll(() => server.stop())

const value = async (key: string) => (await admin('GET', '/configurations')).json[key]?.value
const put = (body: unknown) => admin('PUT', '/configurations', body)

test('every setting has a value of its type and says that it can be changed; secrets are not there', async () => {
  const { json } = await admin('GET', '/configurations')
  expect(json).toMatchObject({
    auth_mode: { value: 'db_auth', editable: true },
    primary_auth_mode: { value: false, editable: true },
    robot_name_prefix: { value: 'robot$', editable: true },
    robot_token_duration: { value: 30, editable: true },
    storage_per_project: { value: -1, editable: true },
    quota_per_project_enable: { value: true, editable: true },
    banner_message: { value: '', editable: true },
  })
  for (const item of Object.values<object>(json)) expect(Object.keys(item)).toEqual(['value', 'editable'])
  expect((await put({ ldap_search_password: 'hidden-1', oidc_client_secret: 'hidden-2' })).status).toBe(200)
  for (const path of ['/configurations', '/internalconfig'])
    expect((await admin('GET', path)).body.toString()).not.toMatch(/hidden|password|client_secret/)
})

test('a change names the settings it changes; others stay, and unknown ones are ignored', async () => {
  expect((await put({ token_expiration: 45, no_such_setting: [1], __proto__: 1 })).status).toBe(200)
  expect(
    (await put('{"banner_message":"{\\"message\\":\\"hello\\"}","__proto__":{"read_only":true}}')).status,
  ).toBe(200)
  expect(await value('token_expiration')).toBe(45)
  expect(await value('banner_message')).toBe('{"message":"hello"}')
  expect(await value('read_only')).toBe(false)
  expect(await value('no_such_setting')).toBeUndefined()
  expect((await put({ token_expiration: '50', self_registration: 'false' })).status).toBe(200)
  expect(await value('token_expiration')).toBe(50)
})

test('the way of logging in can be set at any time, though there are users', async () => {
  for (const auth_mode of ['oidc_auth', 'ldap_auth', 'db_auth']) {
    expect((await put({ auth_mode, primary_auth_mode: true })).status).toBe(200)
    expect(await value('auth_mode')).toBe(auth_mode)
  }
})

test.each([
  [{ token_expiration: 'soon' }, 'token_expiration must be a number'],
  [{ token_expiration: 0 }, 'must be positive'],
  [{ robot_token_duration: -1 }, 'must be positive'],
  [{ session_timeout: 99_999_999_999 }, 'must be positive'],
  [{ read_only: 'perhaps' }, 'read_only must be a boolean'],
  [{ read_only: null }, 'read_only must be a boolean'],
  [{ banner_message: 7 }, 'banner_message must be a string'],
  [{ banner_message: 'x'.repeat(5000) }, 'banner_message must be a string'],
  [{ auth_mode: 'magic' }, 'must be one of db_auth'],
  [{ project_creation_restriction: 'nobody' }, 'must be one of everyone, adminonly'],
  [{ storage_per_project: -5 }, 'must be -1'],
  [{ robot_name_prefix: '' }, 'robot_name_prefix'],
  [{ robot_name_prefix: 'a:b' }, 'no colon'],
  [{ robot_name_prefix: 'rоbot$' }, 'ASCII'],
])('%o is refused, and nothing of the change is made', async (wrong, why) => {
  const answer = await put({ ldap_filter: 'changed', ...wrong })
  expect([answer.status, answer.message]).toEqual([400, expect.stringContaining(why)])
  expect(await value('ldap_filter')).toBe('')
})

test('changes of different settings at once are all kept', async () => {
  const numbers = Array.from({ length: 8 }, (_, at) => at + 60)
  const names = ['token_expiration', 'session_timeout', 'robot_token_duration', 'ldap_timeout']
  const sent = names.map((name, at) => put({ [name]: numbers[at] }))
  expect((await Promise.all(sent)).map(({ status }) => status)).toEqual([200, 200, 200, 200])
  for (const [at, name] of names.entries()) expect(await value(name)).toBe(numbers[at])
})

test('a prefix of robots locks no user out, and no user takes the name of a robot', async () => {
  await put({ robot_name_prefix: 'al' })
  expect((await harborOf(server.url, 'alice')('GET', '/users/current')).status).toBe(200)
  const user = { username: 'alfred', email: 'alf@example.com', realname: 'a', password: PASSWORD }
  expect((await admin('POST', '/users', user)).status).toBe(400)
  await put({ robot_name_prefix: 'robot$' })
})

test('only administrators see and change settings', async () => {
  const alice = harborOf(server.url, 'alice')
  const nobody = harborOf(server.url)
  for (const [method, path] of [
    ['GET', '/configurations'],
    ['PUT', '/configurations'],
    ['GET', '/internalconfig'],
  ] as const) {
    const body = method === 'PUT' ? { read_only: true } : undefined
    expect([path, (await alice(method, path, body)).status]).toEqual([path, 403])
    expect([path, (await nobody(method, path, body)).status]).toEqual([path, 401])
  }
})

test('anonymous callers register themselves only while the configuration lets them', async () => {
  const nobody = harborOf(server.url)
  const user = {
    username: 'new-here',
    email: 'n@example.com',
    realname: 'n',
    password: PASSWORD,
    sysadmin_flag: true,
  }
  expect((await nobody('POST', '/users', user)).status).toBe(401)
  await put({ self_registration: true })
  expect((await nobody('POST', '/users', user)).status).toBe(201)
  const { json } = await harborOf(server.url, 'new-here')('GET', '/users/current')
  expect(json).toMatchObject({ username: 'new-here', sysadmin_flag: false })
  const other = { ...user, username: 'second', email: 's@example.com' }
  expect((await harborOf(server.url, 'alice')('POST', '/users', other)).status).toBe(403)
  await put({ self_registration: false })
  expect((await nobody('POST', '/users', other)).status).toBe(401)
})
