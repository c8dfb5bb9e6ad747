// Projects by Harbor's API: who sees them, what they are set to, what they use, and when they can go.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { clientOf, pushImage } from './client.ts'
import { basic, type Harbor, harborOf } from './management.ts'

let server: Server
let admin: Harbor
const nobody = () => harborOf(server.url)
beforeAll(async () => {
  server = await startServer({ open: false })
  admin = harborOf(server.url, 'admin')
})
afterAll(() => server.stop())
const names = (rows: { name: string }[]) => rows.map(({ name }) => name)

test('what needs no login is answered without one', async () => {
  const ping = await nobody()('GET', '/ping')
  expect([ping.status, ping.body.toString()]).toEqual([200, 'Pong'])
  expect((await nobody()('GET', '/health')).json).toMatchObject({ status: 'healthy' })
  const info = (await nobody()('GET', '/systeminfo')).json
  expect(Object.keys(info).sort()).toEqual(
    ['auth_mode', 'banner_message', 'oidc_provider_name', 'primary_auth_mode', 'self_registration'].sort(),
  )
  expect((await admin('GET', '/systeminfo')).json.harbor_version).toMatch(/^v2\.14\./)
  const version = await clientOf(server.url)('GET', '/api/version')
  expect(JSON.parse(version.body.toString())).toEqual({ version: 'v2.0' })
})

test('the first project is library, public, with the number 1', async () => {
  expect((await nobody()('GET', '/projects/1')).json).toMatchObject({
    project_id: 1,
    name: 'library',
    metadata: { public: 'true' },
    repo_count: 0,
  })
})

test('a project is made with its metadata as text, and found by name, number and header', async () => {
  const made = await admin('POST', '/projects', {
    project_name: '2024',
    metadata: { public: 'false', auto_scan: 'true', severity: 'low', proxy_cache_local_on_not_found: 'true' },
    storage_limit: -1,
    unknown: { is: 'ignored' },
  })
  expect(made.status).toBe(201)
  expect(made.headers.location).toMatch(/^\/api\/v2\.0\/projects\/\d+$/)
  const number = String(made.headers.location).split('/').at(-1)
  const byNumber = await admin('GET', `/projects/${number}`)
  const byName = await admin('GET', '/projects/2024', undefined, { 'X-Is-Resource-Name': 'true' })
  expect(byNumber.json).toEqual(byName.json)
  expect(byName.json).toMatchObject({
    name: '2024',
    owner_name: 'admin',
    owner_id: 1,
    current_user_role_id: 1,
    metadata: { public: 'false', auto_scan: 'true', severity: 'low', proxy_cache_local_on_not_found: 'true' },
  })
  expect((await admin('GET', '/projects/2024')).status).toBe(404) // a number
  const named = await admin(
    'POST',
    '/projects',
    { project_name: 'named' },
    { 'X-Resource-Name-In-Location': 'true' },
  )
  expect(named.headers.location).toBe('/api/v2.0/projects/named')
  expect(await admin('POST', '/projects', { project_name: 'named' })).toMatchObject({
    status: 409,
    code: 'CONFLICT',
  })
})

test('what a project cannot be is 400, saying why', async () => {
  for (const [body, why] of [
    [{ project_name: 'Not Lower' }, 'lowercase'],
    [{ project_name: 'x', metadata: { severity: 'awful' } }, 'critical'],
    [{ project_name: 'x', metadata: { auto_scan: 'maybe' } }, 'true or false'],
    [{ project_name: 'x', storage_limit: -2 }, 'bytes'],
  ] as const)
    expect(await admin('POST', '/projects', body)).toMatchObject({
      status: 400,
      message: expect.stringContaining(why),
    })
  expect(await admin('POST', '/projects', { project_name: 7 })).toMatchObject({ status: 422 })
  const http = clientOf(server.url, basic('admin', ADMIN_PASSWORD))
  expect(await http('POST', '/api/v2.0/projects', { body: '{"project_name":' })).toMatchObject({
    status: 400,
  })
  expect(await http('POST', '/api/v2.0/projects', { body: `"${'x'.repeat(1_100_000)}"` })).toMatchObject({
    status: 413,
  })
})

