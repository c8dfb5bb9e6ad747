// Runs of replication policies: begun, looked at, stopped, with a task for each artifact and its log.
import type { Execution, Status, Task, Trigger } from '../../jobs/execution.ts'
import { jobId } from '../../jobs/execution.ts'
import {
  executionsOf,
  readExecution,
  readTask,
  startExecution,
  stopExecution,
} from '../../jobs/executions.ts'
import { readTaskLog } from '../../jobs/task-log.ts'
import { RegistryError } from '../../oci/errors.ts'
import { noted } from '../../registry/audit-log.ts'
import { planSpec } from '../../replication/payload.ts'
import { requirePolicy } from '../../replication/policy.ts'
import type { HttpResponse } from '../message.ts'
import { answer, created, done, time } from './answers.ts'
import { numberIn, readFields } from './body.ts'
import { type HarborCall, type HarborRoute, requireSystem } from './call.ts'
import { atMost, SHOWN, tasksShown } from './execution-view.ts'
import { logAnswer } from './jobservice.ts'
import { listAnswer, type Row } from './lists.ts'
import { numberOf } from './number-in-path.ts'

export const REPLICATION_EXECUTION_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/replication/executions', run: list },
  { method: 'POST', path: '/replication/executions', run: start },
  { method: 'GET', path: '/replication/executions/{execution}', run: show },
  { method: 'PUT', path: '/replication/executions/{execution}', run: stop },
  { method: 'GET', path: '/replication/executions/{execution}/tasks', run: tasks },
  { method: 'GET', path: '/replication/executions/{execution}/tasks/{task}/log', run: log },
]

const VENDOR = 'REPLICATION'
const RESOURCE = 'replication'

/** In the older words that this part of Harbor's API has kept. */
const EXECUTION_STATUS: Record<Status, string> = {
  Pending: 'InProgress',
  Running: 'InProgress',
  Success: 'Succeed',
  Error: 'Failed',
  Stopped: 'Stopped',
}
const TASK_STATUS: Record<Status, string> = { ...EXECUTION_STATUS, Pending: 'Pending' }
const TRIGGERS: Record<Trigger, string> = {
  MANUAL: 'manual',
  SCHEDULE: 'scheduled',
  EVENT: 'event_based',
}

async function list(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'list')
  const { query } = call.request
  const policy = query.get('policy_id') || undefined
  if (policy !== undefined && !/^\d{1,15}$/.test(policy))
    throw new RegistryError('REQUEST_INVALID', 'policy_id in query must be a whole number', { status: 422 })
  const rule = policy === undefined ? undefined : Number(policy)
  const found = await atMost(executionsOf(call.registry, VENDOR, rule), SHOWN)
  return listAnswer(call.request, chosen(found.map(view), query, ['status', 'trigger']))
}

async function start(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'create')
  const policy = await requirePolicy(
    call.registry,
    numberIn(await readFields(call.request), 'policy_id') ?? 0,
  )
  if (!policy.enabled) throw new RegistryError('PRECONDITION', `the policy ${policy.id} is disabled`)
  // As older schedulers of Harbor's begin what they were asked for.
  const trigger = call.request.query.get('trigger') === 'scheduled' ? 'SCHEDULE' : 'MANUAL'
  const spec = {
    vendor: VENDOR,
    rule: policy.id,
    trigger,
    extra: { operator: call.actor.principal },
  } as const
  const begun = await startExecution(call.jobs, spec, [planSpec(policy)])
  await noted(call, { operation: 'create', resourceType: 'replication_execution', resource: policy.name })
  return created(`/replication/executions/${begun!.number}`)
}

async function show(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'read')
  return answer(200, view(await executionIn(call)))
}

async function stop(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'create')
  const { number } = await executionIn(call)
  await stopExecution(call.jobs, number)
  await noted(call, {
    operation: 'update',
    resourceType: 'replication_execution',
    resource: String(number),
  })
  return done()
}

async function tasks(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'list')
  const { number } = await executionIn(call)
  const rows = (await tasksShown(call.registry, number)).map(taskRow)
  return listAnswer(call.request, chosen(rows, call.request.query, ['status', 'resource_type']))
}

async function log(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'read')
  const { number } = await executionIn(call)
  const wanted = numberOf(call, 'task')
  const task = await readTask(call.registry, number, wanted)
  if (!task) throw new RegistryError('NOT_FOUND', `execution ${number} contains no task with ID ${wanted}`)
  return logAnswer(await readTaskLog(call.registry, task.number))
}

/** @throws NOT_FOUND */
async function executionIn(call: HarborCall): Promise<Execution> {
  const number = numberOf(call, 'execution')
  const found = await readExecution(call.registry, number)
  if (found?.vendor !== VENDOR)
    throw new RegistryError('NOT_FOUND', `replication execution ${number} not found`)
  return found
}

function view(execution: Execution): Row {
  const { tasks: total, success, error, stopped, endedAtMs } = execution
  return {
    id: execution.number,
    policy_id: execution.rule,
    status: EXECUTION_STATUS[execution.status],
    status_text: execution.message,
    trigger: TRIGGERS[execution.trigger],
    total,
    succeed: success,
    failed: error,
    stopped,
    in_progress: total - success - error - stopped,
    start_time: time(execution.startedAtMs),
    ...(endedAtMs === undefined ? {} : { end_time: time(endedAtMs) }),
  }
}

function taskRow(task: Task): Row {
  const { operation, resource_type, source_resource, destination_resource } = task.extra
  return {
    id: task.number,
    execution_id: task.execution,
    status: TASK_STATUS[task.status],
    job_id: jobId(task),
    operation: operation ?? 'plan',
    resource_type: resource_type ?? 'artifact',
    src_resource: source_resource ?? '',
    dst_resource: destination_resource ?? '',
    start_time: time(task.startedAtMs ?? task.createdAtMs),
    ...(task.endedAtMs === undefined ? {} : { end_time: time(task.endedAtMs) }),
  }
}

/** Rows that have what the query names. */
function chosen(rows: Row[], query: URLSearchParams, names: string[]): Row[] {
  const wanted = names.flatMap((name) => {
    const value = query.get(name)
    return value ? [[name, value] as const] : []
  })
  return rows.filter((row) => wanted.every(([name, value]) => row[name] === value))
}
