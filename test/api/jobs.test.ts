// Garbage collection by Harbor's API, and the job dashboard beside it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { basic, type Harbor, harborOf, makeUser, numberOf } from './management.ts'

let server: Server
let admin: Harbor
let alice: Harbor
beforeAll(async () => {
  server = await startServer({ open: false })
  admin = harborOf(server.url, 'admin')
  await makeUser(admin, 'alice')
  alice = harborOf(server.url, 'alice')
})
afterAll(() => server.stop())

const schedule = (type: string, cron?: string, parameters = {}) => ({ schedule: { type, cron }, parameters })

async function collect(): Promise<number> {
  return numberOf(await admin('POST', '/system/gc/schedule', schedule('Manual')))
}

async function ended(gc: number) {
  const read = async () => (await admin('GET', `/system/gc/${gc}`)).json
  await expect
    .poll(async () => (await read()).job_status, { timeout: 20_000 })
    .toMatch(/Success|Error|Stopped/)
  return read()
}

test('a collection run by hand ends with success, and says what it freed', async () => {
  const gc = await collect()
  const run = await ended(gc)
  expect(run).toMatchObject({
    id: gc,
    job_name: 'GARBAGE_COLLECTION',
    job_kind: 'MANUAL',
    job_status: 'Success',
  })
  expect(JSON.parse(run.job_parameters)).toMatchObject({
    freed_space: 0,
    purged_blobs: 0,
    purged_manifests: 0,
    workers: 1,
  })
  const log = await admin('GET', `/system/gc/${gc}/log`)
  expect(log.headers['content-type']).toMatch(/^text\/plain/)
  expect(log.body.toString()).toContain('sweep ended')
})

test('a collection that is started by changing the schedule is answered 200, as every change of it', async () => {
  const before = (await admin('GET', '/system/gc')).json.length
  const { status } = await admin('PUT', '/system/gc/schedule', schedule('Manual'))
  const history = (await admin('GET', '/system/gc')).json as { id: number }[]
  expect([status, history.length]).toEqual([200, before + 1])
  await ended(history[0]!.id)
})

test('the history has the newest run first, and takes pages', async () => {
  await ended(await collect())
  const { json, headers } = await admin('GET', '/system/gc?page_size=1')
  expect(json).toHaveLength(1)
  expect(Number(headers['x-total-count'])).toBeGreaterThan(1)
  const all = (await admin('GET', '/system/gc')).json as { id: number }[]
  expect(all.map(({ id }) => id)).toEqual(all.map(({ id }) => id).sort((one, other) => other - one))
})

test('a schedule is made, read, changed and ended as Terraform does it', async () => {
  expect((await admin('GET', '/system/gc/schedule')).body.length).toBe(0)
  const daily = schedule('Daily', '0 0 0 * * *', { delete_untagged: true, workers: 3 })
  expect((await admin('POST', '/system/gc/schedule', daily)).status).toBe(201)
  const read = async () => (await admin('GET', '/system/gc/schedule')).json
  expect((await read()).schedule).toMatchObject({ type: 'Daily', cron: '0 0 0 * * *' })
  expect(JSON.parse((await read()).job_parameters)).toEqual({ delete_untagged: true, workers: 3 })
  expect((await admin('PUT', '/system/gc/schedule', schedule('Custom', '0 5 4 * * *'))).status).toBe(200)
  expect((await read()).schedule).toMatchObject({ type: 'Custom', cron: '0 5 4 * * *' })
  expect((await admin('GET', '/schedules')).json).toMatchObject([
    { vendor_type: 'GARBAGE_COLLECTION', cron: '0 5 4 * * *' },
  ])
  expect((await admin('PUT', '/system/gc/schedule', schedule('None', ''))).status).toBe(200)
  expect((await admin('GET', '/system/gc/schedule')).body.length).toBe(0)
})

test.each([
  ['every second', schedule('Custom', '* * * * * *')],
  ['five fields', schedule('Custom', '0 0 * * *')],
  ['an unknown type', schedule('Sometimes', '0 0 0 * * *')],
  ['no type', {}],
])('a schedule of %s is refused', async (_what, body) => {
  expect((await admin('POST', '/system/gc/schedule', body)).status).toBe(400)
})

