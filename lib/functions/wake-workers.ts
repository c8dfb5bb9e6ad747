// Jobs go to the queue; tasks that are asleep are woken at once, because queue metrics are minutes late.
import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs'
import { SQSClient } from '@aws-sdk/client-sqs'
import { createSqsQueue } from '../aws/sqs-queue.ts'
import type { Enqueue } from './relay-function.ts'

export interface Workers {
  queue: string | undefined
  cluster: string | undefined
  service: string | undefined
}

export function wakeWorkers({ queue, cluster, service }: Workers): Enqueue {
  if (queue === undefined)
    return () => Promise.reject(new Error('environment variable ENTREPOT_QUEUE: required'))
  const jobs = createSqsQueue(new SQSClient({}), { url: queue })
  const ecs = new ECSClient({})
  return async (job) => {
    await jobs.send([JSON.stringify(job)])
    if (cluster === undefined || service === undefined) return
    const { services } = await ecs.send(new DescribeServicesCommand({ cluster, services: [service] }))
    if ((services?.[0]?.desiredCount ?? 0) > 0) return
    await ecs.send(new UpdateServiceCommand({ cluster, service, desiredCount: 1 }))
  }
}
