// Replication over the management API: its rules, their runs with a task for each artifact, and what is refused.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../support/server.ts'
import { type Client, clientOf, pushImage } from './client.ts'
import { type Harbor, harborOf, makeUser, numberOf } from './management.ts'

let server: Server
let other: Server
let admin: Harbor
let alice: Harbor
let here: Client
let there: Client
let registry: number

beforeAll(async () => {
  other = await startServer()
  server = await startServer({ open: false, args: ['--upstream-private-networks', '127.0.0.0/8,::1'] })
  admin = harborOf(server.url, 'admin')
  alice = harborOf(server.url, 'alice')
  await makeUser(admin, 'alice')
  const login = `Basic ${Buffer.from(`admin:${server.adminPassword}`).toString('base64')}`
  here = clientOf(server.url, login)
  there = clientOf(other.url)
  registry = await makeRegistry('other', other.url)
})
afterAll(async () => {
  for (const each of [server, other]) await each.stop()
})

const makeRegistry = async (name: string, url: string) =>
  numberOf(await admin('POST', '/registries', { name, type: 'docker-registry', url }))

interface Rule {
  [field: string]: unknown
}
const push = (name: string, more: Rule = {}): Rule => ({
  name,
  dest_registry: { id: registry },
  src_registry: {},
  enabled: true,
  override: true,
  trigger: { type: 'manual' },
  filters: [{ type: 'name', value: `library/${name}` }],
  ...more,
})
const makeRule = async (rule: Rule) => numberOf(await admin('POST', '/replication/policies', rule))

/** Runs the rule, and waits until it has ended. */
async function run(policy: number): Promise<{ id: number; status: string }> {
  const id = numberOf(await admin('POST', '/replication/executions', { policy_id: policy }))
  return { id, status: await ended(id) }
}

async function ended(execution: number): Promise<string> {
  for (;;) {
    const { status } = (await admin('GET', `/replication/executions/${execution}`)).json
    if (status !== 'InProgress') return status
    await sleep(50)
  }
}

/** @returns its digest */
async function pushed(at: Client, name: string, tag: string, layer: string): Promise<string> {
  return (await pushImage(at, name, tag, { layer })).digest
}

async function digestAt(at: Client, name: string, tag: string): Promise<unknown> {
  const answer = await at('HEAD', `/v2/${name}/manifests/${tag}`, {
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  })
  return answer.status === 200 ? answer.headers['docker-content-digest'] : answer.status
}

test('a rule is read back as Harbor shows one, with both of its registries', async () => {
  const filters = [
    { type: 'name', value: 'library/**' },
    { type: 'tag', value: 'v*', decoration: 'excludes' },
    { type: 'label', value: ['stable'] },
    { type: 'resource', value: 'image' },
  ]
  const trigger = { type: 'scheduled', trigger_settings: { cron: '0 0 3 * * *' } }
  const more = {
    description: 'nightly',
    dest_namespace: 'mirror',
    dest_namespace_replace_count: 1,
    speed: 100,
  }
  const id = await makeRule(push('shown', { ...more, filters, trigger, replicate_deletion: true }))
  const { json } = await admin('GET', `/replication/policies/${id}`)
  expect(json).toMatchObject({
    id,
    name: 'shown',
    ...more,
    filters,
    trigger,
    enabled: true,
    override: true,
    deletion: true,
    replicate_deletion: true,
    copy_by_chunk: false,
    single_active_replication: false,
    src_registry: { id: 0, name: 'Local' },
    dest_registry: { id: registry, name: 'other', url: other.url },
  })
  expect((await admin('GET', '/replication/policies?name=show')).json).toEqual([json])
  // Registries are looked at by a schedule of their own.
  expect((await admin('GET', '/schedules')).json).toMatchObject([
    { vendor_type: 'REGISTRY_HEALTH', vendor_id: 0 },
    { vendor_type: 'REPLICATION', vendor_id: id, cron: '0 0 3 * * *' },
  ])
})

