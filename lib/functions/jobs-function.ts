// Light jobs: the function takes their messages from the queue, and those that fail are delivered again.
import { openAwsStores } from '../aws/open-stores.ts'
import { privateNetworks } from '../config/registry-settings.ts'
import type { Dispatch } from '../jobs/messages.ts'
import { type Runner, runTask } from '../jobs/run-task.ts'
import { taskEnded } from '../kinds/ended.ts'
import { jobKinds } from '../kinds/kinds.ts'
import { createAddressGuard } from '../outbound/address-guard.ts'
import { Upstreams } from '../registries/upstreams.ts'
import { sweep } from '../registry/gc/sweep.ts'
import { logLine } from './log.ts'
import type { FunctionSettings } from './settings.ts'

interface QueueEvent {
  Records: { messageId: string; body: string }[]
}

interface Failures {
  batchItemFailures: { itemIdentifier: string }[]
}

/** Opens the stores and reads the keys. */
export async function openJobs(settings: FunctionSettings, dispatch: Dispatch) {
  const { registry, secrets, ecr } = await openAwsStores(settings.config, { prepared: true })
  const guard = createAddressGuard(privateNetworks(settings.config))
  const upstreams = new Upstreams({ keys: secrets, guard, ...(ecr ? { ecr } : {}) })
  const kinds = jobKinds({ sweepNow: (trigger) => sweep(registry, trigger), upstreams })
  const runner: Runner = { registry, dispatch, kinds, ended: taskEnded }
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
