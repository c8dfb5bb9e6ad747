// Jobs in the cloud: takes the heavy ones from their queue, and goes to sleep when there are none.
import { hostname, tmpdir } from 'node:os'
import { ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs'
import { SQSClient } from '@aws-sdk/client-sqs'
import { dispatchTo } from '../lib/aws/job-queues.ts'
import { openAwsStores } from '../lib/aws/open-stores.ts'
import { createSqsQueue } from '../lib/aws/sqs-queue.ts'
import { protectWhileBusy } from '../lib/aws/task-protection.ts'
import { readConfig } from '../lib/config/config.ts'
import { privateNetworks } from '../lib/config/registry-settings.ts'
import { trustExtraAuthorities } from '../lib/config/trust.ts'
import { runWorker } from '../lib/jobs/worker.ts'
import { taskBegan, taskEnded } from '../lib/kinds/ended.ts'
import { jobKinds } from '../lib/kinds/kinds.ts'
import { createAddressGuard } from '../lib/outbound/address-guard.ts'
import { Upstreams } from '../lib/registries/upstreams.ts'
import { sweep } from '../lib/registry/gc/sweep.ts'
import { scanningOf } from '../lib/server/scanning.ts'
import { startServer } from '../lib/server/server.ts'

const AT_ONCE = 4
const LOOPBACK = {
  host: '127.0.0.1',
  port: 0,
  edge: 'off',
  background: 'off',
  logTo: 'stdout',
  data: tmpdir(),
} as const

trustExtraAuthorities(process.env)
const config = readConfig(['--stores', 'aws'], process.env)
const { ENTREPOT_QUEUE: url, ENTREPOT_CLUSTER: cluster, ENTREPOT_WORKERS: service } = process.env
// Awake already.
const dispatch = dispatchTo({ ...process.env, ENTREPOT_CLUSTER: undefined })
if (url === undefined || !dispatch)
  throw new Error('environment variables ENTREPOT_QUEUE and ENTREPOT_LIGHT_QUEUE: required')

const tell = (line: object) => console.log(JSON.stringify({ component: 'worker', ...line }))
// Blobs come through this process too: the scanner need not trust, nor reach, the bucket.
const stores = await openAwsStores({ ...config, redirectBlobs: 'off' }, { prepared: true })
const { registry, secrets, ecr } = stores
const guard = createAddressGuard(privateNetworks(config))
const upstreams = new Upstreams({ keys: secrets, guard, ...(ecr ? { ecr } : {}) })
// The scanner pulls from this very process, so that it needs no way to the front door, nor its certificate.
// Its own address is that of the loopback, not the one that scanners elsewhere are given.
const { externalUrl: _, ...inside } = config
const front = await startServer({ ...inside, ...LOOPBACK }, stores)
const scanning = scanningOf(stores, config, upstreams, () => front.url)
const kinds = jobKinds({
  sweepNow: (trigger) => sweep(registry, trigger),
  upstreams,
  scanning,
})
const queue = createSqsQueue(new SQSClient({}), { url, visibilitySeconds: 120 })
const worker = runWorker(
  { registry, dispatch, kinds, began: taskBegan, ended: taskEnded },
  [{ queue, concurrency: AT_ONCE }],
  { host: hostname(), pid: process.pid },
  {
    ended: ({ number, execution, vendor }, status, seconds) =>
      tell({ task: number, execution, vendor, status, seconds }),
    failed: (body, error) => tell({ body, error: String(error) }),
  },
)
protectWhileBusy(() => worker.busy, process.env.ECS_AGENT_URI)
process.on('SIGTERM', () => worker.stop())
process.on('SIGINT', () => worker.stop())

await worker.idleFor(300_000)
if (cluster !== undefined && service !== undefined && !worker.stopped)
  await new ECSClient({}).send(new UpdateServiceCommand({ cluster, service, desiredCount: 0 }))
worker.stop()
await worker.ended
await front.stop()
process.exit(0)
