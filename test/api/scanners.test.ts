// Scanners that administrators register: kept, chosen, asked; and what becomes of scans when they misbehave.
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { DATABASE } from '../../lib/local/data-directory.ts'
import { REPORT_TYPE } from '../../lib/scanning/report.ts'
import { type FakeScanner, json, METADATA, reportOf, startFakeScanner } from '../support/fake-scanner.ts'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { clientOf, digest, MANIFEST, pushBlob } from './client.ts'
import { basic, type Harbor, harborOf, makeProject, makeUser } from './management.ts'

const TRIVY = '5c3b1c0e-7b4c-4d38-9f3d-0c3f1d1b7a11'
const CREDENTIAL = 'the key to the slipway'
const ARTIFACT = '/projects/library/repositories/app/artifacts/v1'
let server: Server
let admin: Harbor
let alice: Harbor
let fake: FakeScanner
let image: string
beforeAll(async () => {
  fake = await startFakeScanner()
  server = await startServer({
    open: false,
    args: ['--upstream-private-networks', '127.0.0.0/8', '--trivy', 'off'],
  })
  admin = harborOf(server.url, 'admin')
  alice = harborOf(server.url, 'alice')
  const number = await makeUser(admin, 'alice')
  await makeProject(admin, 'alices')
  await admin('POST', '/projects/alices/members', { role_id: 1, member_user: { user_id: number } })
  image = await pushRunnable()
})
afterAll(async () => {
  await server.stop()
  await fake.close()
})
beforeEach(async () => {
  fake.instead = {}
  fake.metadata = METADATA
  fake.asked.length = 0
  for (const { uuid, is_default } of (await admin('GET', '/scanners')).json)
    if (uuid !== TRIVY) await admin('DELETE', `/scanners/${uuid}`)
    else if (!is_default) await admin('PATCH', `/scanners/${uuid}`, { is_default: true })
})

/** One that can be run: nothing else is scanned. @returns its digest */
async function pushRunnable(): Promise<string> {
  const http = clientOf(server.url, basic('admin', ADMIN_PASSWORD))
  const described = async (mediaType: string, text: string) => ({
    mediaType: `application/vnd.oci.image.${mediaType}`,
    digest: await pushBlob(http, 'library/app', text),
    size: Buffer.byteLength(text),
  })
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: await described('config.v1+json', '{}'),
    layers: [await described('layer.v1.tar', 'a layer')],
  })
  const headers = { 'content-type': MANIFEST }
  const answer = await http('PUT', '/v2/library/app/manifests/v1', { headers, body })
  expect(answer.status).toBe(201)
  return digest(body)
}

const body = (name: string, more: object = {}) => ({ name, url: fake.url, ...more })

async function register(name: string, more: object = {}): Promise<string> {
  const made = await admin('POST', '/scanners', body(name, more))
  expect([made.status, made.message]).toEqual([201, ''])
  return made.headers.location!.split('/').at(-1)!
}

/** The default from now on. */
async function asDefault(name: string, more: object = {}): Promise<string> {
  const id = await register(name, more)
  expect((await admin('PATCH', `/scanners/${id}`, { is_default: true })).status).toBe(200)
  return id
}

async function scanned() {
  const begun = await admin('POST', `${ARTIFACT}/scan`)
  expect([begun.status, begun.message]).toEqual([202, ''])
  for (;;) {
    const answer = await admin('GET', `${ARTIFACT}?with_scan_overview=true`)
    const overview = answer.json.scan_overview[REPORT_TYPE]
    if (!['Pending', 'Running'].includes(overview.scan_status)) return overview
    await sleep(50)
  }
}

test('a scanner is registered when it answers, and read back but for its credential', async () => {
  const id = await register('keel', { auth: 'Bearer', access_credential: CREDENTIAL, description: 'below' })
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/)
  expect(fake.asked[0]!.headers.authorization).toBe(`Bearer ${CREDENTIAL}`)
  const { json: shown } = await admin('GET', `/scanners/${id}`)
  expect(shown).toEqual({
    uuid: id,
    name: 'keel',
    description: 'below',
    url: fake.url,
    disabled: false,
    is_default: false,
    health: 'healthy',
    auth: 'Bearer',
    access_credential: '',
    skip_certVerify: false,
    use_internal_addr: false,
    create_time: expect.any(String),
    update_time: expect.any(String),
    adapter: 'Barnacle',
    vendor: 'Hull & Keel',
    version: '1.2.3',
    capabilities: { support_vulnerability: true, support_sbom: true },
  })
  const listed = await admin('GET', '/scanners')
  expect(listed.json.map(({ name }: { name: string }) => name)).toEqual(['Trivy', 'keel'])
  expect(listed.json[1]).toEqual(shown)
  expect((await admin('GET', '/scanners?q=name%3Dkeel')).json).toEqual([shown])
  expect((await admin('GET', '/scanners?ex_name=kee')).json).toEqual([])
  const { json: metadata } = await admin('GET', `/scanners/${id}/metadata`)
  expect(metadata).toEqual(METADATA)
})

