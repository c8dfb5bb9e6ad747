// The job dashboard: worker processes, what they run, and what waits.
import { type Execution, parseJobId, type Task, type Vendor, WEIGHTS } from '../../jobs/execution.ts'
import { readExecution, readTask, stopExecution } from '../../jobs/executions.ts'
import { listWorkers, type WorkerProcess } from '../../jobs/presence.ts'
import { pauseVendor, stopQueue, waitingIn } from '../../jobs/queues.ts'
import { retryTask } from '../../jobs/retry.ts'
import { listSchedules, pauseScheduler, schedulerPaused } from '../../jobs/schedules.ts'
import { readTaskLog } from '../../jobs/task-log.ts'
import { RegistryError } from '../../oci/errors.ts'
import { noted } from '../../registry/audit-log.ts'
import type { HttpResponse } from '../message.ts'
import { answer, done, time } from './answers.ts'
import { readFields, textIn } from './body.ts'
import { type HarborCall, type HarborRoute, requireSystem } from './call.ts'
import { listAnswer } from './lists.ts'

export const JOBSERVICE_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/jobservice/pools', run: pools },
  { method: 'GET', path: '/jobservice/pools/{pool}/workers', run: workers },
  { method: 'PUT', path: '/jobservice/jobs/{job}', run: stopJob },
  { method: 'POST', path: '/jobservice/jobs/{job}/retry', own: 'retryJob', run: retryJob },
  { method: 'GET', path: '/jobservice/jobs/{job}/log', run: jobLog },
  { method: 'GET', path: '/jobservice/queues', run: queues },
  { method: 'PUT', path: '/jobservice/queues/{vendor}', run: changeQueue },
  { method: 'GET', path: '/schedules', run: schedules },
  { method: 'GET', path: '/schedules/{vendor}/paused', run: paused },
]

const MONITOR = 'jobservice-monitor'
/** As Harbor calls the schedules among its queues. */
const SCHEDULER = 'SCHEDULER'
const VENDORS = Object.keys(WEIGHTS) as Vendor[]

async function pools(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, MONITOR, 'list')
  const found = await listWorkers(call.registry)
  return answer(200, found.map(poolView))
}

function poolView({ id, pid, host, concurrency, startedAtMs, heartbeatAtMs }: WorkerProcess): object {
  return {
    worker_pool_id: id,
    pid,
    host,
    concurrency,
    start_at: time(startedAtMs),
    heartbeat_at: time(heartbeatAtMs),
  }
}

async function workers(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, MONITOR, 'list')
  const { pool } = call.params
  const found = (await listWorkers(call.registry)).filter(({ id }) => pool === 'all' || id === pool)
  if (pool !== 'all' && found.length === 0)
    throw new RegistryError('NOT_FOUND', `there is no worker pool ${pool}`)
  return answer(200, found.flatMap(workersOf))
}

/** Every place of a process is a worker, with a job or without. */
function workersOf({ id, concurrency, running }: WorkerProcess): object[] {
  return Array.from({ length: Math.max(concurrency, running.length) }, (_, place) => {
    const job = running[place]
    return {
      id: `${id}-${place}`,
      pool_id: id,
      job_name: job?.vendor ?? '',
      job_id: job?.jobId ?? '',
      ...(job ? { start_at: time(job.startedAtMs) } : {}),
    }
  })
}

async function jobOf(call: HarborCall): Promise<{ task: Task; execution: Execution }> {
  const named = parseJobId(call.params.job!)
  const [task, execution] = named
    ? await Promise.all([
        readTask(call.registry, named.execution, named.task),
        readExecution(call.registry, named.execution),
      ])
    : []
  if (!task || !execution) throw new RegistryError('NOT_FOUND', `job ${call.params.job} not found`)
  return { task, execution }
}

async function stopJob(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, MONITOR, 'stop')
  const { execution } = await jobOf(call)
  await stopExecution(call.jobs, execution.number)
  await noted(call, { operation: 'update', resourceType: 'job', resource: call.params.job! })
  return done()
}

/** Not Harbor's: a job that failed for good is tried again. */
async function retryJob(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, MONITOR, 'stop')
  const { task } = await jobOf(call)
  if (!(await retryTask(call.jobs, task)))
    throw new RegistryError('CONFLICT', `job ${call.params.job} has not failed: its status is ${task.status}`)
  await noted(call, { operation: 'update', resourceType: 'job', resource: call.params.job! })
  return done()
}

async function jobLog(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, MONITOR, 'list')
  const { task } = await jobOf(call)
  return logAnswer(await readTaskLog(call.registry, task.number))
}

export function logAnswer(log: string): HttpResponse {
  return { status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: log }
}

async function queues(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, MONITOR, 'list')
  const found = await Promise.all(VENDORS.map((vendor) => waitingIn(call.registry, vendor)))
  return answer(
    200,
    found.map(({ vendor, count, oldestSeconds, paused: isPaused }) => ({
      job_type: vendor,
      count,
      latency: oldestSeconds,
      paused: isPaused,
    })),
  )
}

async function changeQueue(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, MONITOR, 'stop')
  const named = call.params.vendor!
  const action = textIn(await readFields(call.request), 'action')
  if (!['stop', 'pause', 'resume'].includes(action))
    throw new RegistryError('REQUEST_INVALID', 'action is one of stop, pause, resume', { status: 422 })
  const upper = named.toUpperCase()
  if (upper === SCHEDULER && action !== 'stop') await pauseScheduler(call.registry, action === 'pause')
  else {
    const chosen = upper === 'ALL' ? VENDORS : VENDORS.filter((vendor) => vendor === upper)
    if (chosen.length === 0) throw new RegistryError('NOT_FOUND', `there are no jobs of type ${named}`)
    for (const vendor of chosen)
      if (action === 'stop') await stopQueue(call.jobs, vendor)
      else await pauseVendor(call.registry, vendor, action === 'pause')
  }
  await noted(call, { operation: 'update', resourceType: 'job_queue', resource: upper })
  return done()
}

async function schedules(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, MONITOR, 'list')
  const found = await listSchedules(call.registry)
  return listAnswer(
    call.request,
    found.map(({ number, vendor, rule, cron, updatedAtMs }) => ({
      id: number,
      vendor_type: vendor,
      vendor_id: rule,
      cron,
      update_time: time(updatedAtMs),
    })),
  )
}

async function paused(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, MONITOR, 'list')
  if (call.params.vendor !== 'all')
    throw new RegistryError(
      'REQUEST_INVALID',
      'only the schedules of all kinds are paused together: ask for all',
    )
  return answer(200, { paused: await schedulerPaused(call.registry) })
}
