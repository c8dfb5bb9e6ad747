// Members of projects over the management API.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../support/server.ts'
import { type Harbor, harborOf, makeProject, makeUser, numberOf } from './management.ts'

let server: Server
let admin: Harbor
let outsider: Harbor
beforeAll(async () => {
  server = await startServer({ open: false })
  admin = harborOf(server.url, 'admin')
  outsider = harborOf(server.url, 'outsider')
  await makeUser(admin, 'outsider')
  for (const name of ['team', '2024']) await makeProject(admin, name)
})
afterAll(() => server.stop())

const MEMBERS = '/projects/team/members'
const add = (username: string, role_id: number, who = admin) =>
  who('POST', MEMBERS, { role_id, member_user: { username }, member_group: {} })

test('a user becomes a member by name or number, and the Location has the project as it was given', async () => {
  const number = await makeUser(admin, 'ann')
  const answer = await add('ann', 2)
  expect(answer.headers.location).toMatch(/^\/api\/v2\.0\/projects\/team\/members\/\d+$/)
  const member = await admin('GET', `${MEMBERS}/${numberOf(answer)}`)
  expect(member.json).toEqual({
    id: numberOf(answer),
    project_id: expect.any(Number),
    entity_id: number,
    entity_name: 'ann',
    entity_type: 'u',
    role_id: 2,
    role_name: 'developer',
  })
  const { project_id } = member.json
  const byNumber = await admin('POST', `/projects/${project_id}/members`, {
    role_id: 3,
    member_user: { user_id: await makeUser(admin, 'ben') },
  })
  expect(byNumber.headers.location).toMatch(new RegExp(`^/api/v2\\.0/projects/${project_id}/members/\\d+$`))
})

test.each([
  [1, 'projectAdmin'],
  [2, 'developer'],
  [3, 'guest'],
  [4, 'maintainer'],
  [5, 'limitedGuest'],
])('role %i is %s, and counts at once', async (role_id, role_name) => {
  const name = `role-${role_id}`
  await makeUser(admin, name)
  const who = harborOf(server.url, name)
  expect((await who('GET', MEMBERS)).status).toBe(403)
  const member = numberOf(await add(name, role_id))
  expect((await admin('GET', `${MEMBERS}/${member}`)).json.role_name).toBe(role_name)
  expect((await who('GET', MEMBERS)).status).toBe(role_id === 5 ? 403 : 200)
  expect((await add('outsider', 99, who)).status).toBe(role_id === 1 ? 400 : 403)
  expect((await admin('DELETE', `${MEMBERS}/${member}`)).status).toBe(200)
  expect((await who('GET', MEMBERS)).status).toBe(403)
})

test('groups become members by number, by name, or by directory name, and are made when unknown', async () => {
  const group = numberOf(await admin('POST', '/usergroups', { group_name: 'known', group_type: 3 }))
  const post = (member_group: object) => admin('POST', MEMBERS, { role_id: 3, member_user: {}, member_group })
  expect((await post({ id: group })).status).toBe(201)
  expect((await post({ group_name: 'known', group_type: 3 })).status).toBe(409)
  expect((await post({ group_name: 'unknown', group_type: 2 })).status).toBe(201)
  expect((await post({ ldap_group_dn: 'cn=x,dc=example' })).status).toBe(201)
  expect((await post({ ldap_group_dn: 'cn=x,dc=example' })).status).toBe(409)
  const { json } = await admin('GET', `/usergroups/search?groupname=unknown`)
  expect(json).toMatchObject([{ group_name: 'unknown', group_type: 2 }])
  const listed = (await admin('GET', `${MEMBERS}?page_size=100`)).json
  expect(listed.filter((each: { entity_type: string }) => each.entity_type === 'g')).toHaveLength(3)
  await admin('PUT', `/usergroups/${group}`, { group_name: 'renamed' })
  expect((await admin('GET', `${MEMBERS}?entityname=renamed`)).json).toHaveLength(1)
  await admin('DELETE', `/usergroups/${group}`)
  expect((await admin('GET', `${MEMBERS}?entityname=renamed`)).json).toEqual([])
})