test('a credential is in no answer, in no log, and not in the database', async () => {
  const id = await register('mute', { auth: 'APIKey', access_credential: CREDENTIAL })
  for (const where of ['/scanners', `/scanners/${id}`, '/audit-logs'])
    expect((await admin('GET', where)).body.toString()).not.toContain(CREDENTIAL)
  expect((await admin('DELETE', `/scanners/${id}`)).body.toString()).not.toContain(CREDENTIAL)
  await register('mute', { auth: 'APIKey', access_credential: CREDENTIAL })
  if (process.env.TEST_STORES !== 'aws') {
    const db = new DatabaseSync(path.join(server.dataDir, DATABASE), { readOnly: true })
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()
    const everything = tables.flatMap(({ name }) => db.prepare(`SELECT * FROM "${name}"`).all())
    db.close()
    expect(JSON.stringify(everything)).toContain('mute')
    expect(JSON.stringify(everything)).not.toContain(CREDENTIAL)
  }
  expect(server.output()).not.toContain(CREDENTIAL)
})

test('one that does not answer, or answers anything, is not registered, and a ping says why', async () => {
  const refused = async (more: object, reason: RegExp) => {
    for (const where of ['/scanners', '/scanners/ping']) {
      const answer = await admin('POST', where, body('never', more))
      expect([answer.status, answer.message]).toEqual([400, expect.stringMatching(reason)])
    }
  }
  await refused({ url: 'http://127.0.0.1:1' }, /^scanner controller: ping: .*no connection.*ECONNREFUSED/)
  await refused({ url: 'http://169.254.169.254' }, /169\.254\.169\.254 is a private address/)
  await refused({ url: 'http://10.0.0.1' }, /private address.*upstreamPrivateNetworks/)
  fake.instead.metadata = (response) => void response.end('<html>')
  await refused({}, /its metadata is no JSON/)
  fake.instead.metadata = (response) => json(response, 401, { error: { message: 'who are you?' } })
  await refused({}, /it answered 401 instead of 200: who are you\?/)
  delete fake.instead.metadata
  fake.metadata = { ...METADATA, capabilities: [] }
  await refused({}, /invalid capabilities in metadata/)
  fake.metadata = METADATA
  expect((await admin('POST', '/scanners/ping', body('well'))).status).toBe(200)
  expect((await admin('GET', '/scanners')).json).toHaveLength(1)
})

test.each([
  [{ name: '' }, 400, 'missing registration name'],
  [{ name: 'Trivy' }, 400, 'name "Trivy" is reserved, please try a different name'],
  [{ url: '' }, 400, 'scanner registration validate: empty string'],
  [{ url: 'ftp://host' }, 400, 'scanner registration validate: invalid HTTP scheme: ftp'],
  [{ url: 'http://a:b@host' }, 400, 'scanner registration validate: a login belongs into access_credential'],
  [{ auth: 'Digest' }, 400, 'auth type Digest is not supported'],
  [{ auth: 'Basic' }, 400, 'access_credential is required for auth type Basic'],
  [
    { auth: 'Basic', access_credential: 'a\r\nb' },
    400,
    'access_credential must be at most 4096 printable characters of ASCII',
  ],
  [{ disabled: 'yes' }, 422, 'disabled in body must be true or false'],
])('%j is refused', async (wrong, status, message) => {
  const answer = await admin('POST', '/scanners', body('wrong', wrong))
  expect([answer.status, answer.message]).toEqual([status, message])
  expect(fake.asked).toEqual([])
})

