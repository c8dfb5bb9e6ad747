// Garbage collection: its schedule, and what its runs did.
import type { Execution, Task } from '../../jobs/execution.ts'
import { executionsOf, readExecution, startExecution, stopExecution } from '../../jobs/executions.ts'
import { dropSchedule, readSchedule, type Schedule, setSchedule } from '../../jobs/schedules.ts'
import { readTaskLog } from '../../jobs/task-log.ts'
import { RegistryError } from '../../oci/errors.ts'
import { noted } from '../../registry/audit-log.ts'
import type { HttpResponse } from '../message.ts'
import { answer, created, done, time } from './answers.ts'
import { readFields } from './body.ts'
import { type HarborCall, type HarborRoute, requireSystem } from './call.ts'
import { atMost, SHOWN, tasksShown } from './execution-view.ts'
import { logAnswer } from './jobservice.ts'
import { listAnswer, type Row } from './lists.ts'
import { numberOf } from './number-in-path.ts'
import { scheduleIn } from './schedule-body.ts'

export const GC_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/system/gc', run: history },
  { method: 'GET', path: '/system/gc/schedule', run: schedule },
  { method: 'POST', path: '/system/gc/schedule', run: (call) => change(call, 'create') },
  { method: 'PUT', path: '/system/gc/schedule', run: (call) => change(call, 'update') },
  { method: 'GET', path: '/system/gc/{gc}', run: show },
  { method: 'PUT', path: '/system/gc/{gc}', run: stop },
  { method: 'GET', path: '/system/gc/{gc}/log', run: log },
]

const VENDOR = 'GARBAGE_COLLECTION'
const RESOURCE = 'garbage-collection'

async function history(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'list')
  const found = await atMost(executionsOf(call.registry, VENDOR), SHOWN)
  return listAnswer(call.request, await Promise.all(found.map((each) => view(call, each))))
}

async function show(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'read')
  return answer(200, await view(call, await executionIn(call)))
}

async function view({ registry }: HarborCall, execution: Execution): Promise<Row> {
  const [task] = await tasksShown(registry, execution.number)
  const { number, status, trigger, startedAtMs, endedAtMs } = execution
  return {
    id: number,
    job_name: VENDOR,
    job_kind: trigger,
    job_parameters: JSON.stringify({ ...task?.payload, ...freed(task) }),
    schedule: { type: trigger === 'SCHEDULE' ? 'Schedule' : 'Manual' },
    job_status: status,
    deleted: false,
    creation_time: time(startedAtMs),
    update_time: time(endedAtMs ?? task?.updatedAtMs ?? startedAtMs),
  }
}

/** In the words that Harbor's scripts read. */
function freed(task: Task | undefined): Row {
  const { freedBytes, objects, manifests } = task?.extra ?? {}
  if (freedBytes === undefined) return {}
  return { freed_space: freedBytes, purged_blobs: objects, purged_manifests: manifests }
}

async function stop(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'stop')
  const { number } = await executionIn(call)
  await stopExecution(call.jobs, number)
  await noted(call, { operation: 'update', resourceType: 'garbage_collection', resource: String(number) })
  return done()
}

async function log(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'read')
  const tasks = await tasksShown(call.registry, (await executionIn(call)).number)
  const logs = await Promise.all(tasks.map(({ number }) => readTaskLog(call.registry, number)))
  return logAnswer(logs.join(''))
}

/** @throws NOT_FOUND */
async function executionIn(call: HarborCall): Promise<Execution> {
  const number = numberOf(call, 'gc')
  const found = await readExecution(call.registry, number)
  if (found?.vendor !== VENDOR) throw new RegistryError('NOT_FOUND', `gc ${number} not found`)
  return found
}

/** Without one, an empty answer: so Harbor says it, and Terraform asks. */
async function schedule(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'read')
  const found = await readSchedule(call.registry, VENDOR, 0)
  return found ? answer(200, scheduleView(found)) : done()
}

function scheduleView({ number, cron, payload, nextAtMs, updatedAtMs }: Schedule): Row {
  const { type, ...parameters } = payload
  return {
    id: number,
    job_name: VENDOR,
    job_kind: 'SCHEDULE',
    job_parameters: JSON.stringify(parameters),
    schedule: { type, cron, next_scheduled_time: time(nextAtMs) },
    job_status: '',
    deleted: false,
    creation_time: time(updatedAtMs),
    update_time: time(updatedAtMs),
  }
}

async function change(call: HarborCall, operation: 'create' | 'update'): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, operation)
  const { type, cron, parameters } = scheduleIn(await readFields(call.request))
  const payload = {
    delete_untagged: parameters.delete_untagged === true,
    workers: workersIn(parameters.workers),
  }
  await noted(call, { operation, resourceType: 'garbage_collection', resource: type })
  if (type === 'Manual') {
    const begun = await startExecution(call.jobs, { vendor: VENDOR, rule: 0, trigger: 'MANUAL' }, [
      { payload },
    ])
    return operation === 'create' ? created(`/system/gc/${begun!.number}`) : done()
  }
  if (type === 'None') await dropSchedule(call.registry, VENDOR, 0)
  else await setSchedule(call.registry, { vendor: VENDOR, rule: 0, cron, payload: { ...payload, type } })
  return operation === 'create' ? created('/system/gc/schedule') : done()
}

/** Kept and shown as it was given: sweeps here take as many as the machine has room for. */
function workersIn(value: unknown): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 5 ? value : 1
}
