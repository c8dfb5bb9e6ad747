// harbor-cli again: what leads out of the registry, and the work that it does by itself. As in harbor-cli.test.ts each
// effect is also looked at with plain HTTP.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeImage } from '../clients/image.ts'
import { startFakeScanner } from '../support/fake-scanner.ts'
import { type HarborCli, harborCli } from './cli.ts'
import { openPlace, type Place } from './place.ts'
import { acceptAll } from './terminal.ts'

const HUB = 'https://hub.docker.com'
const byName = { headers: { 'x-is-resource-name': 'true' } }

let at: Place
let cli: HarborCli
let digest: string
beforeAll(async () => {
  at = await openPlace()
  cli = await harborCli(at)
  await harbor('project', 'create', 'harbour', '--storage-limit', '-1')
  const image = await makeImage(path.join(at.directory, 'image'), { layers: 2, layerBytes: 1000 })
  for (const tag of ['1.0', '2.0'])
    await at.succeed('crane', ['push', '--insecure', image.layout, `${at.origin.host}/library/app:${tag}`])
  digest = image.digest
})
afterAll(() => at.close())

const harbor = (...args: string[]) => cli.harbor(...args)
const refused = (...args: string[]) => cli.refused(...args)
const printed = (...args: string[]) => cli.printed(...args)
/** Without those of the registry's own. */
const schedules = async () =>
  (await printed('schedule', 'list')).filter(
    (each: { vendor_type: string }) => !['REGISTRY_HEALTH', 'PROXY_RETENTION'].includes(each.vendor_type),
  )
const named = (rows: { name: string }[]) => rows.map(({ name }) => name).sort()

test('registries are created where there is one, listed and viewed, but no name twice', async () => {
  const create = (name: string, type: string, url: string) => [
    ...['registry', 'create', '--name', name, '--type', type, '--url', url],
  ]
  await harbor(...create('hub', 'docker-hub', HUB))
  await harbor(...create('origin', 'docker-registry', at.origin.url), '--description', 'next door')
  await refused(...create('hub', 'docker-hub', HUB))
  await refused(...create('gone', 'docker-registry', 'http://127.0.0.1:9'))
  expect(named(await printed('registry', 'list'))).toEqual(['hub', 'origin'])
  expect(named(await printed('registry', 'list', '-q', 'name=~or'))).toEqual(['origin'])
  expect(await printed('registry', 'view', 'hub')).toMatchObject({ url: HUB, status: 'healthy' })
})

test('registries are changed in a form, also those without a credential', async () => {
  const json = { name: 'plain', type: 'docker-registry', url: at.origin.url }
  expect((await at.harbor('POST', '/registries', { json })).status).toBe(201)
  for (const name of ['hub', 'plain'])
    await acceptAll(at, `harbor-cli registry update ${name} --description 'seen ${name}'`, 'Access Secret')
  const registries = (await at.harbor('GET', '/registries')).json as { description: string }[]
  expect(registries.map(({ description }) => description)).toEqual(['seen hub', 'next door', 'seen plain'])
  await harbor('registry', 'delete', 'plain')
})

test('a replication rule is created from a file, changed by flags and scheduled', async () => {
  const file = path.join(at.directory, 'rule.yaml')
  await writeFile(
    file,
    `name: bring-in
description: the first ones
replication_mode: pull
target_registry: origin
replication_filter:
  - { type: resource, value: image }
  - { type: name, value: 'library/**' }
  - { type: tag, decoration: matches, value: '1.*' }
trigger_mode: manual
bandwidth_limit: '-1'
enabled: true
override: true
`,
  )
  await harbor('replication', 'policies', 'create', '-f', file)
  await refused('replication', 'policies', 'create', '-f', file)
  const [{ id }] = await printed('replication', 'policies', 'list')
  const flags = ['--description', 'every night', '--trigger-type', 'scheduled', '--cron', '0 0/30 3 * * *']
  await harbor('replication', 'policies', 'update', String(id), ...flags)
  expect(await printed('replication', 'policies', 'view', String(id))).toMatchObject({
    description: 'every night',
    src_registry: { name: 'origin' },
    trigger: { type: 'scheduled', trigger_settings: { cron: '0 0/30 3 * * *' } },
    filters: expect.arrayContaining([{ type: 'tag', value: '1.*', decoration: 'matches' }]),
  })
  expect(await schedules()).toMatchObject([{ vendor_type: 'REPLICATION', vendor_id: id }])
  await refused('registry', 'delete', 'origin')
})

test('replication is started, watched, and brings what its rule names', async () => {
  const [{ id }] = await printed('replication', 'policies', 'list')
  expect(await harbor('replication', 'start', String(id))).toMatch(/executions\/\d+/)
  const runs = () => printed('replication', 'executions', 'list', String(id))
  await expect.poll(async () => (await runs())[0].status, { timeout: 20_000 }).toBe('Succeed')
  const [run] = await runs()
  const { tasks } = await printed('replication', 'executions', 'view', String(run.id))
  const copied = Object.entries<{ dst_resource?: string }>(tasks).filter(
    ([, { dst_resource }]) => dst_resource,
  )
  expect(copied.map(([, each]) => each.dst_resource)).toEqual(['library/app:1.0'])
  const log = await harbor('replication', 'log', '-e', String(run.id), '-t', copied[0]![0])
  expect(log).toContain('library/app')
  const { json } = await at.harbor('GET', '/projects/library/repositories/app/artifacts?with_tag=true')
  expect(json).toMatchObject([{ digest, tags: [{ name: '1.0' }] }])
})

