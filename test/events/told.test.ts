// Which events are told, to whom, and of which artifacts.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { deletePolicy, listPolicies } from '../../lib/events/webhook-policies.ts'
import { changeConfiguration } from '../../lib/registry/configuration.ts'
import { deleteReference } from '../../lib/registry/deletion.ts'
import type { Key } from '../../lib/registry/ports.ts'
import { changeProject } from '../../lib/registry/project-changes.ts'
import { Recorder } from '../../lib/registry/recorder.ts'
import { deleteRepository } from '../../lib/registry/repository-deletion.ts'
import { ACTOR, byDigest, itemsOf, pushImage, repositoryId } from '../domain/registry.ts'
import { type EventPlace, eventPlace, NAME } from './place.ts'
import { jsonOf } from './receiver.ts'

let at: EventPlace
beforeEach(async () => {
  at = await eventPlace()
})
afterEach(() => at.receiver.close())

/** What the receiver was told, as `TYPE reference reference`, in no order: deliveries have none. */
const told = () =>
  at.receiver.received
    .map((each) => {
      const { type, event_data: data } = jsonOf(each)
      return [type, ...(data.resources ?? []).map(({ tag }: { tag: string }) => tag)].join(' ')
    })
    .sort()

const pull = (tag: string, digest = 'sha256:00', more: object = {}) => ({
  repo: 'r1',
  repository: NAME,
  tag,
  digest,
  principal: 'bob',
  client: 'c',
  requestId: 'r',
  hit: true,
  ...more,
})

test('a push is told by its tag, and a push without one by its digest', async () => {
  await at.policy()
  await pushImage(at.registry, NAME, 'v1')
  const { digest } = await pushImage(at.registry, NAME, undefined, { layer: 'other' })
  await at.settle()
  expect(told()).toEqual([`PUSH_ARTIFACT ${digest}`, 'PUSH_ARTIFACT v1'])
})

test('an image pushed again under another tag is told, and one that changes nothing is not', async () => {
  await at.policy()
  for (const tag of ['v1', 'v1', 'v2']) await pushImage(at.registry, NAME, tag)
  await at.settle()
  expect(told()).toEqual(['PUSH_ARTIFACT v1', 'PUSH_ARTIFACT v2'])
})

test('a deletion is told with the tags that went, a repository’s with its artifacts', async () => {
  await at.policy({ events: ['DELETE_ARTIFACT'] })
  const first = await pushImage(at.registry, NAME, 'v1')
  const second = await pushImage(at.registry, NAME, 'v2', { layer: 'other' })
  await deleteReference(at.registry, NAME, byDigest(first.digest), ACTOR)
  await deleteRepository(at.registry, NAME, ACTOR)
  await at.settle()
  expect(told()).toEqual([`DELETE_ARTIFACT ${second.digest}`, 'DELETE_ARTIFACT v1'])
})

test('a policy hears of the events it names, of its own project, while it is enabled', async () => {
  const hears = await at.policy({ events: ['PUSH_ARTIFACT'] })
  await at.policy({ events: ['DELETE_ARTIFACT'] })
  await at.policy({ enabled: false })
  await pushImage(at.registry, NAME, 'v1')
  await at.settle()
  expect(told()).toHaveLength(1)
  await deletePolicy(at.registry, await at.project(), hears.number)
  await pushImage(at.registry, NAME, 'v2')
  await at.settle()
  expect(told()).toHaveLength(1)
  expect(await listPolicies(at.registry, (await at.project()).id)).toHaveLength(2)
})

test('nothing is told while an administrator has notifications switched off', async () => {
  await at.policy()
  await changeConfiguration(at.registry, { notification_enable: false })
  await pushImage(at.registry, NAME, 'v1')
  await at.settle()
  expect(told()).toEqual([])
})

test.each([
  ['team/**', '', ['team/a v1', 'team/b/c v1']],
  ['team/*', '', ['team/a v1']],
  ['{app,team/a}', 'v*', ['app v1', 'team/a v1']],
  ['', 'v1.?', []],
  ['other', '', []],
])('with the filters %j and %j only %j are told', async (repositoryFilter, tagFilter, expected) => {
  await at.policy({}, { repositoryFilter, tagFilter })
  for (const name of ['app', 'team/a', 'team/b/c']) await pushImage(at.registry, `library/${name}`, 'v1')
  await pushImage(at.registry, NAME, undefined, { layer: 'without a tag' })
  await at.settle()
  const seen = at.receiver.received
    .map(jsonOf)
    .map(({ event_data: { repository, resources } }) => `${repository.name} ${resources[0].tag}`)
  expect(seen.sort()).toEqual(expected)
})

