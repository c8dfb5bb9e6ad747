// Webhooks over the management API: policies as Terraform keeps them, what was sent, and sending it again.
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { jsonOf, type Receiver, startReceiver } from '../events/receiver.ts'
import { type Server, startServer } from '../support/server.ts'
import { clientOf, pushImage } from './client.ts'
import { basic, type Harbor, harborOf, makeProject, makeUser, numberOf } from './management.ts'

const EVENTS = [
  'PUSH_ARTIFACT',
  'PULL_ARTIFACT',
  'DELETE_ARTIFACT',
  'QUOTA_EXCEED',
  'QUOTA_WARNING',
  'SCANNING_FAILED',
  'SCANNING_STOPPED',
  'SCANNING_COMPLETED',
  'REPLICATION',
  'TAG_RETENTION',
]

let server: Server
let receiver: Receiver
let admin: Harbor
let alice: Harbor
beforeAll(async () => {
  receiver = await startReceiver()
  server = await startServer({ open: false, args: ['--upstream-private-networks', '127.0.0.0/8'] })
  admin = harborOf(server.url, 'admin')
  alice = harborOf(server.url, 'alice')
  await makeUser(admin, 'alice')
})
afterAll(async () => {
  await server.stop()
  await receiver.close()
})

let made = 0
let project: string
beforeEach(async () => {
  receiver.received.length = 0
  receiver.answer = (response) => response.writeHead(200).end('thank you')
  project = `hooks${++made}`
  await makeProject(admin, project)
})

const target = (more: object = {}) => ({ type: 'http', address: `${receiver.url}/hook`, ...more })
const body = (more: object = {}) => ({
  name: 'ci',
  description: 'starts a build',
  enabled: true,
  event_types: ['PUSH_ARTIFACT'],
  targets: [target()],
  ...more,
})
const policies = () => `/projects/${project}/webhook/policies`
const make = async (more: object = {}) => numberOf(await admin('POST', policies(), body(more)))
/** Operations that Harbor does not have are not in its file. */
const ours = (method: string, path: string, json?: object) => {
  const text = json === undefined ? undefined : JSON.stringify(json)
  const options = text === undefined ? {} : { body: text, headers: { 'content-length': String(text.length) } }
  return clientOf(server.url, basic('admin', server.adminPassword))(method, `/api/v2.0${path}`, options)
}

async function push(tag = 'v1'): Promise<void> {
  const scope = `repository:${project}/app:pull,push`
  const login = clientOf(server.url, basic('admin', server.adminPassword))
  const { body: answer } = await login('GET', `/service/token?service=entrepot&scope=${scope}`)
  await pushImage(
    clientOf(server.url, `Bearer ${JSON.parse(answer.toString()).token}`),
    `${project}/app`,
    tag,
    { layer: tag },
  )
}

/** The only execution of the policy, once it has ended. */
async function ended(policy: number) {
  const path = `${policies()}/${policy}/executions`
  const read = async () => (await admin('GET', path)).json
  await expect.poll(async () => (await read())[0]?.status, { timeout: 30_000 }).toMatch(/Success|Error/)
  const [execution] = await read()
  const [task] = (await admin('GET', `${path}/${execution.id}/tasks`)).json
  return { execution, task, path: `${path}/${execution.id}/tasks/${task.id}` }
}

test('a policy is made, read, changed and deleted as Terraform does it', async () => {
  const answer = await admin('POST', policies(), body({ targets: [target({ auth_header: 'Bearer x' })] }))
  const number = numberOf(answer)
  expect(answer.headers.location).toBe(`/api/v2.0${policies()}/${number}`)
  const read = async () => (await admin('GET', `${policies()}/${number}`)).json
  const shown = {
    type: 'http',
    address: `${receiver.url}/hook`,
    skip_cert_verify: false,
    payload_format: 'Default',
  }
  expect(await read()).toEqual({
    ...body(),
    id: number,
    project_id: expect.any(Number),
    targets: [{ ...shown, auth_header: 'Bearer x' }],
    creator: 'admin',
    creation_time: expect.any(String),
    update_time: expect.any(String),
  })
  const changed = body({
    name: 'other',
    enabled: false,
    event_types: EVENTS,
    targets: [target({ skip_cert_verify: true })],
  })
  expect((await admin('PUT', `${policies()}/${number}`, changed)).status).toBe(200)
  expect(await read()).toMatchObject({
    name: 'other',
    enabled: false,
    event_types: EVENTS,
    targets: [{ ...shown, skip_cert_verify: true }],
  })
  expect((await admin('GET', policies())).json).toEqual([await read()])
  expect((await admin('DELETE', `${policies()}/${number}`)).status).toBe(200)
  expect((await admin('GET', `${policies()}/${number}`)).status).toBe(404)
  expect((await admin('GET', policies())).json).toEqual([])
})