test('rules and registries are deleted, and the schedules with them', async () => {
  const [{ id }] = await printed('replication', 'policies', 'list')
  await harbor('replication', 'policies', 'delete', String(id))
  expect(await harbor('replication', 'policies', 'list')).toContain('No policies')
  expect(await schedules()).toEqual([])
  await harbor('registry', 'delete', 'hub', 'origin')
  expect((await at.harbor('GET', '/registries')).json).toEqual([])
})

test('a webhook is created, edited by its name and deleted', async () => {
  const policies = async () => (await at.harbor('GET', '/projects/harbour/webhook/policies', byName)).json
  const target = (type: string, to: string) => [
    ...['--project', 'harbour', '--notify-type', type, '--endpoint-url', `https://hooks.example.com/${to}`],
  ]
  const about = ['--event-type', 'PUSH_ARTIFACT,DELETE_ARTIFACT', '--auth-header', 'Bearer of-good-news']
  await harbor('webhook', 'create', 'tell', ...target('http', 'one'), ...about)
  await refused('webhook', 'create', 'tell', ...target('http', 'one'), ...about)
  // Behind its JSON it wants to show a table too, which takes a terminal.
  const listed = await at.run('harbor-cli', ['webhook', 'list', 'harbour', '-o', 'json'])
  expect(listed.stdout).toContain('"name": "tell"')
  expect(await policies()).toMatchObject([
    { enabled: true, targets: [{ type: 'http', auth_header: 'Bearer of-good-news' }] },
  ])
  const change = ['--event-type', 'PULL_ARTIFACT', '--enabled=false']
  await harbor('webhook', 'edit', 'tell', ...target('slack', 'two'), ...change)
  expect(await policies()).toMatchObject([
    { enabled: false, event_types: ['PULL_ARTIFACT'], targets: [{ type: 'slack' }] },
  ])
  await harbor('webhook', 'delete', 'tell', '--project', 'harbour')
  expect(await policies()).toEqual([])
})

test('job queues are listed, paused, resumed and stopped', async () => {
  const paused = async () =>
    (await at.harbor('GET', '/jobservice/queues')).json
      .filter((queue: { paused: boolean }) => queue.paused)
      .map((queue: { job_type: string }) => queue.job_type)
  const queues = ['jobservice', 'queues'] as const
  const types = (await printed(...queues, 'list')).map((queue: { job_type: string }) => queue.job_type)
  expect(types).toEqual(expect.arrayContaining(['GARBAGE_COLLECTION', 'REPLICATION', 'WEBHOOK']))
  await harbor(...queues, 'pause', '--type', 'replication,webhook')
  expect(await paused()).toEqual(['REPLICATION', 'WEBHOOK'])
  await harbor(...queues, 'resume', '--type', 'all')
  expect(await paused()).toEqual([])
  await harbor(...queues, 'stop', '--type', 'REPLICATION')
  await refused(...queues, 'stop', '--type', 'NONSENSE')
})

test('the schedule of garbage collection is listed, the allowlist is filled, and immutable tags are listed', async () => {
  const schedule = { schedule: { type: 'Custom', cron: '0 30 2 * * *' }, parameters: { workers: 2 } }
  expect((await at.harbor('POST', '/system/gc/schedule', { json: schedule })).status).toBe(201)
  expect(await schedules()).toMatchObject([{ vendor_type: 'GARBAGE_COLLECTION', cron: '0 30 2 * * *' }])
  await acceptAll(at, 'harbor-cli cve-allowlist add --cveid CVE-2026-1,CVE-2026-2', 'CVE ID')
  const items = [{ cve_id: 'CVE-2026-1' }, { cve_id: 'CVE-2026-2' }]
  expect((await at.harbor('GET', '/system/CVEAllowlist')).json.items).toEqual(items)
  expect((await printed('cve-allowlist', 'list')).items).toEqual(items)
  expect(await harbor('tag', 'immutable', 'list', 'harbour')).toContain('No immutable tag rules')
})

test('scanners are created, listed, viewed, made the default and deleted', async () => {
  const fake = await startFakeScanner()
  try {
    const create = ['scanner', 'create', '--name', 'keel', '--url', fake.url, '--description', 'below']
    await harbor(...create, '--auth', 'Bearer', '--credential', 'a-ticket')
    expect(fake.asked[0]!.headers.authorization).toBe('Bearer a-ticket')
    await refused(...create, '--auth', 'Bearer', '--credential', 'a-ticket')
    expect(named(await printed('scanner', 'list'))).toEqual(['Trivy', 'keel'])
    expect(await printed('scanner', 'view', 'keel')).toMatchObject({ url: fake.url, auth: 'Bearer' })
    expect(await printed('scanner', 'metadata', 'keel')).toMatchObject({ scanner: { name: 'Barnacle' } })
    await harbor('scanner', 'set-default', 'keel')
    expect((await at.harbor('GET', '/scanners')).json[0]).toMatchObject({ name: 'keel', is_default: true })
    await harbor('scanner', 'delete', 'keel')
    await refused('scanner', 'delete', 'Trivy')
    expect(named(await printed('scanner', 'list'))).toEqual(['Trivy'])
  } finally {
    await fake.close()
  }
})

test('what was done is in the log', async () => {
  const log = await printed('logs', '--page-size', '100')
  const deeds = log.map((each: { operation_description: string }) => each.operation_description)
  for (const deed of [/create registry: hub/, /create replication: bring-in/, /delete webhook_policy: tell/])
    expect(deeds).toContainEqual(expect.stringMatching(deed))
})

test('harbor-cli was told nothing that a Harbor would not say', () => {
  expect([...at.breaches]).toEqual([])
})