test('what Harbor’s provider for Terraform writes is read back without a difference', async () => {
  const written = {
    name: 'terraform',
    description: '',
    override: true,
    enabled: true,
    deletion: false,
    dest_namespace: '',
    dest_namespace_replace_count: 0,
    copy_by_chunk: false,
    single_active_replication: false,
    speed: -1,
  }
  const filters = [
    { type: 'name', value: 'library/**' },
    { type: 'tag', value: 'v*', decoration: 'matches' },
  ]
  for (const [here, there] of [
    ['src_registry', 'dest_registry'],
    ['dest_registry', 'src_registry'],
  ] as const) {
    const trigger = { type: 'scheduled', trigger_settings: { cron: '0 0 0 * * *' } }
    const body = {
      ...written,
      name: `terraform-${here}`,
      filters,
      trigger,
      [here]: {},
      [there]: { id: registry },
    }
    const { json } = await admin('GET', `/replication/policies/${await makeRule(body)}`)
    const { speed: _, ...compared } = written
    expect(json).toMatchObject({ ...compared, name: body.name, filters, trigger })
    // It takes a rule whose destination is 0 for a pull.
    expect([json[here].id, json[there].id]).toEqual([0, registry])
  }
})

test('a changed rule has the new fields, another schedule, and a name that no other has', async () => {
  const id = await makeRule(push('changed'))
  const taken = push('shown')
  expect((await admin('PUT', `/replication/policies/${id}`, taken)).status).toBe(409)
  const change = { override: false, trigger: { type: 'manual' }, copy_by_chunk: true }
  expect((await admin('PUT', `/replication/policies/${id}`, push('altered', change))).status).toBe(200)
  expect((await admin('GET', `/replication/policies/${id}`)).json).toMatchObject({
    name: 'altered',
    ...change,
  })
  expect((await admin('DELETE', `/replication/policies/${id}`)).status).toBe(200)
  expect((await admin('GET', `/replication/policies/${id}`)).status).toBe(404)
})

test('rules and caches that begin to use one registry at the same moment are all made, as Terraform makes them', async () => {
  const origin = await makeRegistry('busy', other.url)
  const numbers = Array.from({ length: 6 }, (_, each) => each)
  const rules = numbers.map((each) =>
    admin('POST', '/replication/policies', push(`busy-${each}`, { dest_registry: { id: origin } })),
  )
  const caches = numbers.map((each) =>
    admin('POST', '/projects', { project_name: `busy-${each}`, registry_id: origin }),
  )
  const made = await Promise.all([...rules, ...caches])
  expect(made.map(({ status }) => status)).toEqual(made.map(() => 201))
  const changed = await Promise.all(
    made
      .slice(0, rules.length)
      .map((each, at) =>
        admin(
          'PUT',
          `/replication/policies/${numberOf(each)}`,
          push(`calm-${at}`, { dest_registry: { id: origin } }),
        ),
      ),
  )
  expect(changed.map(({ status }) => status)).toEqual(changed.map(() => 200))
})

test('a registry that a rule uses is not deleted', async () => {
  const own = await makeRegistry('used', other.url)
  const id = await makeRule(push('user', { dest_registry: { id: own } }))
  expect((await admin('DELETE', `/registries/${own}`)).status).toBe(412)
  await admin('DELETE', `/replication/policies/${id}`)
  expect((await admin('DELETE', `/registries/${own}`)).status).toBe(200)
})

