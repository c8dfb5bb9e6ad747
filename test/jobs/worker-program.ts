// A worker process of the test's own: real queues, real claims, and jobs whose effects another process counts.
import { hostname } from 'node:os'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { createDynamoMetadataStore } from '../../lib/aws/dynamo-metadata-store.ts'
import type { JobContext, JobKind } from '../../lib/jobs/kinds.ts'
import type { Queue } from '../../lib/jobs/queue.ts'
import { recoverTasks } from '../../lib/jobs/recover.ts'
import type { Runner } from '../../lib/jobs/run-task.ts'
import { runWorker } from '../../lib/jobs/worker.ts'
import type { Registry } from '../../lib/registry/registry.ts'
import { LEASE_MS, registryOn, storedQueues } from './place.ts'

const { RECEIVER: receiver, TABLE: table, SABOTAGE } = process.env
const registry: Registry = registryOn(createDynamoMetadataStore(new DynamoDBClient({}), table!))
const queues = storedQueues(registry)

async function tell(deliveryId: string, step: number): Promise<void> {
  const answer = await fetch(`${receiver}/${deliveryId}/${step}`, { method: 'POST' })
  if (!answer.ok) throw new Error(`the receiver answered ${answer.status}`)
}

/** Steps of which each is told, and kept so that the next attempt goes on behind it. */
async function inSteps({ task, deliveryId, save, signal }: JobContext): Promise<void> {
  for (let step = Number(task.state.done ?? 0); step < Number(task.payload.steps); step++) {
    signal.throwIfAborted()
    await tell(deliveryId, step)
    await save({ done: step + 1 })
  }
}

const usual: JobKind = { attempts: 100, retryAfterSeconds: 1, timeoutSeconds: 600, atOnce: 20, run: inSteps }
const runner: Runner = {
  registry,
  leaseMs: LEASE_MS,
  kinds: { WEBHOOK: usual, REPLICATION: { ...usual, atOnce: 6, atOncePerTarget: 2 }, IMPORT: usual },
  dispatch: (weight, bodies, delaySeconds = 0) => queues[weight].send(bodies, { delaySeconds }),
  // One item for each end of an execution, under a key of its own: whoever ends it twice is found out.
  ended: async (_, { number, endedAtMs }) =>
    endedAtMs === undefined
      ? []
      : [{ kind: 'put', item: { pk: 'ENDS', sk: `${number}#${registry.newId()}`, attributes: { v: 1 } } }],
}

/** Acknowledges messages before their tasks have run. */
function hasty(queue: Queue): Queue {
  return {
    ...queue,
    consume: (handler, options) =>
      queue.consume(async (message) => void handler(message).catch(() => {}), options),
  }
}
const sabotaged = SABOTAGE === 'jobs-acknowledged-early'
const sources = Object.values(queues).map((queue) => ({
  queue: sabotaged ? hasty(queue) : queue,
  concurrency: 4,
}))
runWorker(
  runner,
  sources,
  { host: hostname(), pid: process.pid },
  { ended: () => {}, failed: (body, error) => console.error(body, error) },
)
if (!sabotaged) setInterval(() => void recoverTasks(runner).catch(console.error), 5000)
console.log('ready')
