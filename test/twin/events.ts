// What happens by itself: the S3 server's events come through EventBridge, the table's stream and the woken workers are
// the twin's own doing.
import { setTimeout as sleep } from 'node:timers/promises'
import { DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { type Cloud, CREDENTIALS, REGION } from './cloud.ts'
import type { Made } from './stacks.ts'
import type { Task } from './tasks.ts'

export interface Events {
  objectCreated(key: string): Promise<void>
  /** Whether S3's events are lost, as long as that is said. */
  losing(lost: boolean): void
  /** The tasks that ran because somebody woke them. */
  workers: Task[]
  /** Calls of the relay for the table's stream. */
  readonly relayed: number
  /** Calls a function of the events stack, as a schedule does. @throws Error with what the function threw */
  invoke(name: 'Relay' | 'Setup', event: unknown): Promise<void>
  /** Until every worker that was woken has gone to sleep again. */
  untilWorkersSleep(): Promise<void>
  close(): Promise<void>
}

export interface EventsOptions {
  cloud: Cloud
  made: Made
  bucket: string
  startWorker(): Promise<Task>
}

/** The stream's batching window. */
const WINDOW_MS = 300
const LOOK_MS = 500

export function startEvents({ cloud, made, bucket, startWorker }: EventsOptions): Events {
  const common = { endpoint: cloud.endpoint, credentials: CREDENTIALS, region: REGION }
  const s3 = new S3Client({ ...common, forcePathStyle: true })
  const lambda = new LambdaClient(common)
  const ecs = new ECSClient(common)
  const workers: Task[] = []
  let closed = false
  let lost = false
  let relayed = 0
  let due: NodeJS.Timeout | undefined

  /** Only what the stream's filter lets through: new items of the outbox. */
  cloud.witnesses.dynamodb.onCall = ({ action }, body) => {
    if (!/:(PutItem|BatchWriteItem)$/.test(action) || !body.includes('"E#')) return
    due ??= setTimeout(() => {
      due = undefined
      void relay().catch(() => {})
    }, WINDOW_MS)
  }
  async function relay(): Promise<void> {
    if (closed) return
    relayed += 1
    const FunctionName = await made.id('events', 'AWS::Lambda::Function', 'Relay')
    const Payload = JSON.stringify({ Records: [{ eventName: 'INSERT', eventSource: 'aws:dynamodb' }] })
    await lambda.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload }))
  }

  async function look(): Promise<void> {
    const cluster = await made.id('network', 'AWS::ECS::Cluster')
    const { services } = await ecs.send(
      new DescribeServicesCommand({ cluster, services: ['entrepot-workers'] }),
    )
    const wanted = services?.[0]?.desiredCount ?? 0
    const running = workers.filter(({ process }) => process.exitCode === null && process.signalCode === null)
    if (wanted > running.length && !closed) workers.push(await startWorker())
    if (wanted < running.length) await running[0]!.stop()
  }
  let looking = Promise.resolve()
  const timer = setInterval(() => {
    looking = looking.then(look).catch(() => {})
  }, LOOK_MS)

  return {
    workers,
    get relayed() {
      return relayed
    },
    // MiniStack tells of it, by its own EventBridge and rules, when its own bucket gets the key too.
    objectCreated: async (Key) => {
      if (!closed && !lost)
        await s3
          .send(new PutObjectCommand({ Bucket: bucket, Key, Body: '', ContentLength: 0 }))
          .catch(() => {})
    },
    losing: (now) => {
      lost = now
    },
    invoke: async (name, event) => {
      const FunctionName = await made.id('events', 'AWS::Lambda::Function', name)
      const answer = await lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }))
      if (answer.FunctionError) throw new Error(Buffer.from(answer.Payload!).toString())
    },
    untilWorkersSleep: async () => {
      while (!workers.some(({ process }) => process.exitCode === null)) await sleep(LOOK_MS)
      for (const worker of workers) await worker.ended
    },
    close: async () => {
      closed = true
      clearInterval(timer)
      clearTimeout(due)
      await looking
      for (const worker of workers) await worker.stop()
    },
  }
}