test.each([
  ['no name', { name: '' }, 'empty name'],
  ['no registry', { dest_registry: {} }, 'either src_registry or dest_registry'],
  ['two registries', { src_registry: { id: 1 } }, 'either src_registry or dest_registry'],
  ['a trigger that is none', { trigger: { type: 'sometimes' } }, 'invalid trigger type'],
  ['a schedule without cron', { trigger: { type: 'scheduled' } }, 'cron string cannot be empty'],
  [
    'a cron of every second',
    { trigger: { type: 'scheduled', trigger_settings: { cron: '* * * * * *' } } },
    '1st field',
  ],
  ['a namespace that is none', { dest_namespace: 'Upper/Case' }, 'invalid destination namespace'],
  ['a filter of no type', { filters: [{ type: 'colour', value: 'blue' }] }, 'invalid filter type'],
  [
    'a decorated name',
    { filters: [{ type: 'name', value: 'a/b', decoration: 'excludes' }] },
    'support decoration',
  ],
  ['an expression that is none', { filters: [{ type: 'tag', value: 'regex:(' }] }, 'invalid pattern'],
  ['an expression that looks back', { filters: [{ type: 'tag', value: 'regex:(a)\\1' }] }, 'invalid pattern'],
  ['a range that is none', { filters: [{ type: 'tag', value: 'semver:>>2' }] }, 'no range of versions'],
  ['a platform that is none', { filters: [{ type: 'platform', value: 'amd64' }] }, 'is no platform'],
  [
    'labels of another registry',
    { src_registry: { id: 1 }, dest_registry: {}, filters: [{ type: 'label', value: ['a'] }] },
    'no labels',
  ],
  [
    'events of another registry',
    { src_registry: { id: 1 }, dest_registry: {}, trigger: { type: 'event_based' } },
    'no events',
  ],
])('a rule with %s is refused, and the answer says why', async (_what, more, why) => {
  const { status, message } = await admin('POST', '/replication/policies', push('refused', more))
  expect([status, message]).toEqual([400, expect.stringContaining(why)])
})

test('only who may administrate sees or changes rules and runs', async () => {
  for (const [method, path] of [
    ['GET', '/replication/policies'],
    ['POST', '/replication/policies'],
    ['GET', '/replication/executions'],
    ['POST', '/replication/executions'],
    ['GET', '/replication/executions/1'],
    ['PUT', '/replication/executions/1'],
    ['GET', '/replication/executions/1/tasks'],
    ['GET', '/replication/executions/1/tasks/1/log'],
  ] as const)
    expect((await alice(method, path, method === 'POST' ? push('hers') : undefined)).status).toBe(403)
})

test('a rule that would copy the registry into itself is refused; to a namespace apart it is not', async () => {
  const itself = await makeRegistry('itself', server.url.replace('127.0.0.1', 'localhost'))
  const rule = push('loop', {
    dest_registry: { id: itself },
    filters: [{ type: 'name', value: 'library/**' }],
  })
  for (const more of [{}, { dest_namespace: 'library' }, { dest_namespace: 'library/deep' }]) {
    const { status, message } = await admin('POST', '/replication/policies', { ...rule, ...more })
    expect([status, message]).toEqual([400, expect.stringContaining('is this registry itself')])
  }
  expect((await admin('POST', '/replication/policies', { ...rule, dest_namespace: 'apart' })).status).toBe(
    201,
  )
})

test('a run copies what the rule matches: a task for each artifact, with its log', async () => {
  const one = await pushed(here, 'library/run', 'v1', 'one')
  await pushed(here, 'library/run', 'v2', 'two')
  const policy = await makeRule(push('run'))
  const { id, status } = await run(policy)
  expect(status).toBe('Succeed')
  expect(await digestAt(there, 'library/run', 'v1')).toBe(one)
  const tasks = await admin('GET', `/replication/executions/${id}/tasks?page_size=100`)
  const copies = tasks.json.filter(({ operation }: { operation: string }) => operation === 'copy')
  expect(copies).toHaveLength(2)
  expect(copies[0]).toMatchObject({
    execution_id: id,
    status: 'Succeed',
    resource_type: 'image',
    src_resource: 'library/run:v1',
    dst_resource: 'library/run:v1',
  })
  const log = await admin('GET', `/replication/executions/${id}/tasks/${copies[0].id}/log`)
  expect(log.body.toString()).toContain(`library/run:v1 is ${one} at ${other.host} now`)
  expect((await admin('GET', `/replication/executions?policy_id=${policy}`)).json).toMatchObject([
    { id, policy_id: policy, status: 'Succeed', trigger: 'manual', failed: 0, in_progress: 0, succeed: 3 },
  ])
  expect((await admin('GET', `/replication/executions/${id}/tasks/999999/log`)).status).toBe(404)
})