test('a name is taken once in a project, and free again once its policy has another', async () => {
  const first = await make()
  expect((await admin('POST', policies(), body())).status).toBe(409)
  await admin('PUT', `${policies()}/${first}`, body({ name: 'renamed' }))
  const second = await make()
  expect((await admin('PUT', `${policies()}/${second}`, body({ name: 'renamed' }))).status).toBe(409)
})

test.each([
  ['no event', { event_types: [] }, /empty event type/],
  ['an unknown event', { event_types: ['UPLOAD_CHART'] }, /unsupported event type UPLOAD_CHART/],
  ['no target', { targets: [] }, /empty notification target/],
  [
    'an unknown type',
    { targets: [{ type: 'pigeon', address: 'http://x' }] },
    /unsupported target type pigeon/,
  ],
  [
    'a format for Slack',
    { targets: [{ type: 'slack', address: 'http://x', payload_format: 'Default' }] },
    /not allowed for slack/,
  ],
  [
    'an unknown format',
    { targets: [{ type: 'http', address: 'http://x', payload_format: 'XML' }] },
    /unsupported payload format type: XML/,
  ],
  ['an address that is none', { targets: [{ type: 'http', address: 'http://:80:80' }] }, /is no URL/],
  [
    'another scheme',
    { targets: [{ type: 'http', address: 'file:///etc/passwd' }] },
    /scheme file: .* is not http/,
  ],
  [
    'a login in the address',
    { targets: [{ type: 'http', address: 'http://me:pw@x/' }] },
    /belongs into auth_header/,
  ],
  [
    'a header of two lines',
    { targets: [{ type: 'http', address: 'http://x', auth_header: 'a\r\nHost: y' }] },
    /in one line/,
  ],
  ['no name', { name: '' }, /name cannot be empty/],
  ['a filter with half a brace', { repository_filter: '{a,b' }, /repository_filter has a { without its }/],
  [
    'a filter of very many alternatives',
    { tag_filter: '{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}' },
    /tag_filter stands for more than 100 patterns/,
  ],
])('a policy with %s is refused, saying so', async (_what, more, why) => {
  const { status, message } = await admin('POST', policies(), body(more))
  expect([status, message]).toEqual([400, expect.stringMatching(why)])
})

test('fields of another type than they have are refused', async () => {
  for (const more of [
    { targets: 'none' },
    { event_types: [1] },
    { enabled: 'yes' },
    { targets: [{ type: 7 }] },
  ])
    expect((await admin('POST', policies(), body(more))).status).toBe(422)
})

test('a maintainer reads, a project administrator writes, others get nothing', async () => {
  const number = await make({ targets: [target({ auth_header: 'Bearer x' })] })
  const one = `${policies()}/${number}`
  const member = await admin('POST', `/projects/${project}/members`, {
    role_id: 4,
    member_user: { username: 'alice' },
  })
  const as = (role: number) =>
    admin('PUT', `/projects/${project}/members/${numberOf(member)}`, { role_id: role })
  const may = async () => [
    (await alice('GET', policies())).status,
    (await alice('GET', one)).status,
    (await alice('PUT', one, body())).status,
    (await alice('POST', policies(), body({ name: `x${Math.random()}` }))).status,
  ]
  await as(2)
  expect(await may()).toEqual([403, 403, 403, 403])
  await as(4)
  expect(await may()).toEqual([200, 200, 403, 403])
  await as(1)
  expect(await may()).toEqual([200, 200, 200, 201])
})

test('a policy of another project is not there', async () => {
  const number = await make()
  await makeProject(admin, `${project}-other`)
  expect((await admin('GET', `/projects/${project}-other/webhook/policies/${number}`)).status).toBe(404)
})

test('what can be told is listed as Harbor lists it, with Teams besides', async () => {
  expect((await admin('GET', `/projects/${project}/webhook/events`)).json).toEqual({
    event_type: EVENTS,
    notify_type: ['http', 'slack', 'teams'],
    payload_formats: [{ notify_type: 'http', formats: ['Default', 'CloudEvents'] }],
  })
})