test('a private project is nobody’s business: whoever may not see it is told the same as of one that is not there', async () => {
  await admin('POST', '/projects', { project_name: 'secret' })
  const seen = await nobody()('GET', '/projects/secret')
  const missing = await nobody()('GET', '/projects/absent')
  expect([seen.status, missing.status]).toEqual([401, 401])
  expect(seen.message.replaceAll('secret', '…')).toBe(missing.message.replaceAll('absent', '…'))
  expect(names((await nobody()('GET', '/projects')).json)).not.toContain('secret')
  expect((await admin('GET', '/projects/absent')).status).toBe(404)
})

test('lists are cut into pages: past the end there is nothing, and 0 is everything', async () => {
  for (const each of ['page-a', 'page-b', 'page-c']) await admin('POST', '/projects', { project_name: each })
  const first = await admin('GET', '/projects?page=1&page_size=2&q=&sort=-name&name=page-')
  expect(names(first.json)).toEqual(['page-c', 'page-b'])
  expect(first.headers['x-total-count']).toBe('3')
  expect(first.headers.link).toMatch(/^<\/api\/v2\.0\/projects\?.*page=2.*>; rel="next"$/)
  const second = await admin('GET', '/projects/?page=2&page_size=2&sort=-name&name=page-')
  expect(names(second.json)).toEqual(['page-a'])
  expect(second.headers.link).toContain('rel="prev"')
  expect(await admin('GET', '/projects?page=1000000')).toMatchObject({ status: 200, json: [] })
  expect(names((await admin('GET', '/projects?page=0&page_size=0&name=page-')).json)).toHaveLength(3)
  expect((await admin('GET', '/projects?page_size=101')).status).toBe(422)
  expect(names((await admin('GET', '/projects?q=name=~age-b')).json)).toEqual(['page-b'])
  expect(
    names(
      (
        await admin(
          'GET',
          `/projects?q=${encodeURIComponent(encodeURIComponent("name={'page-a' 'page-c'}"))}`,
        )
      ).json,
    ),
  ).toEqual(['page-a', 'page-c'])
  expect((await admin('GET', '/projects?q=name')).status).toBe(400)
})

test('metadata are set one by one, and never become anything but text', async () => {
  await admin('POST', '/projects', { project_name: 'meta' })
  const path = '/projects/meta/metadatas/'
  expect((await admin('POST', path, { auto_scan: 'true' })).status).toBe(200)
  expect((await admin('GET', path)).json).toEqual({ public: 'false', auto_scan: 'true' })
  expect((await admin('PUT', `${path}auto_scan`, { auto_scan: 'false' })).status).toBe(200)
  expect((await admin('GET', `${path}auto_scan`)).json).toEqual({ auto_scan: 'false' })
  expect((await admin('POST', path, { auto_scan: true })).status).toBe(422)
  expect((await admin('DELETE', `${path}auto_scan`)).status).toBe(200)
  expect((await admin('GET', `${path}auto_scan`)).status).toBe(404)
  await admin('PUT', '/projects/meta', {
    metadata: { public: 'true', prevent_vul: 'true' },
    cve_allowlist: { items: [{ cve_id: 'CVE-2' }, { cve_id: 'CVE-1' }] },
  })
  expect((await nobody()('GET', '/projects/meta')).json).toMatchObject({
    metadata: { public: 'true', prevent_vul: 'true' },
    cve_allowlist: { items: [{ cve_id: 'CVE-2' }, { cve_id: 'CVE-1' }] },
  })
})

test('a blob counts once in a project, at once, and not at all once its repositories are deleted', async () => {
  await admin('POST', '/projects', { project_name: 'counted' })
  const { project_id: number } = (await admin('GET', '/projects/counted')).json
  const push = (name: string) => pushImage(clientOf(server.url, basic('admin', ADMIN_PASSWORD)), name, 'v1')
  const used = async () => (await admin('GET', `/quotas/${number}`)).json.used.storage
  expect(await used()).toBe(0)
  await push('counted/one')
  const once = await used()
  expect(once).toBeGreaterThan(0)
  expect((await admin('GET', '/projects/counted/summary')).json).toMatchObject({
    repo_count: 1,
    project_admin_count: 1,
    quota: { hard: { storage: -1 }, used: { storage: once } },
  })
  expect((await admin('GET', '/projects/counted/_deletable')).json).toMatchObject({ deletable: false })
  expect(await admin('DELETE', '/projects/counted')).toMatchObject({ status: 412, code: 'PRECONDITION' })
})

