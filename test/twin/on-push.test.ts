// Events of the deployment: a push reaches a target of somebody's own through the bus, and webhooks run in their function.
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from '../../lib/doctor/client.ts'
import { onPushRule } from '../support/on-push.ts'
import { CREDENTIALS, REGION } from './cloud.ts'
import { askerFor, pushImage } from './everything.ts'
import { delivered, managementOf } from './management.ts'
import { sharedTwin } from './shared.ts'
import type { Twin } from './twin.ts'

const NAME = 'library/on-push'
let twin: Twin
let sqs: SQSClient
let queue: string
beforeAll(async () => {
  twin = await sharedTwin()
  const common = { endpoint: twin.cloud.endpoint, credentials: CREDENTIALS, region: REGION }
  sqs = new SQSClient(common)
  queue = (await sqs.send(new CreateQueueCommand({ QueueName: 'deploys' }))).QueueUrl!
  const asked = new GetQueueAttributesCommand({ QueueUrl: queue, AttributeNames: ['QueueArn'] })
  const { Attributes } = await sqs.send(asked)
  const events = new EventBridgeClient(common)
  const EventBusName = twin.outputs.EventBus!
  const { EventPattern } = onPushRule('library/on-*', 'v*')
  await events.send(
    new PutRuleCommand({ Name: 'on-push', EventBusName, EventPattern: JSON.stringify(EventPattern) }),
  )
  const Targets = [{ Id: 'queue', Arn: Attributes!.QueueArn! }]
  await events.send(new PutTargetsCommand({ Rule: 'on-push', EventBusName, Targets }))
  events.destroy()
}, 240_000)
afterAll(() => sqs.destroy())

test('a push reaches the target of a rule that OnPush makes', { timeout: 60_000 }, async () => {
  const ask = await askerFor(twin, NAME)
  await pushImage(ask, NAME, 'latest')
  const bytes = await pushImage(ask, NAME, 'v1')
  let body: string | undefined
  while (body === undefined) {
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue, WaitTimeSeconds: 5 }))
    body = Messages?.[0]?.Body
  }
  expect(JSON.parse(body)).toMatchObject({
    source: 'entrepot',
    'detail-type': 'Artifact Pushed',
    detail: {
      specversion: '1.0',
      subject: `${NAME}:v1`,
      data: { repository: NAME, digest: sha256(bytes), tags: ['v1'], cause: 'push', principal: 'admin' },
    },
  })
})

test('a webhook is delivered by the function of light jobs, which an address inside refuses to', {
  timeout: 60_000,
}, async () => {
  const admin = managementOf(twin, 'admin', twin.adminPassword)
  const policies = '/projects/library/webhook/policies'
  const { answer } = await admin('POST', policies, 201, {
    name: 'inside',
    enabled: true,
    event_types: ['PUSH_ARTIFACT'],
    targets: [{ type: 'http', address: 'http://10.255.255.1:9/' }],
    repository_filter: 'on-push',
  })
  const policy = `${policies}/${answer.headers.get('location')!.split('/').at(-1)}`
  await pushImage(await askerFor(twin, NAME), NAME, 'v2')
  const task = await delivered(admin, `${policy}/executions`)
  expect(task).toMatchObject({
    status: 'Error',
    run_count: 1,
    status_message: expect.stringMatching(/is a private address/),
  })
  await admin('DELETE', policy, 200)
})