test('pulls are told only in projects that ask for them, the same one once a second', async () => {
  const recorder = new Recorder(at.registry)
  recorder.pull(pull('before'))
  await recorder.flush()
  await at.policy({ events: ['PULL_ARTIFACT'] })
  at.registry.clock.now += 61_000 // what is known of a project is believed for a minute
  for (const tag of ['v1', 'v1', 'v2']) recorder.pull(pull(tag))
  recorder.pull(pull('missing', 'sha256:00', { hit: false }))
  recorder.pull(pull('elsewhere', 'sha256:00', { repository: 'other/app' }))
  await recorder.flush()
  await at.settle()
  expect(told()).toEqual(['PULL_ARTIFACT v1', 'PULL_ARTIFACT v2'])
  expect(jsonOf(at.receiver.received[0]!)).toMatchObject({ operator: 'bob' })
})

test('a project that does not ask costs one read a minute, however much is pulled from it', async () => {
  const asked: Key[][] = []
  const { batchGet } = at.registry.metadata
  at.registry.metadata.batchGet = (keys, options) => {
    if (keys.some(({ pk }) => pk === 'P#library')) asked.push(keys)
    return batchGet(keys, options)
  }
  const recorder = new Recorder(at.registry)
  for (let second = 0; second < 60; second++) {
    for (let each = 0; each < 5; each++) recorder.pull(pull(`v${each}`))
    await recorder.flush()
    at.registry.clock.now += 1000
  }
  expect(asked).toHaveLength(1)
  expect(await itemsOf(at.registry, 'E#')).toEqual([])
})

test('a push that the quota refuses is told with the reason, where somebody asked for it', async () => {
  await changeProject(at.registry, await at.project(), () => ({ quotaBytes: 10 }))
  await expect(pushImage(at.registry, NAME, 'v1')).rejects.toThrow('will exceed')
  await at.policy({ events: ['QUOTA_EXCEED'] })
  await expect(pushImage(at.registry, NAME, 'v2')).rejects.toThrow('will exceed')
  await at.settle()
  expect(at.receiver.received.map(jsonOf)).toMatchObject([
    {
      type: 'QUOTA_EXCEED',
      operator: ACTOR.principal,
      event_data: {
        resources: [{ tag: 'v2' }],
        repository: { repo_full_name: NAME, namespace: 'library', name: 'app', repo_type: 'private' },
        custom_attributes: { Details: expect.stringContaining('configured upper limit of 10 B') },
      },
    },
  ])
})

test('pushes are told as a warning from 85 % of the quota on', async () => {
  const limit = (quotaBytes: number) =>
    at.project().then((now) => changeProject(at.registry, now, () => ({ quotaBytes })))
  await at.policy({ events: ['QUOTA_WARNING'] })
  await limit(200_000)
  await pushImage(at.registry, NAME, 'v1', { layer: 'x'.repeat(160_000) })
  await at.settle()
  expect(told()).toEqual([])
  await pushImage(at.registry, NAME, 'v2', { layer: 'x'.repeat(20_000) })
  await at.settle()
  expect(told()).toEqual(['QUOTA_WARNING v2'])
  const { event_data: data } = jsonOf(at.receiver.received[0]!)
  expect(data.custom_attributes.Details).toMatch(
    /^quota usage reach 85%: resource storage used 18\d{4} B of 200000 B$/,
  )
})

test('a tag that is deleted alone, and a repository that comes back, are no events of Harbor’s webhooks', async () => {
  await at.policy({ events: ['PUSH_ARTIFACT', 'DELETE_ARTIFACT'] })
  await pushImage(at.registry, NAME, 'v1')
  await at.settle()
  await deleteReference(at.registry, NAME, { kind: 'tag', tag: 'v1' }, ACTOR)
  await at.settle()
  expect(told()).toEqual(['PUSH_ARTIFACT v1'])
  expect(await repositoryId(at.registry, NAME)).toBeDefined()
})