test('without override a tag that is something else there stays, and the log says so', async () => {
  await pushed(here, 'library/kept', 'v1', 'ours')
  const theirs = await pushed(there, 'library/kept', 'v1', 'theirs')
  const policy = await makeRule(push('kept', { override: false }))
  const { id, status } = await run(policy)
  expect([status, await digestAt(there, 'library/kept', 'v1')]).toEqual(['Succeed', theirs])
  expect(await logsOf(id)).toContain('the rule does not override')
  await admin('PUT', `/replication/policies/${policy}`, push('kept'))
  await run(policy)
  expect(await digestAt(there, 'library/kept', 'v1')).not.toBe(theirs)
})

async function logsOf(execution: number): Promise<string> {
  const tasks = (await admin('GET', `/replication/executions/${execution}/tasks?page_size=100`)).json
  const logs = await Promise.all(
    tasks.map(({ id }: { id: number }) =>
      admin('GET', `/replication/executions/${execution}/tasks/${id}/log`),
    ),
  )
  return logs.map(({ body }) => body.toString()).join('')
}

test('a pull makes the project it needs, a private one', async () => {
  const digest = await pushed(there, 'elsewhere/app', 'v1', 'theirs')
  const policy = await makeRule(
    push('pulled', {
      src_registry: { id: registry },
      dest_registry: {},
      filters: [{ type: 'name', value: 'elsewhere/*' }],
      dest_namespace: 'brought',
    }),
  )
  expect((await run(policy)).status).toBe('Succeed')
  expect(await digestAt(here, 'brought/app', 'v1')).toBe(digest)
  expect((await admin('GET', '/projects/brought')).json.metadata.public).toBe('false')
})

test('a push starts a rule that waits for events, and a deletion does where it is asked for', async () => {
  const policy = await makeRule(
    push('evented', { trigger: { type: 'event_based' }, replicate_deletion: true }),
  )
  const digest = await pushed(here, 'library/evented', 'v1', 'one')
  await expect.poll(() => digestAt(there, 'library/evented', 'v1'), { timeout: 20_000 }).toBe(digest)
  await here('DELETE', '/v2/library/evented/manifests/v1')
  await expect.poll(() => digestAt(there, 'library/evented', 'v1'), { timeout: 20_000 }).toBe(404)
  const { json } = await admin('GET', `/replication/executions?policy_id=${policy}&trigger=event_based`)
  expect(json).toHaveLength(2)
})

test('a rule that is disabled is not run, and one that runs is stopped', async () => {
  const disabled = await makeRule(push('disabled', { enabled: false }))
  expect((await admin('POST', '/replication/executions', { policy_id: disabled })).status).toBe(412)
  await pushed(here, 'library/slow', 'v1', 'x'.repeat(200_000))
  const slow = await makeRule(push('slow', { speed: 1 }))
  const id = numberOf(await admin('POST', '/replication/executions', { policy_id: slow }))
  await expect
    .poll(async () => (await admin('GET', `/replication/executions/${id}`)).json.total, { timeout: 20_000 })
    .toBe(2)
  expect((await admin('DELETE', `/replication/policies/${slow}`)).status).toBe(412)
  expect((await admin('PUT', `/replication/executions/${id}`)).status).toBe(200)
  expect(await ended(id)).toBe('Stopped')
}, 60_000)
