// People of the Cognito pool: they log in with name and password, and a group of theirs has a role in a project.
import { beforeAll, expect, test } from 'vitest'
import { askerOf, logIn } from '../../lib/doctor/client.ts'
import { askerFor, pushImage } from './everything.ts'
import { joinPool, managementOf } from './management.ts'
import { sharedTwin } from './shared.ts'
import type { Twin } from './twin.ts'

const PASSWORD = 'Pool-password-12'
const NAME = 'pool/app'
let twin: Twin
beforeAll(async () => {
  twin = await sharedTwin()
  await joinPool(twin, 'ann', PASSWORD, 'crew')
  const admin = managementOf(twin, 'admin', twin.adminPassword)
  await admin('POST', '/projects', 201, { project_name: 'pool' })
  const group = { group_name: 'crew', group_type: 3 }
  await admin('POST', '/projects/pool/members', 201, { role_id: 2, member_group: group })
})

const challenge = () => `Bearer realm="${twin.url}/service/token",service="entrepot"`
const token = (user: string, password: string) => logIn(twin.url, challenge(), { user, password }, NAME)
const askedPool = () =>
  Object.values(twin.cloud.witnesses)
    .flatMap(({ calls }) => calls)
    .filter(({ action }) => action.startsWith('cognito-idp:')).length

test('a user of the pool logs in, pushes by the role of a group, and many requests ask the pool once', async () => {
  const before = askedPool()
  const jwt = await token('ann', PASSWORD)
  const ask = askerOf(twin.url, () => jwt)
  await pushImage(ask, NAME, 'v1')
  for (let pull = 0; pull < 10; pull++)
    expect((await ask('GET', `/v2/${NAME}/manifests/v1`)).status).toBe(200)
  expect(askedPool() - before).toBe(1)
  const { json } = await managementOf(twin, 'ann', PASSWORD)('GET', '/users/current', 200)
  expect(json).toMatchObject({ username: 'ann', email: 'ann@example.com', sysadmin_flag: false })
})

test('a browser of somebody in the pool has a session through the edge', async () => {
  const ask = askerOf(twin.url, () => undefined)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const body = Buffer.from(new URLSearchParams({ principal: 'ann', password: PASSWORD }).toString())
  const answer = await ask('POST', '/c/login', { anonymous: true, body, headers })
  expect(answer.status).toBe(200)
  const [cookie] = answer.headers.get('set-cookie')!.split(';')
  expect(answer.headers.get('set-cookie')).toContain('; Secure')
  const seen = await ask('GET', '/api/v2.0/users/current', { anonymous: true, headers: { cookie: cookie! } })
  expect(seen.status).toBe(200)
  const refused = await ask('POST', '/api/v2.0/projects', { anonymous: true, headers: { cookie: cookie! } })
  expect([refused.status, refused.headers.has('x-harbor-csrf-token')]).toEqual([403, true])
})

test('a wrong password is refused, and so is who is not in the pool', async () => {
  await expect(token('ann', 'wrong')).rejects.toThrow('401')
  await expect(token('nobody', PASSWORD)).rejects.toThrow('401')
})

test('whoever is disabled here cannot push any more, whatever the pool says', async () => {
  const jwt = await token('ann', PASSWORD)
  const admin = await askerFor(twin, NAME)
  expect((await admin('GET', `/v2/${NAME}/tags/list`)).status).toBe(200)
  const management = managementOf(twin, 'admin', twin.adminPassword)
  const { json: users } = await management('GET', '/users?username=ann', 200)
  await management('DELETE', `/users/${users[0].user_id}`, 200)
  await expect
    .poll(async () => (await askerOf(twin.url, () => jwt)('POST', `/v2/${NAME}/blobs/uploads/`)).status)
    .toBe(401)
})