test('a name and a URL are taken once', async () => {
  const id = await register('one')
  const taken = [409, 'registration name or url already exists']
  const same = await admin('POST', '/scanners', body('two'))
  expect([same.status, same.message]).toEqual(taken)
  const other = await startFakeScanner()
  try {
    const named = await admin('POST', '/scanners', body('one', { url: other.url }))
    expect([named.status, named.message]).toEqual(taken)
    const two = await register('two', { url: other.url })
    expect((await admin('PUT', `/scanners/${two}`, body('one', { url: other.url }))).status).toBe(409)
    expect((await admin('PUT', `/scanners/${id}`, body('three'))).status).toBe(200)
    expect((await admin('PUT', `/scanners/${two}`, body('one', { url: other.url }))).status).toBe(200)
  } finally {
    await other.close()
  }
})

test('a change without a credential keeps it, but not for another host', async () => {
  const login = { auth: 'Basic', access_credential: 'me:secret' }
  const id = await register('kept', login)
  const change = (more: object) => admin('PUT', `/scanners/${id}`, body('kept', more))
  expect((await change({ auth: 'Basic', description: 'changed' })).status).toBe(200)
  fake.asked.length = 0
  await admin('GET', `/scanners/${id}`)
  expect(fake.asked[0]!.headers.authorization).toBe(`Basic ${Buffer.from('me:secret').toString('base64')}`)
  const moved = await change({ auth: 'Basic', url: 'http://127.0.0.1:9' })
  expect([moved.status, moved.message]).toEqual([400, 'access_credential is required for auth type Basic'])
  expect((await change({ auth: 'Bearer' })).status).toBe(400)
  expect((await change({})).status).toBe(200)
  expect((await admin('GET', `/scanners/${id}`)).json.auth).toBe('')
  expect((await admin('PUT', '/scanners/none', body('none'))).status).toBe(404)
})

test('the built-in scanner is there for good: it can only be switched off, and not while it is the default', async () => {
  const { json: trivy } = await admin('GET', `/scanners/${TRIVY}`)
  expect(trivy).toMatchObject({ name: 'Trivy', is_default: true, disabled: false })
  const gone = await admin('DELETE', `/scanners/${TRIVY}`)
  expect([gone.status, gone.message]).toEqual([
    403,
    'registration Trivy is not allowed to delete as it is immutable: scanner API: delete',
  ])
  const change = (more: object) =>
    admin('PUT', `/scanners/${TRIVY}`, { name: 'Trivy', url: trivy.url, ...more })
  const renamed = await change({ name: 'Other' })
  expect([renamed.status, renamed.message]).toEqual([
    403,
    'registration Trivy is not allowed to update as it is immutable: scanner API: update',
  ])
  const off = await change({ disabled: true })
  expect([off.status, off.message]).toEqual([
    400,
    `default registration ${TRIVY} can not be marked to deactivated`,
  ])
  await asDefault('another')
  expect((await change({ disabled: true })).status).toBe(200)
  expect((await admin('GET', `/scanners/${TRIVY}`)).json.disabled).toBe(true)
  expect((await admin('PATCH', `/scanners/${TRIVY}`, { is_default: true })).status).toBe(404)
  expect((await change({ disabled: false })).status).toBe(200)
})

test('one is the default; a project has that, or its own; one that is deleted is nobody’s', async () => {
  const ofProject = async () => (await alice('GET', '/projects/alices/scanner')).json.name
  expect(await ofProject()).toBe('Trivy')
  const id = await asDefault('first')
  expect((await admin('GET', '/scanners')).json.map((each: { name: string }) => each.name)).toEqual([
    'first',
    'Trivy',
  ])
  expect(await ofProject()).toBe('first')
  expect((await alice('PUT', '/projects/alices/scanner', { uuid: TRIVY })).status).toBe(200)
  expect(await ofProject()).toBe('Trivy')
  expect((await alice('PUT', '/projects/alices/scanner', { uuid: id })).status).toBe(200)
  await admin('PATCH', `/scanners/${TRIVY}`, { is_default: true })
  expect(await ofProject()).toBe('first')
  const deleted = await admin('DELETE', `/scanners/${id}`)
  expect([deleted.status, deleted.json.name]).toEqual([200, 'first'])
  expect(await ofProject()).toBe('Trivy')
  expect((await admin('DELETE', `/scanners/${id}`)).status).toBe(404)
  expect((await alice('PUT', '/projects/alices/scanner', { uuid: id })).status).toBe(404)
  expect((await alice('PUT', '/projects/alices/scanner', { uuid: '' })).status).toBe(400)
})

