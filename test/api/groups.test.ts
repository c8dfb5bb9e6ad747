// User groups over the management API.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../support/server.ts'
import { type Harbor, harborOf, makeUser, numberOf } from './management.ts'

let server: Server
let admin: Harbor
let alice: Harbor
beforeAll(async () => {
  server = await startServer({ open: false })
  admin = harborOf(server.url, 'admin')
  alice = harborOf(server.url, 'alice')
  await makeUser(admin, 'alice')
})
afterAll(() => server.stop())

const DN = 'cn=devs,ou=groups,dc=example,dc=com'

test('a group is created, read, renamed and deleted', async () => {
  const created = await admin('POST', '/usergroups', { group_name: 'devs', group_type: 1, ldap_group_dn: DN })
  expect(created.headers.location).toMatch(/^\/api\/v2\.0\/usergroups\/\d+$/)
  const number = numberOf(created)
  const row = { id: number, group_name: 'devs', group_type: 1, ldap_group_dn: DN }
  expect((await admin('GET', `/usergroups/${number}`)).json).toEqual(row)
  expect((await admin('PUT', `/usergroups/${number}`, { group_name: 'developers' })).status).toBe(200)
  expect((await admin('GET', `/usergroups?ldap_group_dn=${DN}`)).json).toEqual([
    { ...row, group_name: 'developers' },
  ])
  expect((await admin('DELETE', `/usergroups/${number}`)).status).toBe(200)
  expect((await admin('GET', `/usergroups/${number}`)).status).toBe(404)
  expect((await admin('DELETE', `/usergroups/${number}`)).status).toBe(404)
})

test('a group without a name, of an unknown type, or there already, is refused', async () => {
  const post = async (group: object) => (await admin('POST', '/usergroups', group)).status
  expect(await post({ group_type: 3 })).toBe(400)
  expect(await post({ group_name: 'x' })).toBe(400)
  expect(await post({ group_name: 'x', group_type: 4 })).toBe(400)
  expect(await post({ group_name: 'x', group_type: 1 })).toBe(400)
  expect(await post({ group_name: 'x', group_type: '3' })).toBe(422)
  expect(await post({ group_name: 'twice', group_type: 3 })).toBe(201)
  expect(await post({ group_name: 'twice', group_type: 3 })).toBe(409)
  expect(await post({ group_name: 'twice', group_type: 2 })).toBe(201)
})

test('two who create the same group at once get one', async () => {
  const group = { group_name: 'at-once', group_type: 3 }
  const answers = await Promise.all(Array.from({ length: 5 }, () => admin('POST', '/usergroups', group)))
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409])
})

test('groups are managed by administrators, and searched by everybody who is logged in', async () => {
  await admin('POST', '/usergroups', { group_name: 'searched', group_type: 3 })
  expect((await alice('GET', '/usergroups')).status).toBe(403)
  expect((await alice('POST', '/usergroups', { group_name: 'mine', group_type: 3 })).status).toBe(403)
  expect((await harborOf(server.url)('GET', '/usergroups')).status).toBe(401)
  const found = await alice('GET', '/usergroups/search?groupname=SEARCH')
  expect(found.json).toEqual([{ id: expect.any(Number), group_name: 'searched', group_type: 3 }])
  expect((await alice('GET', '/usergroups/search?groupname=')).status).toBe(400)
})
