// Queue over SQS: long polls, a heartbeat while a handler runs, and the queue's own redrive policy at the end.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SQSClient,
  type Message as SqsMessage,
} from '@aws-sdk/client-sqs'
import type { ConsumeOptions, Message, MessageHandler, Queue } from '../jobs/queue.ts'
import { backOff, calling, unavailable } from './failures.ts'

/** SQS takes ten entries and 256 KiB a batch. */
const BATCH = 10
const BATCH_BYTES = 256 * 1024
const POLL_SECONDS = 20
const ATTEMPTS = 8
/** How long a message waits after its first failure; twice as long after each next one. */
const RETRY_SECONDS = 5
const LONGEST_RETRY_SECONDS = 900
/** After an error of SQS itself. */
const PAUSE_MS = 1000

export interface SqsQueueOptions {
  url: string
  /** How long a message is ours without a heartbeat: what a killed worker had is delivered again after that. */
  visibilitySeconds?: number
}

export function createSqsQueue(client: SQSClient, { url, visibilitySeconds = 60 }: SqsQueueOptions): Queue {
  async function sendBatch(bodies: string[], delaySeconds: number): Promise<void> {
    let waiting: SendMessageBatchRequestEntry[] = bodies.map((MessageBody, index) => ({
      Id: String(index),
      MessageBody,
      DelaySeconds: delaySeconds,
    }))
    for (let attempt = 0; waiting.length > 0; attempt++) {
      if (attempt === ATTEMPTS) throw unavailable('queue', new Error('messages were refused too often'))
      if (attempt > 0) await backOff(attempt)
      const answer = await calling('queue', () =>
        client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: waiting })),
      )
      const ours = answer.Failed?.find(({ SenderFault }) => SenderFault)
      if (ours) throw new Error(`the queue refused a message: ${ours.Code} ${ours.Message}`)
      const failed = new Set(answer.Failed?.map(({ Id }) => Id))
      waiting = waiting.filter(({ Id }) => failed.has(Id))
    }
  }

  async function receive(limit: number, signal: AbortSignal): Promise<SqsMessage[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: Math.min(limit, BATCH),
      WaitTimeSeconds: POLL_SECONDS,
      VisibilityTimeout: visibilitySeconds,
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
    })
    try {
      return (await client.send(command, { abortSignal: signal })).Messages ?? []
    } catch (error) {
      if (signal.aborted) return []
      throw error
    }
  }

  async function keep(receipt: string, seconds: number): Promise<void> {
    const VisibilityTimeout = seconds
    await client.send(
      new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle: receipt, VisibilityTimeout }),
    )
  }

  async function handle(
    received: SqsMessage,
    handler: MessageHandler,
    options: ConsumeOptions,
  ): Promise<void> {
    const receipt = received.ReceiptHandle!
    const message: Message = {
      id: received.MessageId!,
      body: received.Body ?? '',
      attempt: Number(received.Attributes?.ApproximateReceiveCount ?? 1),
    }
    const heartbeat = setInterval(
      () => void keep(receipt, visibilitySeconds).catch(() => {}), // the next beat may come through
      (visibilitySeconds * 1000) / 3,
    )
    try {
      await handler(message)
      clearInterval(heartbeat)
      const Entries = [{ Id: '0', ReceiptHandle: receipt }]
      await calling('queue', () => client.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries })))
    } catch (error) {
      options.onFailure(message, error)
      const seconds = Math.min(RETRY_SECONDS * 2 ** (message.attempt - 1), LONGEST_RETRY_SECONDS)
      await keep(receipt, seconds).catch(() => {}) // it comes back when its time is up
    } finally {
      clearInterval(heartbeat)
    }
  }

  return {
    async send(bodies, { delaySeconds = 0 } = {}) {
      for (const batch of batchesOf(bodies)) await sendBatch(batch, delaySeconds)
    },

    async consume(handler, options) {
      const running = new Set<Promise<void>>()
      while (!options.signal.aborted) {
        if (running.size >= options.concurrency) {
          await Promise.race(running)
          continue
        }
        let messages: SqsMessage[]
        try {
          messages = await receive(options.concurrency - running.size, options.signal)
        } catch (error) {
          options.onFailure({ id: '', body: '', attempt: 0 }, error)
          await sleep(PAUSE_MS, undefined, { signal: options.signal }).catch(() => {})
          continue
        }
        for (const message of messages) {
          const run = handle(message, handler, options).finally(() => running.delete(run))
          running.add(run)
        }
      }
      await Promise.all(running)
    },
  }
}

function* batchesOf(bodies: string[]): Generator<string[]> {
  let batch: string[] = []
  let bytes = 0
  for (const body of bodies) {
    const size = Buffer.byteLength(body)
    if (batch.length === BATCH || (batch.length > 0 && bytes + size > BATCH_BYTES)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(body)
    bytes += size
  }
  if (batch.length > 0) yield batch
}
