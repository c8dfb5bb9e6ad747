// Workers are killed at random while they run 200 jobs of several kinds. Another process counts what the jobs did.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDynamoMetadataStore } from '../../lib/aws/dynamo-metadata-store.ts'
import { ENDED, type Vendor } from '../../lib/jobs/execution.ts'
import { type Jobs, readExecution, startExecution, tasksOf } from '../../lib/jobs/executions.ts'
import type { Registry } from '../../lib/registry/registry.ts'
import { type AwsStores, startAwsStores } from '../support/aws-stores.ts'
import { registryOn, storedQueues } from './place.ts'

const JOBS = 200
const WORKERS = 3
const KILLS = 25
const KILL_EVERY_MS = 700
const VENDORS: Vendor[] = ['WEBHOOK', 'REPLICATION', 'IMPORT']

let stores: AwsStores
let registry: Registry
let receiver: Server
/** Deliveries of each step, as the receiver counted them. */
const received = new Map<string, number>()
let refused = 0

beforeAll(async () => {
  stores = await startAwsStores()
  await stores.create('jobs')
  registry = registryOn(createDynamoMetadataStore(stores.dynamodb, 'jobs'))
  receiver = createServer(async (request, response) => {
    const step = request.url!
    await sleep(20)
    // One step in seven is refused at first, so that attempts end without a kill too.
    const first = !received.has(step)
    if (first && step.endsWith('3') && refused < 40) {
      refused += 1
      received.set(step, 0)
      response.writeHead(500).end()
      return
    }
    received.set(step, (received.get(step) ?? 0) + 1)
    response.writeHead(200).end()
  }).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
}, 60_000)
afterAll(async () => {
  for (const worker of workers) worker.kill('SIGKILL')
  receiver.close()
  await stores.stop()
})

const workers = new Set<ChildProcess>()

async function startWorker(): Promise<void> {
  const worker = spawn(process.execPath, [path.join(import.meta.dirname, 'worker-program.ts')], {
    env: {
      ...process.env,
      ...stores.env,
      TABLE: 'jobs',
      RECEIVER: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  workers.add(worker)
  worker.once('exit', () => workers.delete(worker))
  await once(worker.stdout!, 'data')
}

async function begin(): Promise<{ executions: number[]; steps: number }> {
  const queues = storedQueues(registry)
  const jobs: Jobs = {
    registry,
    dispatch: (weight, bodies, delaySeconds = 0) => queues[weight].send(bodies, { delaySeconds }),
  }
  const executions: number[] = []
  let steps = 0
  for (let made = 0; made < JOBS; made += 10) {
    const specs = Array.from({ length: 10 }, (_, number) => {
      const long = number % 5 === 0 ? 8 : 2
      steps += long
      return { payload: { steps: long }, target: `target-${number % 3}` }
    })
    const vendor = VENDORS[(made / 10) % VENDORS.length]!
    executions.push((await startExecution(jobs, { vendor, rule: 1, trigger: 'MANUAL' }, specs))!.number)
  }
  return { executions, steps }
}

test(`each of ${JOBS} jobs ends once with all it had to do done, though ${KILLS} workers are killed`, async () => {
  await Promise.all(Array.from({ length: WORKERS }, startWorker))
  const { executions, steps } = await begin()
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(KILL_EVERY_MS)
    const alive = [...workers]
    const victim = alive[Math.floor(Math.random() * alive.length)]!
    victim.kill('SIGKILL')
    await once(victim, 'exit')
    await startWorker()
  }
  const open = async () => {
    const now = await Promise.all(executions.map((number) => readExecution(registry, number)))
    return now.filter((each) => !ENDED.includes(each!.status)).length
  }
  await expect.poll(open, { timeout: 120_000, interval: 500 }).toBe(0)

  const ends = await registry.metadata.query({ pk: 'ENDS', limit: 1000 })
  expect(ends.map(({ sk }) => Number(sk.split('#')[0])).sort((one, other) => one - other)).toEqual(executions)
  let attempts = 0
  for (const number of executions) {
    expect(await readExecution(registry, number)).toMatchObject({ status: 'Success', tasks: 10, success: 10 })
    for await (const task of tasksOf(registry, number)) attempts += task.attempts
  }
  expect([...received.values()].filter((count) => count > 0)).toHaveLength(steps)
  for (const vendor of VENDORS)
    expect(await registry.metadata.query({ pk: `JQ#${vendor}`, limit: 10 })).toEqual([])
  const deliveries = [...received.values()].reduce((sum, count) => sum + count, 0)
  console.log(
    `${JOBS} jobs, ${KILLS} kills, ${attempts} attempts; ${steps} effects in ${deliveries} deliveries, ${refused} refused`,
  )
}, 300_000)
