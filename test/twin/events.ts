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
/** Of the stream, for one batch that the function does not take. */
const STREAM_ATTEMPTS = 20
const LOOK_MS = 500

const isRunning = ({ process }: Task) => process.exitCode === null && process.signalCode === null

export function startEvents({ cloud, made, bucket, startWorker }: EventsOptions): Events {
  const common = { endpoint: cloud.endpoint, credentials: CREDENTIALS, region: REGION }
  const s3 = new S3Client({ ...common, forcePathStyle: true })
  const lambda = new LambdaClient(common)
  const ecs = new ECSClient(common)
  const workers: Task[] = []
  let closed = false
  let lost = false
  /** How many workers there are to be, at the last look. */
  let wanted = 0
  let streamed = false
  let streaming = false

  /** Only what the stream's filter lets through: new items of the outbox, which the relay itself but takes out. */
  cloud.witnesses.dynamodb.onCall = ({ program, action }, body) => {
    if (program === 'relay' || !/:(PutItem|BatchWriteItem)$/.test(action) || !body.includes('"E#')) return
    streamed = true
    if (!streaming) void stream()
  }
  /** One call at a time, as of a shard: calls beside each other would take the same items and slow each other down. */
  async function stream(): Promise<void> {
    streaming = true
    for (let failures = 0; streamed && failures < STREAM_ATTEMPTS && !closed; ) {
      await sleep(WINDOW_MS)
      streamed = false
      if (await relay().catch(() => false)) failures = 0
      else {
        failures += 1
        streamed = true
      }
    }
    streaming = false
  }
  /** @returns whether the function took it */
  async function relay(): Promise<boolean> {
    const FunctionName = await made.id('events', 'AWS::Lambda::Function', 'Relay')
    const Payload = JSON.stringify({ Records: [{ eventName: 'INSERT', eventSource: 'aws:dynamodb' }] })
    return !(await lambda.send(new InvokeCommand({ FunctionName, Payload }))).FunctionError
  }

  let cluster: string | undefined
  async function look(): Promise<void> {
    cluster ??= await made.id('network', 'AWS::ECS::Cluster')
    const { services } = await ecs.send(
      new DescribeServicesCommand({ cluster, services: ['entrepot-workers'] }),
    )
    wanted = services?.[0]?.desiredCount ?? 0
    const running = workers.filter(isRunning)
    if (wanted > running.length && !closed) workers.push(await startWorker())
    if (wanted < running.length) await running[0]!.stop()
  }
  let looking = Promise.resolve()
  /** After those that are under way: two beside each other would start two workers for one. */
  const lookAgain = () => {
    looking = looking.catch(() => {}).then(look)
    return looking
  }
  const watching = (async () => {
    for (; !closed; await sleep(LOOK_MS)) await lookAgain().catch(() => {})
  })()

  return {
    workers,
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
      // Who was woken may not have begun, and one that goes to sleep may leave a job to the next.
      do {
        await sleep(LOOK_MS)
        await lookAgain()
      } while (wanted > 0 || workers.some(isRunning))
    },
    close: async () => {
      closed = true
      await watching
      for (const worker of workers) await worker.stop()
    },
  }
}
