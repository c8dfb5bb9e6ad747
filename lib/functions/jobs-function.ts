// Light jobs: the function takes their messages from the queue, and those that fail are delivered again.
import { openRegistry } from '../aws/open-stores.ts'
import type { Dispatch } from '../jobs/messages.ts'
import { type Runner, runTask } from '../jobs/run-task.ts'
import { jobKinds } from '../kinds/kinds.ts'
import { sweep } from '../registry/gc/sweep.ts'
import { replicationEnded } from '../replication/ended.ts'
import { logLine } from './log.ts'
import type { FunctionSettings } from './settings.ts'

interface QueueEvent {
  Records: { messageId: string; body: string }[]
}

interface Failures {
  batchItemFailures: { itemIdentifier: string }[]
}

export function openJobs(settings: FunctionSettings, dispatch: Dispatch) {
  const { registry } = openRegistry(settings.config)
  const kinds = jobKinds({ sweepNow: (trigger) => sweep(registry, trigger) })
  const runner: Runner = { registry, dispatch, kinds, ended: replicationEnded }
  return async ({ Records }: QueueEvent): Promise<Failures> => {
    const failed = await Promise.all(Records.map((record) => run(runner, record)))
    return { batchItemFailures: failed.flat().map((itemIdentifier) => ({ itemIdentifier })) }
  }
}

async function run(runner: Runner, { messageId, body }: QueueEvent['Records'][number]): Promise<string[]> {
  try {
    await runTask(runner, body, {
      began: () => {},
      ended: ({ number, execution, vendor }, status, seconds) =>
        logLine({ component: 'jobs', task: number, execution, vendor, status, seconds }),
    })
    return []
  } catch (error) {
    logLine({ component: 'jobs', body, error: String(error) })
    return [messageId]
  }
}