test('nobody named, somebody unknown, somebody twice, or an unknown role is refused', async () => {
  await makeUser(admin, 'twice')
  const status = async (body: object) => (await admin('POST', MEMBERS, body)).status
  expect(await status({ role_id: 1 })).toBe(400)
  expect(await status({ role_id: 1, member_user: {}, member_group: {} })).toBe(400)
  expect(await status({ role_id: 1, member_user: { username: 'no-such' } })).toBe(404)
  expect(await status({ role_id: 1, member_user: { user_id: 99_999 } })).toBe(400)
  expect(await status({ role_id: 6, member_user: { username: 'twice' } })).toBe(400)
  expect(await status({ member_user: { username: 'twice' } })).toBe(400)
  expect(await status({ role_id: 'projectAdmin', member_user: { username: 'twice' } })).toBe(422)
  expect(await status({ role_id: 1, member_user: 'twice' })).toBe(422)
  expect(await status({ role_id: 1, member_user: { username: 'twice' } })).toBe(201)
  expect(await status({ role_id: 2, member_user: { username: 'TWICE' } })).toBe(409)
})

test('of many who add the same user at once, or change the role, one answer is the truth', async () => {
  await makeUser(admin, 'raced')
  const added = await Promise.all([1, 2, 3, 4, 5].map((role) => add('raced', role)))
  expect(added.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409])
  const member = numberOf(added.find(({ status }) => status === 201)!)
  const path = `${MEMBERS}/${member}`
  const changed = await Promise.all([1, 2, 3, 4, 5].map((role_id) => admin('PUT', path, { role_id })))
  expect(new Set(changed.map(({ status }) => status))).toEqual(new Set([200]))
  const all = (await admin('GET', `${MEMBERS}?entityname=raced`)).json
  expect(all).toHaveLength(1)
  const ended = await Promise.all([
    ...[1, 2, 3].map(() => admin('DELETE', path)),
    ...[1, 2, 3].map((role_id) => admin('PUT', path, { role_id })),
  ])
  expect(ended.every(({ status }) => status === 200 || status === 404)).toBe(true)
  expect((await admin('GET', path)).status).toBe(404)
  expect((await admin('GET', `${MEMBERS}?entityname=raced`)).json).toEqual([])
})

test('a project administrator may give up the role, and has it no more', async () => {
  await makeUser(admin, 'leaver')
  const leaver = harborOf(server.url, 'leaver')
  const path = `${MEMBERS}/${numberOf(await add('leaver', 1))}`
  expect((await leaver('PUT', path, { role_id: 3 })).status).toBe(200)
  expect((await leaver('PUT', path, { role_id: 1 })).status).toBe(403)
})

test('a member who was deleted is listed no more', async () => {
  const number = await makeUser(admin, 'brief')
  await add('brief', 1)
  await admin('DELETE', `/users/${number}`)
  expect((await admin('GET', `${MEMBERS}?entityname=brief`)).json).toEqual([])
})

test('a missing project and one that is somebody else’s are refused alike; administrators are told', async () => {
  const hidden = await outsider('GET', MEMBERS)
  const missing = await outsider('GET', '/projects/no-such/members')
  expect([hidden.status, missing.status]).toEqual([403, 403])
  expect(missing.message.replaceAll('no-such', 'team')).toBe(hidden.message)
  expect((await harborOf(server.url)('GET', MEMBERS)).status).toBe(401)
  expect((await harborOf(server.url)('GET', '/projects/no-such/members')).status).toBe(401)
  expect((await admin('GET', '/projects/no-such/members')).status).toBe(404)
  expect((await admin('GET', `${MEMBERS}/99999`)).status).toBe(404)
  expect((await admin('GET', `${MEMBERS}/x`)).status).toBe(422)
})

test('a project whose name is all digits is reached with the header of Harbor', async () => {
  const named = { 'x-is-resource-name': 'true' }
  expect((await admin('GET', '/projects/2024/members', undefined, named)).status).toBe(200)
  expect((await admin('GET', '/projects/2024/members')).status).toBe(404)
})

test('members come in pages, by name; a page far beyond is empty', async () => {
  const page = await admin('GET', `${MEMBERS}?page=1&page_size=2`)
  expect(page.json).toHaveLength(2)
  expect(Number(page.headers['x-total-count'])).toBeGreaterThan(2)
  const all = (await admin('GET', `${MEMBERS}?page=0&page_size=0`)).json
  const names = all.map((each: { entity_name: string }) => each.entity_name)
  expect(names).toEqual(names.toSorted())
  expect((await admin('GET', `${MEMBERS}?page=900000000&page_size=100`)).json).toEqual([])
})
