// The allowlist of the whole registry (goharbor/harbor v2.14: src/server/v2.0/handler/sys_cve_allowlist.go), and who
// owns the project that was always there.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../support/server.ts'
import { type Harbor, harborOf, makeUser } from './management.ts'

let server: Server
let admin: Harbor
let user: Harbor
const PATH = '/system/CVEAllowlist'

beforeAll(async () => {
  server = await startServer({ open: false })
  admin = harborOf(server.url, 'admin')
  await makeUser(admin, 'sailor')
  user = harborOf(server.url, 'sailor')
})
afterAll(() => server.stop())

test('administrators set the system’s allowlist, and whoever has logged in reads it', async () => {
  expect((await user('GET', PATH)).json).toMatchObject({ project_id: 0, items: [] })
  const allowlist = { items: [{ cve_id: 'CVE-2020-2' }, { cve_id: 'CVE-2019-1' }], expires_at: 1_900_000_000 }
  expect((await admin('PUT', PATH, allowlist)).status).toBe(200)
  const { json } = await user('GET', PATH)
  expect(json).toEqual({
    id: 1,
    project_id: 0,
    ...allowlist,
    creation_time: expect.any(String),
    update_time: expect.any(String),
  })
  expect((await admin('PUT', PATH, { items: [] })).status).toBe(200)
  const emptied = (await user('GET', PATH)).json
  expect([emptied.items, emptied.expires_at, emptied.creation_time]).toEqual([
    [],
    undefined,
    json.creation_time,
  ])
  const log = await admin('GET', '/auditlog-exts?q=resource=CVEAllowlist')
  expect(log.json.map((each: { username: string }) => each.username)).toEqual(['admin', 'admin'])
})

test('nobody else sets it, and it has to be one', async () => {
  expect((await user('PUT', PATH, { items: [] })).status).toBe(403)
  expect((await harborOf(server.url)('PUT', PATH, { items: [] })).status).toBe(401)
  expect((await harborOf(server.url)('GET', PATH)).status).toBe(401)
  expect((await admin('PUT', PATH, { items: [{ cve_id: '' }] })).status).toBe(400)
  expect((await admin('PUT', PATH, { items: 'CVE-2019-1' })).status).toBe(422)
})

test('the library project belongs to the first administrator', async () => {
  expect((await admin('GET', '/projects/library')).json).toMatchObject({ owner_id: 1, owner_name: 'admin' })
})

test('without a private authority there is no certificate to download', async () => {
  expect((await harborOf(server.url)('GET', '/systeminfo/getcert')).status).toBe(404)
  expect((await admin('GET', '/systeminfo')).json.has_ca_root).toBe(false)
})