test('a push is posted, and shown as execution, task, log, job and last trigger', async () => {
  const number = await make()
  await push()
  const { execution, task, path } = await ended(number)
  expect(receiver.received).toHaveLength(1)
  const sent = jsonOf(receiver.received[0]!)
  const host = new URL(server.url).host
  expect(sent).toMatchObject({
    type: 'PUSH_ARTIFACT',
    operator: 'admin',
    event_data: { resources: [{ tag: 'v1', resource_url: `${host}/${project}/app:v1` }] },
  })
  expect(execution).toMatchObject({
    vendor_type: 'WEBHOOK',
    vendor_id: number,
    status: 'Success',
    trigger: 'EVENT',
    extra_attrs: { event_type: 'PUSH_ARTIFACT' },
    metrics: { task_count: 1, success_task_count: 1 },
  })
  expect(JSON.parse(execution.extra_attrs.payload)).toEqual(sent)
  expect(task).toMatchObject({ status: 'Success', run_count: 1, execution_id: execution.id })
  expect((await admin('GET', `${path}/log`)).body.toString()).toContain('answered 200: thank you')
  const jobs = await admin('GET', `/projects/${project}/webhook/jobs?policy_id=${number}&status=Success`)
  expect(jobs.json).toMatchObject([
    {
      id: execution.id,
      policy_id: number,
      notify_type: 'http',
      status: 'Success',
      event_type: 'PUSH_ARTIFACT',
    },
  ])
  const last = (await admin('GET', `/projects/${project}/webhook/lasttrigger`)).json
  expect(last).toMatchObject([
    { policy_name: 'ci', event_type: 'PUSH_ARTIFACT', last_trigger_time: expect.any(String) },
  ])
})

test('pulls are posted once a policy asks for them', async () => {
  const number = await make({ event_types: ['PULL_ARTIFACT'] })
  await push()
  const login = clientOf(server.url, basic('admin', server.adminPassword))
  expect((await login('GET', `/v2/${project}/app/manifests/v1`)).status).toBe(200)
  await ended(number)
  expect(jsonOf(receiver.received[0]!)).toMatchObject({
    type: 'PULL_ARTIFACT',
    event_data: { resources: [{ tag: 'v1' }], repository: { repo_full_name: `${project}/app` } },
  })
})

test('filters and a secret are set beside Harbor’s fields, which leave them alone; the secret is never shown', async () => {
  const number = await make({ repository_filter: 'app', tag_filter: 'v*', secret: 's3cret-of-hooks' })
  const options = `${policies()}/${number}/options`
  const read = async () => JSON.parse((await ours('GET', options)).body.toString())
  expect(await read()).toEqual({ repository_filter: 'app', tag_filter: 'v*', signed: true })
  await admin('PUT', `${policies()}/${number}`, body())
  expect((await ours('PUT', options, { tag_filter: 'release-*' })).status).toBe(200)
  expect(await read()).toEqual({ repository_filter: 'app', tag_filter: 'release-*', signed: true })
  await push('v1')
  await push('release-1')
  await ended(number)
  expect(receiver.received.map((each) => jsonOf(each).event_data.resources[0].tag)).toEqual(['release-1'])
  const { headers, body: sent } = receiver.received[0]!
  const expected = createHmac('sha256', 's3cret-of-hooks').update(sent).digest('hex')
  expect(headers['x-entrepot-signature']).toBe(`sha256=${expected}`)
  for (const path of [policies(), `${policies()}/${number}`, '/audit-logs'])
    expect((await admin('GET', path)).body.toString()).not.toContain('s3cret-of-hooks')
  expect((await ours('PUT', options, { secret: '' })).status).toBe(200)
  expect(await read()).toMatchObject({ signed: false })
})

test('what arrived can be sent again, as an execution of its own', async () => {
  const number = await make()
  await push()
  const { path } = await ended(number)
  const again = await ours('POST', `${path}/redeliver`)
  expect(again.status).toBe(201)
  expect(again.headers.location).toMatch(new RegExp(`${policies()}/${number}/executions/\\d+$`))
  await expect.poll(() => receiver.received.length).toBe(2)
  expect(receiver.received[1]!.body).toEqual(receiver.received[0]!.body)
  expect((await ours('POST', `${path.replace(/\d+$/, '999999')}/redeliver`)).status).toBe(404)
})
