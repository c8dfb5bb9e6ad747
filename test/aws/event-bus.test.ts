// A push reaches a queue through the bus, by the rule that the CDK construct makes, as docs/events.md says.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge'
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { CloudEvent } from 'cloudevents'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { copyArtifact } from '../../lib/artifacts/copy-artifact.ts'
import { eventBridge } from '../../lib/aws/event-bridge.ts'
import { publishing } from '../../lib/events/bus.ts'
import { tellAll } from '../../lib/events/event.ts'
import { relay } from '../../lib/registry/relay.ts'
import { ACTOR, pushImage, type TestRegistry, testRegistry } from '../domain/registry.ts'
import { type MiniStack, startMiniStack } from '../support/ministack.ts'
import { onPushRule } from '../support/on-push.ts'

const BUS = 'entrepot'
const NAME = 'library/app'

let ministack: MiniStack
let events: EventBridgeClient
let sqs: SQSClient
let queue: string
let registry: TestRegistry
beforeAll(async () => {
  ministack = await startMiniStack({ SERVICES: 'sqs,events' })
  const common = {
    endpoint: ministack.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  }
  events = new EventBridgeClient(common)
  sqs = new SQSClient(common)
  registry = await testRegistry()
  queue = (await sqs.send(new CreateQueueCommand({ QueueName: 'deploy' }))).QueueUrl!
  const asked = new GetQueueAttributesCommand({ QueueUrl: queue, AttributeNames: ['QueueArn'] })
  const { Attributes } = await sqs.send(asked)
  await events.send(new CreateEventBusCommand({ Name: BUS }))
  const { EventPattern } = onPushRule('library/*', 'v*')
  const rule = { Name: 'on-push', EventBusName: BUS, EventPattern: JSON.stringify(EventPattern) }
  await events.send(new PutRuleCommand(rule))
  const Targets = [{ Id: 'queue', Arn: Attributes!.QueueArn! }]
  await events.send(new PutTargetsCommand({ Rule: 'on-push', EventBusName: BUS, Targets }))
})
afterAll(async () => {
  events.destroy()
  sqs.destroy()
  await ministack.stop()
})

const relayAll = async (bus = BUS) => {
  const failures: unknown[] = []
  const listener = tellAll([publishing(eventBridge(bus, events))])
  while ((await relay(registry, (error) => failures.push(error), listener)) > 0);
  return failures
}

/** The next event that the rule let through. */
async function next() {
  const received = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue, WaitTimeSeconds: 10 }))
  const [message] = received.Messages ?? []
  if (!message) throw new Error('nothing came')
  await sqs.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle: message.ReceiptHandle }))
  return JSON.parse(message.Body!)
}

/** Of the example in the documentation: names of all its fields, with what kind of value they have. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf)
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shapeOf(each)]))
}

test('a push of a tag that fits reaches the target, with the payload that is documented', async () => {
  const { digest, bytes } = await pushImage(registry, NAME, 'v1')
  expect(await relayAll()).toEqual([])
  const event = await next()
  expect(event).toMatchObject({
    source: 'entrepot',
    'detail-type': 'Artifact Pushed',
    detail: {
      source: '/projects/library',
      type: 'entrepot.manifest.pushed',
      subject: 'library/app:v1',
      data: {
        project: 'library',
        repository: NAME,
        digest,
        tags: ['v1'],
        sizeBytes: bytes.length,
        cause: 'push',
        principal: ACTOR.principal,
      },
    },
  })
  expect(new CloudEvent(event.detail).validate()).toBe(true)
  const documented = readFileSync(path.resolve(import.meta.dirname, '../../docs/events.md'), 'utf8')
  const example = JSON.parse(/```json\n(.*?)```/s.exec(documented)![1]!)
  expect(shapeOf(event.detail)).toEqual(shapeOf(example.detail))
  expect(Object.keys(example).filter((name) => !(name in event))).toEqual([])
})

test('a tag that does not fit, another repository, no tag, a copy and a deletion do not reach it', async () => {
  await pushImage(registry, NAME, 'latest')
  await pushImage(registry, NAME, undefined, { layer: 'other' })
  const from = { repository: NAME, reference: { kind: 'tag', tag: 'v1' } } as const
  await copyArtifact(registry, from, 'library/copy', ACTOR)
  await pushImage(registry, NAME, 'v2')
  expect(await relayAll()).toEqual([])
  // Of all these the last alone, which moved a tag to an image that was there.
  expect(await next()).toMatchObject({
    'detail-type': 'Tag Moved',
    detail: { data: { tags: ['v2'] } },
  })
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue, WaitTimeSeconds: 0 }))
  expect(Messages ?? []).toEqual([])
})

test('an event that the bus did not take stays, and is told again', async () => {
  await pushImage(registry, NAME, 'v3')
  const refused = new EventBridgeClient({
    endpoint: 'http://127.0.0.1:1',
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  })
  const listener = tellAll([publishing(eventBridge(BUS, refused))])
  const failures: unknown[] = []
  await relay(registry, (error) => failures.push(error), listener)
  refused.destroy()
  expect(failures).toHaveLength(1)
  expect(await relayAll()).toEqual([])
  expect(await next()).toMatchObject({ detail: { data: { tags: ['v3'] } } })
})
