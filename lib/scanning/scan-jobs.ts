// Scans that were begun: stopped, and their logs read.
import { type Jobs, readExecution, stopExecution } from '../jobs/executions.ts'
import { readTaskLog } from '../jobs/task-log.ts'
import { RegistryError } from '../oci/errors.ts'
import type { Registry } from '../registry/registry.ts'
import { attemptsOf, scansOf } from './overview.ts'
import type { Attempt, Scan, ScanType } from './scan.ts'
import type { Scannable } from './scannable.ts'

export async function scansIn(registry: Registry, { repository, images }: Scannable): Promise<Scan[]> {
  const found = await scansOf(registry, repository.id, images)
  return [...found.values()]
}

async function attemptsIn(
  registry: Registry,
  { repository, images }: Scannable,
  type: ScanType,
): Promise<Attempt[]> {
  return [...(await attemptsOf(registry, repository.id, images, type)).values()]
}

/**
 * One of a scan of everything ends with that.
 * @throws REQUEST_INVALID where none was ever begun by itself
 */
export async function stopScan(jobs: Jobs, scannable: Scannable, type: ScanType): Promise<void> {
  const scans = await attemptsIn(jobs.registry, scannable, type)
  const numbers = [...new Set(scans.map(({ execution }) => execution))].filter((number) => number > 0)
  const executions = await Promise.all(numbers.map((number) => readExecution(jobs.registry, number)))
  const own = executions.filter((each) => each?.vendor !== 'SCAN_ALL' && each !== undefined)
  if (own.length === 0)
    throw new RegistryError('REQUEST_INVALID', `no scan job for artifact digest=${scannable.digest}`)
  for (const execution of own) await stopExecution(jobs, execution!.number)
}

/**
 * @param report as `Overview.report` has it: of one scan, or of several with `+` between them
 * @throws NOT_FOUND
 */
export async function scanLog(registry: Registry, scannable: Scannable, report: string): Promise<string> {
  const wanted = report.split(/[+ ]/)
  const all = [
    ...(await attemptsIn(registry, scannable, 'vulnerability')),
    ...(await attemptsIn(registry, scannable, 'sbom')),
  ]
  const scans = all.filter(({ attempt }) => wanted.includes(attempt))
  if (scans.length === 0)
    throw new RegistryError('NOT_FOUND', `report with uuid ${report.slice(0, 200)} does not exist`)
  const logs = await Promise.all(scans.map(({ task }) => (task === 0 ? '' : readTaskLog(registry, task))))
  return logs.join('')
}
