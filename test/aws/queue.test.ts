// The queue's contract on SQS as MiniStack has it.
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSqsQueue } from '../../lib/aws/sqs-queue.ts'
import { type OpenQueue, queueContract } from '../contract/queue.ts'
import { type MiniStack, startMiniStack } from '../support/ministack.ts'

let ministack: MiniStack
let client: SQSClient
let made = 0
beforeAll(async () => {
  ministack = await startMiniStack({ SERVICES: 'sqs' })
  client = new SQSClient({
    endpoint: ministack.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
})
afterAll(async () => {
  client.destroy()
  await ministack.stop()
})

const DELIVERIES = 2

async function create(name: string, attributes: Record<string, string> = {}): Promise<string> {
  return (await client.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }))).QueueUrl!
}

async function open(visibilitySeconds = 30): Promise<OpenQueue> {
  made += 1
  const dead = await create(`dead-${made}`)
  const deadLetterTargetArn = `arn:aws:sqs:us-east-1:000000000000:dead-${made}`
  const url = await create(`queue-${made}`, {
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: DELIVERIES }),
  })
  return {
    queue: createSqsQueue(client, { url, visibilitySeconds }),
    deliveries: DELIVERIES,
    deadLetters: async () => {
      const received = await client.send(new ReceiveMessageCommand({ QueueUrl: dead, VisibilityTimeout: 0 }))
      return (received.Messages ?? []).map(({ Body }) => Body!)
    },
    close: async () => {},
  }
}

queueContract('SQS', open)

test('a message stays with its handler for as long as that takes', async () => {
  const { queue } = await open(1)
  await queue.send(['slow'])
  const stop = new AbortController()
  let deliveries = 0
  await queue.consume(
    async () => {
      deliveries += 1
      await new Promise((resolve) => setTimeout(resolve, 3500)) // three times the visibility: heartbeats carry it
      stop.abort()
    },
    { concurrency: 2, signal: stop.signal, onFailure: () => {} },
  )
  expect(deliveries).toBe(1)
})