test('administrators keep scanners, and a project’s admin chooses among them', async () => {
  const id = await register('kept')
  const calls: [string, string, object?][] = [
    ['GET', '/scanners'],
    ['POST', '/scanners', body('mine')],
    ['POST', '/scanners/ping', body('mine')],
    ['GET', `/scanners/${id}`],
    ['PUT', `/scanners/${id}`, body('mine')],
    ['DELETE', `/scanners/${id}`],
    ['PATCH', `/scanners/${id}`, { is_default: true }],
    ['GET', `/scanners/${id}/metadata`],
    ['PUT', '/projects/library/scanner', { uuid: id }],
    ['GET', '/projects/library/scanner/candidates'],
  ]
  for (const call of calls) {
    expect([call[1], (await alice(...call)).status]).toEqual([call[1], 403])
    expect([call[1], (await harborOf(server.url)(...call)).status]).toEqual([call[1], 401])
  }
  const { json: candidates } = await alice('GET', '/projects/alices/scanner/candidates')
  expect(candidates.map((each: { name: string }) => each.name)).toEqual(['Trivy', 'kept'])
})

test('an image is scanned by the project’s scanner, which is given a token that pulls it and no more', async () => {
  const pulls: number[] = []
  fake.instead.report = async (response) => {
    const scan = fake.scans.at(-1)!
    const { url, authorization } = scan.registry
    const tokens = `${url}/service/token?service=entrepot&scope=repository:alices/app:pull`
    const { token } = (await (await fetch(tokens, { headers: { authorization } })).json()) as {
      token: string
    }
    for (const login of [authorization, `Bearer ${token}`]) {
      const pull = async (name: string, method = 'GET') =>
        (await fetch(`${url}/v2/${name}/manifests/v1`, { method, headers: { authorization: login } })).status
      pulls.push(await pull('library/app'), await pull('alices/app'), await pull('library/app', 'DELETE'))
    }
    json(response, 200, reportOf(scan, fake.vulnerabilities))
  }
  await asDefault('keel')
  const overview = await scanned()
  expect(overview).toMatchObject({
    scan_status: 'Success',
    severity: 'High',
    summary: { total: 1, fixable: 1, summary: { High: 1 } },
    scanner: METADATA.scanner,
  })
  expect(pulls).toEqual([200, 401, 401, 200, 401, 401])
  const { json: report } = await admin('GET', `${ARTIFACT}/additions/vulnerabilities`)
  expect(report[REPORT_TYPE]).toMatchObject({
    scanner: METADATA.scanner,
    vulnerabilities: [{ id: 'CVE-2026-0001', package: 'rope', artifact_digests: [image] }],
  })
})

test.each([
  ['its report is no JSON', { report: (response) => void response.end('rust') }],
  ['its report has another shape', { report: (response) => json(response, 200, { vulnerabilities: 7 }) }],
  [
    'its report is of another artifact: library/other@sha256:0 instead of library/app@',
    {
      report: (response) => {
        const artifact = { repository: 'library/other', digest: 'sha256:0' }
        json(response, 200, { ...reportOf(fake.scans.at(-1)!, []), artifact })
      },
    },
  ],
  [
    'it answered 404 instead of 200: lost',
    { report: (response) => json(response, 404, { error: { message: 'lost' } }) },
  ],
  [
    'it answered 500 instead of 200: sunk',
    { report: (response) => json(response, 500, { error: { message: 'sunk' } }) },
  ],
  [
    'a redirect to http://169.254.169.254/latest/, which is not followed',
    {
      scan: (response) => void response.writeHead(307, { location: 'http://169.254.169.254/latest/' }).end(),
    },
  ],
] as [string, FakeScanner['instead']][])(
  'a scan fails for good with “%s”, in its log too',
  async (why, instead) => {
    await asDefault('keel')
    fake.instead = instead
    const overview = await scanned()
    expect(overview.scan_status).toBe('Error')
    const log = await admin('GET', `${ARTIFACT}/scan/${overview.report_id}/log`)
    expect(log.body.toString()).toContain(`scanner keel at ${fake.url}: `)
    expect(log.body.toString()).toContain(why)
    expect(log.body.toString()).not.toContain('eyJ')
  },
)

test('a deactivated scanner scans nothing', async () => {
  const id = await register('idle')
  await admin('PUT', '/projects/library/scanner', { uuid: id })
  expect((await admin('PUT', `/scanners/${id}`, body('idle', { disabled: true }))).status).toBe(200)
  const answer = await admin('POST', `${ARTIFACT}/scan`)
  expect([answer.status, answer.message]).toEqual([412, 'scanner idle is deactivated'])
  expect((await admin('PATCH', `/scanners/${id}`, { is_default: true })).status).toBe(404)
})
