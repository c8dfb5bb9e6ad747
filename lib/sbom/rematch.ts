// New advisories against the packages that are known of images: no image is pulled, and no layer read.
import type { Execution, Trigger } from '../jobs/execution.ts'
import { executionsOf, type Jobs, startExecution } from '../jobs/executions.ts'
import { type JobContext, JobFailed, type JobKind } from '../jobs/kinds.ts'
import { RegistryError } from '../oci/errors.ts'
import { partitions } from '../registry/keys.ts'
import { PAGE, pagesOf } from '../registry/partitions.ts'
import { type Registry, text } from '../registry/registry.ts'
import type { Describer, Matched } from '../scanning/describer.ts'
import type { Scanning } from '../scanning/job.ts'
import { noteScannerState } from '../scanning/scanners.ts'
import { MergedBills } from './merged-bills.ts'
import { type ListedPackages, listedPackages, packageKeys, packagesIn } from './package-lists.ts'
import { type Rematched, renewReports } from './renew-reports.ts'

/** @param scanning undefined where nothing is to be scanned */
export function rematch(scanning: Scanning | undefined): JobKind {
  return {
    attempts: 2,
    retryAfterSeconds: 60,
    timeoutSeconds: 6 * 3600,
    atOnce: 1,
    run: async (context) => {
      if (!scanning?.describer) throw new JobFailed('no scanner is configured that looks at packages alone')
      await matchAll(scanning.describer, context)
    },
  }
}

/** @throws CONFLICT while the last one goes on */
export async function beginRematch(jobs: Jobs, trigger: Trigger, operator: string): Promise<Execution> {
  for await (const last of executionsOf(jobs.registry, 'REMATCH')) {
    if (last.endedAtMs === undefined)
      throw new RegistryError('CONFLICT', `execution ${last.number} looks at all packages already`)
    break
  }
  const spec = { vendor: 'REMATCH', rule: 0, trigger, extra: { operator } } as const
  return (await startExecution(jobs, spec, [{ payload: {} }]))!
}

async function matchAll(describer: Describer, context: JobContext): Promise<void> {
  const { registry, log, show, signal } = context
  const state = await describer.refresh({ signal, log })
  await noteScannerState(registry, state)
  const merged = new MergedBills()
  const images = await readAll(registry, merged, signal)
  log(`${images.length} images with ${merged.size} different packages`)
  const found = new Map<number, Matched['vulnerability'][]>()
  for (const bill of merged.bills())
    for (const { ref, vulnerability } of await describer.match(bill, { signal, log })) {
      const known = found.get(Number(ref))
      if (known) known.push(vulnerability)
      else found.set(Number(ref), [vulnerability])
    }
  const { renewed, left } = await renewReports(context, images, found, state)
  log(`${renewed} reports are new; ${left} images are being scanned, or by another scanner`)
  show({ images: images.length, packages: merged.size, renewed })
}

/** Of images that we looked into ourselves: what people attach could leave out what they want to hide. */
async function readAll(registry: Registry, merged: MergedBills, signal: AbortSignal): Promise<Rematched[]> {
  const images: Rematched[] = []
  let lists: ListedPackages[] = []
  const flush = async () => {
    images.push(...(await readSome(registry, merged, lists)))
    lists = []
  }
  for await (const page of pagesOf(registry.metadata, { pk: partitions.projects }))
    for (const project of page)
      for await (const list of listedPackages(registry, text(project, 'id'))) {
        signal.throwIfAborted()
        if (list.holder !== list.image) continue
        lists.push(list)
        if (lists.length === PAGE) await flush()
      }
  await flush()
  return images
}

async function readSome(
  registry: Registry,
  merged: MergedBills,
  lists: readonly ListedPackages[],
): Promise<Rematched[]> {
  const wanted = lists.flatMap(packageKeys)
  const parts = []
  for (let at = 0; at < wanted.length; at += PAGE)
    parts.push(...(await registry.metadata.batchGet(wanted.slice(at, at + PAGE))))
  const packages = await Promise.all(parts.map(packagesIn))
  let next = 0
  return lists.map((list) => {
    const own = packages.slice(next, next + list.parts).flat()
    next += list.parts
    const { projectId, repo, repository, image } = list
    return { projectId, repo, repository, image, packages: merged.add(own, list.system) }
  })
}
