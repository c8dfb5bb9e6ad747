// What webhook policies sent: executions, one for each target of an event, their tasks with the log, and sending again.
import { requirePolicy } from '../../events/webhook-policies.ts'
import type { Execution, Task, Vendor } from '../../jobs/execution.ts'
import { executionsOf, readExecution, readTask, startExecution } from '../../jobs/executions.ts'
import { retryTask } from '../../jobs/retry.ts'
import { readTaskLog } from '../../jobs/task-log.ts'
import { RegistryError } from '../../oci/errors.ts'
import { noted } from '../../registry/audit-log.ts'
import type { HttpResponse } from '../message.ts'
import { created, done, time } from './answers.ts'
import { type HarborCall, type HarborRoute, requireProject } from './call.ts'
import { atMost, executionView, SHOWN, tasksShown, taskView } from './execution-view.ts'
import { logAnswer } from './jobservice.ts'
import { listAnswer, type Row } from './lists.ts'
import { numberOf } from './number-in-path.ts'
import { policyOf } from './webhooks.ts'

const EXECUTIONS = '/projects/{project}/webhook/policies/{policy}/executions'
const TASK = `${EXECUTIONS}/{execution}/tasks/{task}`
const VENDORS: Vendor[] = ['WEBHOOK', 'SLACK']

export const WEBHOOK_DELIVERY_ROUTES: HarborRoute[] = [
  { method: 'GET', path: EXECUTIONS, run: list },
  { method: 'GET', path: `${EXECUTIONS}/{execution}/tasks`, run: tasks },
  { method: 'GET', path: `${TASK}/log`, run: log },
  { method: 'POST', path: `${TASK}/redeliver`, own: 'redeliverWebhook', run: redeliver },
  { method: 'GET', path: '/projects/{project}/webhook/jobs', run: jobs },
]

async function list(call: HarborCall): Promise<HttpResponse> {
  const { policy } = await policyOf(call, 'read')
  return listAnswer(call.request, (await deliveries(call, policy.number)).map(executionView))
}

/** Newest first. */
async function deliveries({ registry }: HarborCall, policy: number): Promise<Execution[]> {
  const found = await Promise.all(
    VENDORS.map((vendor) => atMost(executionsOf(registry, vendor, policy), SHOWN)),
  )
  return found.flat().sort((one, other) => other.number - one.number)
}

async function tasks(call: HarborCall): Promise<HttpResponse> {
  const { execution } = await deliveryOf(call, 'read')
  return listAnswer(call.request, (await tasksShown(call.registry, execution.number)).map(taskView))
}

/** @throws as `policyOf`; NOT_FOUND when the policy has no such execution */
async function deliveryOf(call: HarborCall, action: string) {
  const { project, policy } = await policyOf(call, action)
  const number = numberOf(call, 'execution')
  const execution = await readExecution(call.registry, number)
  if (!execution || !VENDORS.includes(execution.vendor) || execution.rule !== policy.number)
    throw new RegistryError('NOT_FOUND', `execution ${number} not found in policy ${policy.number}`)
  return { project, policy, execution }
}

async function taskOf(call: HarborCall, { number }: Execution): Promise<Task> {
  const task = await readTask(call.registry, number, numberOf(call, 'task'))
  if (!task) throw new RegistryError('NOT_FOUND', `task ${call.params.task} not found in execution ${number}`)
  return task
}

async function log(call: HarborCall): Promise<HttpResponse> {
  const { execution } = await deliveryOf(call, 'read')
  const task = await taskOf(call, execution)
  return logAnswer(await readTaskLog(call.registry, task.number))
}

/** What failed is tried again under its delivery id; what arrived is sent anew, as an execution of its own. */
async function redeliver(call: HarborCall): Promise<HttpResponse> {
  const { project, policy, execution } = await deliveryOf(call, 'update')
  const task = await taskOf(call, execution)
  if (task.status === 'Pending' || task.status === 'Running')
    throw new RegistryError('CONFLICT', `task ${task.number} is still being delivered`)
  const deed = { operation: 'update' as const, resourceType: 'webhook_policy', resource: policy.name }
  await noted(call, { ...deed, projectId: project.id })
  if (await retryTask(call.jobs, task)) return done()
  const { vendor, rule, extra } = execution
  const { payload, extra: shown, target } = task
  const begun = await startExecution(call.jobs, { vendor, rule, trigger: 'MANUAL', extra }, [
    { payload, extra: shown, target },
  ])
  const { params } = call
  return created(`/projects/${params.project}/webhook/policies/${policy.number}/executions/${begun!.number}`)
}

/** Of older versions of Harbor: an execution as a job. */
async function jobs(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'notification-policy', 'list')
  const { query } = call.request
  const given = query.get('policy_id') ?? ''
  if (!/^\d{1,10}$/.test(given))
    throw new RegistryError('REQUEST_INVALID', 'policy_id in query is required, a whole number', {
      status: 422,
    })
  const policy = await requirePolicy(call.registry, project, Number(given))
  const wanted = query.getAll('status').flatMap((each) => each.split(','))
  const rows = (await deliveries(call, policy.number))
    .filter(({ status }) => wanted.length === 0 || wanted.includes(status))
    .map(jobView)
  return listAnswer(call.request, rows)
}

function jobView(execution: Execution): Row {
  const { event_type: event, payload } = execution.extra
  return {
    id: execution.number,
    policy_id: execution.rule,
    event_type: event,
    notify_type: execution.vendor === 'SLACK' ? 'slack' : 'http',
    status: execution.status,
    job_detail: payload,
    creation_time: time(execution.startedAtMs),
    update_time: time(execution.endedAtMs ?? execution.startedAtMs),
  }
}
