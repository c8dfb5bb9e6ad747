// Webhooks of a replication: each artifact's end is told to the project here that it was copied from or to.
import { CloudEvent, HTTP } from 'cloudevents'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Image } from '../clients/image.ts'
import { jsonOf, type Receiver, startReceiver } from '../events/receiver.ts'
import { openPlace, type Place } from './place.ts'

const MINUTE = 60_000
/** The servers of these tests ask nobody to log in. */
const NOBODY = 'anonymous'

let at: Place
let receiver: Receiver
let image: Image
beforeAll(async () => {
  at = await openPlace('entrepot')
  receiver = await startReceiver()
  image = await at.image('told', { layers: 1, layerBytes: 1000 })
  await at.push(image, here('library/team/told:v1'))
  await listen('library', ['/default', '/cloud', '/slack', '/teams'])
}, MINUTE)
afterAll(async () => {
  await at.close()
  await receiver.close()
})
beforeEach(() => {
  receiver.received.length = 0
})

const here = (name: string) => `${at.server.host}/${name}`
const there = (name: string) => `${at.front.host}/${name}`
const named = (value: string) => [{ type: 'name', value }]
const SENT: Record<string, object> = {
  '/default': { type: 'http', payload_format: 'Default' },
  '/cloud': { type: 'http', payload_format: 'CloudEvents' },
  '/slack': { type: 'slack' },
  '/teams': { type: 'teams' },
}

async function listen(project: string, paths: string[]): Promise<void> {
  const { status } = await at.admin('POST', `/projects/${project}/webhook/policies`, {
    name: 'replications',
    enabled: true,
    event_types: ['REPLICATION'],
    targets: paths.map((path) => ({ ...SENT[path], address: `${receiver.url}${path}` })),
  })
  expect(status).toBe(201)
}

/** What was told there of ends, or of beginnings, once as much as that has come. */
async function received(path: string, count = 1, begun = false) {
  const isBegun = ({ body }: { body: Buffer }) => /\bRunning\b/.test(body.toString())
  const found = () => receiver.received.filter((each) => each.path === path && isBegun(each) === begun)
  await expect.poll(() => found().length, { timeout: MINUTE }).toBe(count)
  return found()
}

test(
  'a push is told in Harbor’s words, in each of the formats',
  async () => {
    const rule = await at.makeRule({
      description: 'to the other side',
      filters: named('library/**'),
      dest_namespace: 'copies',
    })
    const { id } = await at.run(rule)
    const [posted] = await received('/default')
    const told = jsonOf(posted!)
    expect(told).toEqual({
      type: 'REPLICATION',
      occur_at: expect.any(Number),
      operator: NOBODY,
      event_data: {
        replication: {
          harbor_hostname: '127.0.0.1',
          job_status: 'Success',
          description: 'to the other side',
          artifact_type: 'image',
          override_mode: true,
          trigger_type: 'MANUAL',
          policy_creator: NOBODY,
          execution_timestamp: expect.any(Number),
          src_resource: { registry_type: 'harbor', endpoint: at.server.url, namespace: 'library' },
          dest_resource: {
            registry_name: 'other',
            registry_type: 'docker-registry',
            endpoint: at.front.url,
            namespace: 'copies',
          },
          successful_artifact: [
            { type: 'image', status: 'Success', name_tag: 'team/told:v1', references: ['v1'] },
          ],
          execution_id: id,
          task_id: expect.any(Number),
        },
      },
    })
    const [begun] = (await received('/default', 1, true)).map((each) => jsonOf(each).event_data.replication)
    expect(begun).toMatchObject({ job_status: 'Running', trigger_type: 'MANUAL', execution_id: id })
    expect(Object.keys(begun).filter((name) => name.endsWith('_artifact'))).toEqual([])
    const [cloud] = await received('/cloud')
    const event = HTTP.toEvent({ headers: cloud!.headers, body: cloud!.body.toString() })
    if (!(event instanceof CloudEvent)) throw new Error('one event, not a batch')
    expect([event.validate(), event.type, event.data]).toEqual([
      true,
      'harbor.replication.status.changed',
      told.event_data,
    ])
    const [slack] = await received('/slack')
    expect(slack!.body.toString()).toContain('*event_type:* REPLICATION')
    const [teams] = await received('/teams')
    expect(teams!.body.toString()).toContain('team/told:v1')
  },
  MINUTE,
)

test(
  'what fails is told with its reason, and a pull to the project that it came into',
  async () => {
    const mend = at.front.break(/^POST .*failing/, { status: 403, body: '{}' })
    const failing = await at.makeRule({ filters: named('library/**'), dest_namespace: 'failing' })
    expect((await at.run(failing)).status).toBe('Failed')
    mend()
    const [failed] = await received('/default')
    const told = jsonOf(failed!).event_data.replication
    expect(told).toMatchObject({
      job_status: 'Error',
      failed_artifact: [{ status: 'Error', name_tag: 'team/told:v1', fail_reason: expect.any(String) }],
    })
    expect(told).not.toHaveProperty('successful_artifact')

    receiver.received.length = 0
    await at.push(image, there('theirs/app:v2'))
    await at.admin('POST', '/projects', { project_name: 'ours' })
    await listen('ours', ['/default'])
    const pull = { src_registry: { id: at.registry }, dest_registry: {}, dest_namespace: 'ours' }
    await at.run(await at.makeRule({ ...pull, filters: named('theirs/**') }))
    const [pulled] = await received('/default')
    expect(jsonOf(pulled!).event_data.replication).toMatchObject({
      job_status: 'Success',
      src_resource: { registry_name: 'other', endpoint: at.front.url, namespace: 'theirs' },
      dest_resource: { registry_type: 'harbor', endpoint: at.server.url, namespace: 'ours' },
      successful_artifact: [{ name_tag: 'app:v2' }],
    })
  },
  MINUTE,
)

test(
  'a copy that a push starts is told as of whoever pushed, by tag or by digest',
  async () => {
    const rule = { filters: named('library/events'), trigger: { type: 'event_based' } }
    await at.makeRule(rule)
    await at.push(image, here('library/events:v1'))
    const [first] = (await received('/default', 1)).map(jsonOf)
    expect(first.operator).not.toBe('')
    expect(first.event_data.replication).toMatchObject({
      trigger_type: 'EVENT',
      successful_artifact: [{ name_tag: 'events:v1', references: ['v1'] }],
    })
  },
  MINUTE,
)
