// What is posted, compared with what Harbor's documentation, the CloudEvents package, Slack and Teams say of it.
import { CloudEvent, HTTP } from 'cloudevents'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keys } from '../../lib/registry/keys.ts'
import { noticeWrite } from '../../lib/registry/outbox.ts'
import { pushImage } from '../domain/registry.ts'
import { type EventPlace, eventPlace, NAME } from './place.ts'
import { jsonOf } from './receiver.ts'

/** goharbor/harbor src/pkg/notifier/formats/default.go, the example in its comment. */
const HARBORS_EXAMPLE = {
  type: 'PULL_ARTIFACT',
  occur_at: 1678082303,
  operator: 'admin',
  event_data: {
    resources: [
      {
        digest: 'sha256:dde8e930c7b6a490f728e66292bc9bce42efc9bbb5278bae40e4f30f6e00fe8c',
        tag: 'sha256:dde8e930c7b6a490f728e66292bc9bce42efc9bbb5278bae40e4f30f6e00fe8c',
        resource_url:
          'harbor.dev/library/busybox@sha256:dde8e930c7b6a490f728e66292bc9bce42efc9bbb5278bae40e4f30f6e00fe8c',
      },
    ],
    repository: {
      date_created: 1677053165,
      name: 'busybox',
      namespace: 'library',
      repo_full_name: 'library/busybox',
      repo_type: 'public',
    },
  },
}

let at: EventPlace
beforeEach(async () => {
  at = await eventPlace()
})
afterEach(() => at.receiver.close())

/** The event of the example: busybox, made then, is pulled by its digest. */
async function pullBusybox(): Promise<void> {
  const { registry } = at
  const { id: projectId } = await at.project()
  const project = (await registry.metadata.get(keys.project('library')))!
  const repository = { v: 1, id: 'busybox1', projectId, createdAtMs: 1677053165_000 }
  registry.clock.now = HARBORS_EXAMPLE.occur_at * 1000
  const { digest } = HARBORS_EXAMPLE.event_data.resources[0]!
  await registry.metadata.batchWrite([
    { kind: 'put', item: { ...project, attributes: { ...project.attributes, public: true } } },
    { kind: 'put', item: { ...keys.repository('library/busybox'), attributes: repository } },
    noticeWrite(
      registry,
      { id: 'busybox1', name: 'library/busybox', projectId },
      { type: 'manifest.pulled', digest, tags: [], cause: 'pull' },
      { principal: 'admin', requestId: '2eedfab8-61d3-4f3c-8ec3-8f82d1ec4c84' },
    ),
  ])
}

test('the default payload is Harbor’s, to the letter of its own example', async () => {
  await at.policy()
  await pullBusybox()
  await at.settle()
  const [received] = at.receiver.received
  expect(received!.headers['content-type']).toBe('application/json')
  expect(jsonOf(received!)).toEqual(HARBORS_EXAMPLE)
  expect(Object.keys(jsonOf(received!))).toEqual(Object.keys(HARBORS_EXAMPLE))
})

test('a CloudEvent is one to the official package, and says what Harbor’s says', async () => {
  const policy = await at.policy({ targets: [{ format: 'CloudEvents' }] })
  await pullBusybox()
  await at.settle()
  const { headers, body } = at.receiver.received[0]!
  const event = HTTP.toEvent({ headers, body: body.toString() })
  if (!(event instanceof CloudEvent)) throw new Error('one event, not a batch')
  expect(event.validate()).toBe(true)
  const { id, ...said } = JSON.parse(body.toString())
  expect(id).toMatch(/^[0-9a-z]+\.PULL_ARTIFACT$/)
  expect(said).toEqual({
    specversion: '1.0',
    requestid: '2eedfab8-61d3-4f3c-8ec3-8f82d1ec4c84',
    source: `/projects/1/webhook/policies/${policy.number}`,
    type: 'harbor.artifact.pulled',
    datacontenttype: 'application/json',
    time: '2023-03-06T05:58:23Z',
    data: HARBORS_EXAMPLE.event_data,
    operator: 'admin',
  })
})

test('Slack gets blocks as Harbor sends them, in which no name can mention or link anybody', async () => {
  await at.policy({ targets: [{ type: 'slack' }] })
  const actor = { principal: '<!channel> & co', requestId: 'r' }
  const { id: projectId } = await at.project()
  const about = { id: 'r1', name: NAME, projectId }
  const facts = { type: 'manifest.pulled' as const, digest: 'sha256:00', tags: ['v1'], cause: 'pull' }
  await at.registry.metadata.batchWrite([noticeWrite(at.registry, about, facts, actor)])
  await at.settle()
  const { blocks } = jsonOf(at.receiver.received[0]!) as {
    blocks: { type: string; text: { type: string; text: string } }[]
  }
  expect(blocks.map(({ type, text }) => [type, text.type])).toEqual(Array(6).fill(['section', 'mrkdwn']))
  const seconds = at.registry.clock.now / 1000
  expect(blocks.map(({ text }) => text.text)).toEqual([
    '*Entrepôt webhook events*',
    '*event_type:* PULL_ARTIFACT',
    expect.stringMatching(
      new RegExp(`^\\*occur_at:\\* <!date\\^${seconds}\\^\\{date\\} at \\{time\\}\\|.+>$`),
    ),
    '*operator:* &lt;!channel&gt; &amp; co',
    '*event_data:*',
    expect.stringMatching(/^```[^<>]*"repo_full_name": "library\/app"[^<>]*```$/),
  ])
  for (const { text } of blocks) expect(text.text.length).toBeLessThan(3000)
})

test('Teams gets an Adaptive Card in a message, as its workflows take it', async () => {
  await at.policy({ targets: [{ type: 'teams' }] })
  await pushImage(at.registry, NAME, 'v1')
  await at.settle()
  const message = jsonOf(at.receiver.received[0]!)
  expect(message).toMatchObject({
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
        },
      },
    ],
  })
  expect(JSON.stringify(message)).toContain('library/app')
})