test('a run that is not there is not found, nor is a number that is none taken', async () => {
  expect((await admin('GET', '/system/gc/99999')).status).toBe(404)
  expect((await admin('PUT', '/system/gc/99999')).status).toBe(404)
  expect((await admin('GET', '/system/gc/x')).status).toBe(422)
})

test('the dashboard shows the process that runs jobs, its places, and what waits', async () => {
  const pools = (await admin('GET', '/jobservice/pools')).json
  expect(pools).toMatchObject([{ pid: server.process.pid, concurrency: 12 }])
  expect((await admin('GET', `/jobservice/pools/${pools[0].worker_pool_id}/workers`)).json).toHaveLength(12)
  expect((await admin('GET', '/jobservice/pools/all/workers')).json).toHaveLength(12)
  expect((await admin('GET', '/jobservice/pools/nobody/workers')).status).toBe(404)
  expect((await admin('GET', '/jobservice/queues')).json).toContainEqual({
    job_type: 'GARBAGE_COLLECTION',
    count: 0,
    latency: 0,
    paused: false,
  })
})

test('what is paused waits, and what waits can be stopped', async () => {
  const queue = '/jobservice/queues/GARBAGE_COLLECTION'
  expect((await admin('PUT', queue, { action: 'pause' })).status).toBe(200)
  const gc = await collect()
  const waiting = async () =>
    ((await admin('GET', '/jobservice/queues')).json as { job_type: string }[]).find(
      ({ job_type }) => job_type === 'GARBAGE_COLLECTION',
    )
  expect(await waiting()).toMatchObject({ count: 1, paused: true })
  expect((await admin('PUT', queue, { action: 'stop' })).status).toBe(200)
  expect((await ended(gc)).job_status).toBe('Stopped')
  expect((await admin('PUT', queue, { action: 'resume' })).status).toBe(200)
  expect(await waiting()).toMatchObject({ count: 0, paused: false })
  expect((await admin('PUT', queue, { action: 'dance' })).status).toBe(422)
  expect((await admin('PUT', '/jobservice/queues/NOTHING', { action: 'stop' })).status).toBe(404)
})

test('schedules are paused all together', async () => {
  const paused = async () => (await admin('GET', '/schedules/all/paused')).json
  expect(await paused()).toEqual({ paused: false })
  await admin('PUT', '/jobservice/queues/SCHEDULER', { action: 'pause' })
  expect(await paused()).toEqual({ paused: true })
  await admin('PUT', '/jobservice/queues/scheduler', { action: 'resume' })
  expect(await paused()).toEqual({ paused: false })
  expect((await admin('GET', '/schedules/REPLICATION/paused')).status).toBe(400)
})

test('a job is found by its id: its log is read, and what has not failed is not tried again', async () => {
  const gc = await collect()
  await ended(gc)
  // Here every execution has one task, so both have the same number.
  const job = gc.toString(16).padStart(12, '0').repeat(2)
  expect((await admin('GET', `/jobservice/jobs/${job}/log`)).body.toString()).toContain('sweep ended')
  expect((await admin('PUT', `/jobservice/jobs/${job}`)).status).toBe(200)
  expect([await retry(job), await retry('0'.repeat(24)), await retry('x')]).toEqual([409, 404, 404])
  expect((await admin('PUT', `/jobservice/jobs/${'0'.repeat(24)}`)).status).toBe(404)
  expect((await admin('GET', '/jobservice/jobs/none/log')).status).toBe(404)
})

/** Not Harbor's, so not compared with its file. */
async function retry(job: string): Promise<number> {
  const headers = { authorization: basic('admin', ADMIN_PASSWORD) }
  const path = `/api/v2.0/jobservice/jobs/${job}/retry`
  return (await fetch(`${server.url}${path}`, { method: 'POST', headers })).status
}

test('jobs are no business of people who are no administrators', async () => {
  for (const path of [
    '/system/gc',
    '/system/gc/schedule',
    '/jobservice/pools',
    '/jobservice/queues',
    '/schedules',
  ])
    expect((await alice('GET', path)).status).toBe(403)
  expect((await alice('POST', '/system/gc/schedule', schedule('Manual'))).status).toBe(403)
  expect((await harborOf(server.url)('GET', '/jobservice/queues')).status).toBe(401)
})