test('quotas are listed, changed, and refuse what is no number', async () => {
  await admin('POST', '/projects', { project_name: 'limited', storage_limit: 1000 })
  const { project_id: id } = (await admin('GET', '/projects/limited')).json
  const [quota] = (await admin('GET', `/quotas/?reference=project&reference_id=${id}`)).json
  expect(quota).toMatchObject({
    id,
    ref: { id, name: 'limited', owner_name: 'admin' },
    hard: { storage: 1000 },
  })
  expect((await admin('PUT', `/quotas/${id}`, { hard: { storage: 5 * 2 ** 30 } })).status).toBe(200)
  expect((await admin('GET', `/quotas/${id}`)).json.hard.storage).toBe(5 * 2 ** 30)
  for (const storage of [0, -2, 1.5, 'x'])
    expect((await admin('PUT', `/quotas/${id}`, { hard: { storage } })).status).toBeGreaterThanOrEqual(400)
  expect((await admin('GET', '/quotas/999999')).status).toBe(404)
  expect((await nobody()('GET', '/quotas')).status).toBe(401)
})

test('a deleted project is gone with its members, and its name can be used again under another number', async () => {
  await admin('POST', '/projects', { project_name: 'again' })
  const before = (await admin('GET', '/projects/again')).json.project_id
  expect((await admin('DELETE', '/projects/again')).status).toBe(200)
  expect((await admin('GET', '/projects/again')).status).toBe(404)
  expect((await admin('GET', `/projects/${before}`)).status).toBe(404)
  expect((await admin('POST', '/projects', { project_name: 'again' })).status).toBe(201)
  expect((await admin('GET', '/projects/again')).json.project_id).toBeGreaterThan(before)
})

test('every action is in the audit log once, with who did it', async () => {
  await admin('POST', '/projects', { project_name: 'audited' })
  await pushImage(clientOf(server.url, basic('admin', ADMIN_PASSWORD)), 'audited/app', 'v1')
  await expect
    .poll(async () => (await admin('GET', '/projects/audited/auditlog-exts')).json.length, { timeout: 5000 })
    .toBe(2)
  const entries = (await admin('GET', '/auditlog-exts?q=resource=~audited&sort=op_time')).json
  expect(
    entries.map((each: Record<string, unknown>) => [
      each.username,
      each.operation,
      each.resource_type,
      each.resource,
    ]),
  ).toEqual([
    ['admin', 'create', 'project', 'audited'],
    ['admin', 'create', 'artifact', 'audited/app:v1'],
  ])
  expect((await nobody()('GET', '/audit-logs')).status).toBe(401)
})

test('the statistics count what there is', async () => {
  const counts = (await admin('GET', '/statistics')).json
  expect(counts.total_project_count).toBe(counts.private_project_count + counts.public_project_count)
  expect(counts.total_storage_consumption).toBeGreaterThan(0)
})

test('whether a name is taken is asked by HEAD, and the log of a project is there in its old shape too', async () => {
  expect((await admin('HEAD', '/projects?project_name=library')).status).toBe(200)
  expect((await admin('HEAD', '/projects?project_name=free')).status).toBe(404)
  await admin('POST', '/projects', { project_name: 'logged' })
  const [entry] = (await admin('GET', '/projects/logged/logs')).json
  expect(entry).toMatchObject({ username: 'admin', operation: 'create', resource_type: 'project' })
  const types = (await admin('GET', '/auditlog-exts/events')).json
  expect(types).toContainEqual({ event_type: 'create_project' })
  expect((await nobody()('GET', '/auditlog-exts/events')).status).toBe(401)
})

test('a push into a full project is refused, saying what it adds and what the limit is', async () => {
  await admin('POST', '/projects', { project_name: 'full', storage_limit: 10 })
  const push = pushImage(clientOf(server.url, basic('admin', ADMIN_PASSWORD)), 'full/app', 'v1')
  await expect(push).rejects.toThrow('will exceed the configured upper limit of 10 B')
  await admin('PUT', `/quotas/${(await admin('GET', '/projects/full')).json.project_id}`, {
    hard: { storage: -1 },
  })
  await pushImage(clientOf(server.url, basic('admin', ADMIN_PASSWORD)), 'full/app', 'v1')
})
