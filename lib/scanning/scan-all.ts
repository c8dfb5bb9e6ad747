// Everything is scanned: an execution whose first task finds what there is, and adds one for each image.

import type { Execution, Trigger } from '../jobs/execution.ts'
import { type Jobs, startExecution } from '../jobs/executions.ts'
import type { JobContext, JobKind, TaskSpec } from '../jobs/kinds.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { partitions } from '../registry/keys.ts'
import { pagesOf } from '../registry/partitions.ts'
import type { Registry } from '../registry/registry.ts'
import { readRepository } from '../registry/repositories.ts'
import { noteScan, type ScanPayload, scanTask } from './begin.ts'
import { imageScan, type Scanning, scanOne } from './job.ts'
import { scannableAt } from './scannable.ts'
import { type ChosenScanner, scannerOfRepository } from './scanner-choice.ts'

/** Tasks added at once. */
const BATCH = 50

export function scanAll(scanning: Scanning | undefined): JobKind {
  return {
    ...imageScan(scanning),
    // The first task looks at every repository.
    timeoutSeconds: 6 * 3600,
    run: async (context) => {
      const { payload } = context.task
      if (payload.digest === undefined) return findAll(context)
      await scanOne(scanning, context, payload as unknown as ScanPayload)
    },
  }
}

/** @throws CONFLICT while the last one goes on */
export async function beginScanAll(
  jobs: Jobs,
  trigger: Trigger,
  operator: string,
  last?: Execution,
): Promise<Execution> {
  if (last && last.endedAtMs === undefined)
    throw new RegistryError(
      'CONFLICT',
      `a previous scan all job already exists, its status is ${last.status}`,
    )
  const begun = await startExecution(jobs, { vendor: 'SCAN_ALL', rule: 0, trigger, extra: { operator } }, [
    { payload: {} },
  ])
  return begun!
}

/** Repositories that were looked at are not again after a restart: `after` is kept. */
async function findAll(context: JobContext): Promise<void> {
  const { registry, log, add, save, task, signal, execution } = context
  let images = 0
  const after = task.state.after as string | undefined
  const catalog = { pk: partitions.catalog, ...(after === undefined ? {} : { after }) }
  for await (const page of pagesOf(registry.metadata, catalog))
    for (const { sk: name } of page) {
      signal.throwIfAborted()
      for await (const tasks of imagesOf(registry, name, execution.number)) {
        await add(tasks)
        images += tasks.length
      }
      await save({ after: name })
    }
  log(`${images} images to scan`)
}

async function* imagesOf(registry: Registry, name: string, execution: number): AsyncGenerator<TaskSpec[]> {
  const found = await readRepository(registry, name)
  if (!found) return
  const scanner = await scannerOfRepository(registry, name)
  if (scanner.disabled) return
  let tasks: TaskSpec[] = []
  for await (const page of pagesOf(registry.metadata, { pk: partitions.manifests(found.repository.id) }))
    for (const { sk } of page) {
      const task = await taskFor(registry, name, sk.slice(sk.indexOf('#') + 1) as Digest, scanner, execution)
      if (task) tasks.push(task)
      if (tasks.length < BATCH) continue
      yield tasks
      tasks = []
    }
  if (tasks.length > 0) yield tasks
}

/** Images of an index come by themselves. */
async function taskFor(
  registry: Registry,
  name: string,
  digest: Digest,
  scanner: ChosenScanner,
  execution: number,
): Promise<TaskSpec | undefined> {
  try {
    const { repository, images } = await scannableAt(registry, name, { kind: 'digest', digest })
    if (images[0] !== digest) return undefined
    const noted = await noteScan(registry, repository, digest, scanner, { execution })
    return noted && scanTask(repository, digest, noted.scan, [])
  } catch (error) {
    if (error instanceof RegistryError && error.status < 500) return undefined
    throw error
  }
}
