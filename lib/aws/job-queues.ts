// Tasks go to the queues of their weight; workers that are asleep are woken at once, because queue metrics are minutes
// late.
import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { Dispatch } from '../jobs/messages.ts'
import { createSqsQueue } from './sqs-queue.ts'

/** The service is looked at again for a new task after so long. */
const AWAKE_MS = 30_000

/**
 * By what every program that begins jobs is told: ENTREPOT_QUEUE, ENTREPOT_LIGHT_QUEUE, ENTREPOT_CLUSTER, ENTREPOT_WORKERS.
 * @returns undefined where there are no such queues
 */
export function dispatchTo(env: NodeJS.ProcessEnv): Dispatch | undefined {
  const {
    ENTREPOT_QUEUE: heavy,
    ENTREPOT_LIGHT_QUEUE: light,
    ENTREPOT_CLUSTER: cluster,
    ENTREPOT_WORKERS: service,
  } = env
  if (heavy === undefined || light === undefined) return undefined
  const sqs = new SQSClient({})
  const queues = { heavy: createSqsQueue(sqs, { url: heavy }), light: createSqsQueue(sqs, { url: light }) }
  const ecs = new ECSClient({})
  let awakeUntilMs = 0
  async function wake(): Promise<void> {
    if (cluster === undefined || service === undefined || Date.now() < awakeUntilMs) return
    const { services } = await ecs.send(new DescribeServicesCommand({ cluster, services: [service] }))
    if ((services?.[0]?.desiredCount ?? 0) === 0)
      await ecs.send(new UpdateServiceCommand({ cluster, service, desiredCount: 1 }))
    awakeUntilMs = Date.now() + AWAKE_MS
  }
  return async (weight, bodies, delaySeconds = 0) => {
    await queues[weight].send(bodies, { delaySeconds })
    if (weight === 'heavy') await wake()
  }
}
