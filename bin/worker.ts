// Jobs in the cloud: takes them from the queue, and goes to sleep when there are none.
import { ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs'
import { SQSClient } from '@aws-sdk/client-sqs'
import { openRegistry } from '../lib/aws/open-stores.ts'
import { createSqsQueue } from '../lib/aws/sqs-queue.ts'
import { protectWhileBusy } from '../lib/aws/task-protection.ts'
import { readConfig } from '../lib/config/config.ts'
import { trustExtraAuthorities } from '../lib/config/trust.ts'
import { runWorker } from '../lib/jobs/worker.ts'
import { sweep } from '../lib/registry/gc/sweep.ts'

trustExtraAuthorities(process.env)
const config = readConfig(['--stores', 'aws'], process.env)
const { ENTREPOT_QUEUE: url, ENTREPOT_CLUSTER: cluster, ENTREPOT_WORKERS: service } = process.env
if (url === undefined) throw new Error('environment variable ENTREPOT_QUEUE: required')

const { registry } = openRegistry(config)
const worker = runWorker(createSqsQueue(new SQSClient({}), { url, visibilitySeconds: 120 }), {
  sweep: async () => {
    console.log(JSON.stringify({ component: 'gc', ...(await sweep(registry, 'schedule')) }))
  },
})
protectWhileBusy(() => worker.busy, process.env.ECS_AGENT_URI)
process.on('SIGTERM', () => worker.stop())
process.on('SIGINT', () => worker.stop())

await worker.idleFor(300_000)
if (cluster !== undefined && service !== undefined && !worker.stopped)
  await new ECSClient({}).send(new UpdateServiceCommand({ cluster, service, desiredCount: 0 }))
await worker.ended
process.exit(0)
