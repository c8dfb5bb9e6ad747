// `entrepot jobs …`: what jobs did, and those that failed for good tried again.
import { type Execution, jobId, parseJobId, type Task, type Vendor, WEIGHTS } from '../jobs/execution.ts'
import { executionsOf, readExecution, stopExecution, tasksOf } from '../jobs/executions.ts'
import { retryTask } from '../jobs/retry.ts'
import { readTaskLog } from '../jobs/task-log.ts'
import type { Registry } from '../registry/registry.ts'
import { jobsOf } from './jobs.ts'
import { type Operation, one, parsed, UsageError } from './operation.ts'

const LISTED = 50

export const JOB_OPERATIONS: Record<string, Operation> = {
  'jobs list': {
    usage: 'jobs list [KIND] [--failed]',
    what: 'list executions of jobs, newest first',
    run: async ({ registry, print }, args) => {
      const { positionals, values } = parsed(args, { failed: { type: 'boolean' } })
      for (const vendor of vendorsIn(positionals))
        for (const execution of await newest(registry, vendor))
          if (!values.failed || execution.status === 'Error') print(lineOf(execution))
      return 0
    },
  },
  'jobs show': {
    usage: 'jobs show EXECUTION',
    what: 'show the tasks of an execution, each with the id of its job',
    run: async ({ registry, print }, args) => {
      const execution = await executionIn(registry, args)
      print(lineOf(execution))
      for await (const task of tasksOf(registry, execution.number))
        print([jobId(task), task.status, `${task.attempts} attempts`, task.message].join('\t'))
      return 0
    },
  },
  'jobs log': {
    usage: 'jobs log JOB',
    what: 'show what a job said',
    run: async ({ registry, print }, args) => {
      print((await readTaskLog(registry, jobIn(args).number)).trimEnd())
      return 0
    },
  },
  'jobs stop': {
    usage: 'jobs stop EXECUTION',
    what: 'stop an execution',
    run: async ({ stores, registry, print }, args) => {
      const { number } = await executionIn(registry, args)
      const stopped = await stopExecution(jobsOf(stores).jobs, number)
      print(stopped ? `execution ${number} is being stopped` : `execution ${number} has ended already`)
      return stopped ? 0 : 1
    },
  },
  'jobs retry': {
    usage: 'jobs retry JOB | EXECUTION',
    what: 'try again what failed for good: one job, or every failed one of an execution',
    run: async ({ stores, registry, print }, args) => {
      const { jobs } = jobsOf(stores)
      const named = parseJobId(one(args))
      const failed = named
        ? [{ execution: named.execution, number: named.task }]
        : await failedOf(registry, await executionIn(registry, args))
      let retried = 0
      for (const task of failed) if (await retryTask(jobs, task)) retried += 1
      print(`${retried} of ${failed.length} jobs are tried again`)
      return retried > 0 ? 0 : 1
    },
  },
}

/** @throws UsageError */
function vendorsIn(names: string[]): Vendor[] {
  const all = Object.keys(WEIGHTS) as Vendor[]
  if (names.length === 0) return all
  const found = all.find((vendor) => vendor === one(names).toUpperCase())
  if (!found) throw new UsageError(`there are no jobs of kind ${names[0]}; kinds: ${all.join(', ')}`)
  return [found]
}

async function newest(registry: Registry, vendor: Vendor): Promise<Execution[]> {
  const found: Execution[] = []
  for await (const execution of executionsOf(registry, vendor)) {
    found.push(execution)
    if (found.length === LISTED) break
  }
  return found
}

async function failedOf(registry: Registry, { number }: Execution): Promise<Task[]> {
  const failed: Task[] = []
  for await (const task of tasksOf(registry, number)) if (task.status === 'Error') failed.push(task)
  return failed
}

/** @throws UsageError when there is no such execution */
async function executionIn(registry: Registry, args: string[]): Promise<Execution> {
  const number = Number(one(args))
  const found = Number.isSafeInteger(number) ? await readExecution(registry, number) : undefined
  if (!found) throw new UsageError(`there is no execution ${args[0]}`)
  return found
}

/** @throws UsageError */
function jobIn(args: string[]): { number: number } {
  const named = parseJobId(one(args))
  if (!named) throw new UsageError(`${args[0]} is no id of a job: entrepot jobs show EXECUTION lists them`)
  return { number: named.task }
}

function lineOf({
  number,
  vendor,
  rule,
  trigger,
  status,
  tasks,
  success,
  error,
  startedAtMs,
}: Execution): string {
  const when = new Date(startedAtMs).toISOString()
  const ofRule = rule === 0 ? '' : ` of rule ${rule}`
  return [
    number,
    when,
    `${vendor}${ofRule}`,
    trigger,
    status,
    `${success} of ${tasks}, ${error} failed`,
  ].join('\t')
}
