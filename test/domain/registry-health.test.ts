// Whether other registries answer: looked at by a scheduled job, by one process, while there are any.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { executionsOf } from '../../lib/jobs/executions.ts'
import { fireSchedules, listSchedules } from '../../lib/jobs/schedules.ts'
import { readTaskLog } from '../../lib/jobs/task-log.ts'
import { registryHealth } from '../../lib/kinds/registry-health.ts'
import { createRegistry, deleteRegistry } from '../../lib/registries/registries.ts'
import { type RemoteRegistry, requireRemoteRegistry } from '../../lib/registries/remote-registry.ts'
import type { Upstreams } from '../../lib/registries/upstreams.ts'
import { testUpstreams } from '../support/upstreams.ts'
import { type JobPlace, jobPlace, tasksIn } from './jobs/place.ts'

let at: JobPlace
let upstreams: Upstreams
let server: Server
let status = 200
let asked = 0
beforeEach(async () => {
  upstreams = await testUpstreams()
  at = await jobPlace({ REGISTRY_HEALTH: registryHealth(upstreams) })
  ;[status, asked] = [200, 0]
  server = createServer((_, response) => {
    asked += 1
    response.writeHead(status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(() => server.close())

function make(name: string): Promise<RemoteRegistry> {
  return createRegistry(at.registry, upstreams, {
    name,
    description: '',
    type: 'docker-registry',
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    insecure: false,
    caCertificate: '',
    credentialType: '',
    accessKey: '',
    accessSecret: '',
  })
}

/** Two processes look, five minutes later. */
async function later(): Promise<void> {
  at.registry.clock.now += 300_000
  await Promise.all([fireSchedules(at.runner), fireSchedules(at.runner)])
  await at.drain()
}

test('each look is one job, and what it finds is what the API shows', async () => {
  const remote = await make('there')
  const health = async () => {
    const { healthy, reason } = await requireRemoteRegistry(at.registry, remote.id)
    return [healthy, reason]
  }
  asked = 0
  await later()
  expect([asked, await health()]).toEqual([1, [true, '']])
  status = 503
  await later()
  expect(await health()).toEqual([false, expect.stringContaining('503')])
  status = 200
  await later()
  expect(await health()).toEqual([true, ''])
  const runs = []
  for await (const { number, trigger, status: how } of executionsOf(at.registry, 'REGISTRY_HEALTH')) {
    const [task] = await tasksIn(at, number)
    runs.push([trigger, how, task!.extra, (await readTaskLog(at.registry, task!.number)).includes('503')])
  }
  expect(runs).toEqual([
    ['SCHEDULE', 'Success', { checked: 1, unhealthy: 0 }, false],
    ['SCHEDULE', 'Success', { checked: 1, unhealthy: 1 }, true],
    ['SCHEDULE', 'Success', { checked: 1, unhealthy: 0 }, false],
  ])
})

test('all are looked at, and none when there is none any more', async () => {
  const made = await Promise.all(Array.from({ length: 20 }, (_, each) => make(`r${each}`)))
  asked = 0
  await later()
  expect(asked).toBe(20)
  for (const { id } of made) await deleteRegistry(at.registry, id)
  expect(await listSchedules(at.registry)).toEqual([])
  await later()
  expect(asked).toBe(20)
})
