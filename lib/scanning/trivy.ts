// Trivy (https://trivy.dev) as the scanner: its program is run for each scan, and pulls from this registry itself.
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  type ScanContext,
  type Scanner,
  ScannerError,
  type ScannerState,
  type ScanTarget,
} from './scanner.ts'
import { dropBroken, readyDatabase, sayAge } from './trivy-database.ts'
import { ALONE, GRACE_MS, run } from './trivy-program.ts'
import { reportIn } from './trivy-report.ts'

export interface TrivySettings {
  /** The program: a name on the PATH, or a file. */
  program: string
  /** Directory of its databases. */
  cache: string
  /** `vuln`, `secret`, `misconfig`. */
  checks: string[]
  ignoreUnfixed: boolean
  /** Its databases are not downloaded: those in the cache are used. */
  skipUpdate: boolean
  /** It asks nobody else about what it finds. */
  offline: boolean
  timeoutSeconds: number
  /** OCI repositories of its databases; empty: its own. */
  databaseRepository: string
  javaDatabaseRepository: string
  /** Certificates of the registries are not checked. */
  insecure: boolean
}

/** Of what trivy writes: 50 MB of it take about 300 MB of memory for some seconds. */
const REPORT_LIMIT_BYTES = 64 * 1024 * 1024
/**
 * What it found in a layer it would remember under the name that the image gives the layer, unverified: an image that
 * lies would hide what is in others. And two scans at once would wait for one another.
 */
const OWN_LAYERS = ['--cache-backend', 'memory']
const VENDOR = 'Aqua Security'

/** @param unnamed whether this registry is reached by an address, which its certificate does not name */
export function createTrivy(settings: TrivySettings, unnamed: () => boolean): Scanner {
  const now = () => ({ ...settings, insecure: settings.insecure || unnamed() })
  return {
    state: (signal) => stateOf(settings, signal),
    scan: (target, context) => scan(now(), target, context),
  }
}

export async function stateOf({ program, cache }: TrivySettings, signal: AbortSignal): Promise<ScannerState> {
  const { output } = await run(program, ['version', '--format', 'json', '--cache-dir', cache], {}, signal)
  const { Version, VulnerabilityDB } = versionIn(output)
  const updated = Date.parse(VulnerabilityDB?.UpdatedAt ?? '')
  return {
    name: 'Trivy',
    vendor: VENDOR,
    version: Version ?? 'unknown',
    ...(Number.isNaN(updated) ? {} : { databaseAtMs: updated }),
  }
}

function versionIn(output: string): { Version?: string; VulnerabilityDB?: { UpdatedAt?: string } } {
  try {
    return JSON.parse(output)
  } catch (error) {
    throw new ScannerError(`trivy does not tell its version: ${output.slice(0, 200)}`, { cause: error })
  }
}

async function scan(settings: TrivySettings, target: ScanTarget, { signal, log }: ScanContext) {
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-scan-'))
  const report = path.join(directory, 'report.json')
  const limit = AbortSignal.any([signal, AbortSignal.timeout(settings.timeoutSeconds * 1000 + GRACE_MS)])
  try {
    await mkdir(settings.cache, { recursive: true })
    await readyDatabase(settings, limit, log)
    const args = [...argumentsFor(settings), '--output', report, imageOf(target)]
    log(`${settings.program} ${args.join(' ')}`)
    // Layers it unpacks go where they are removed afterwards, whatever becomes of it.
    const env = { DOCKER_CONFIG: await loginFor(target, directory), TMPDIR: directory }
    const { errors } = await dropBroken(settings, log, () => run(settings.program, args, env, limit))
    for (const line of errors.split('\n').filter((each) => each.trim() !== '')) log(line)
    const state = await stateOf(settings, signal)
    const { databaseAtMs, ...scanner } = state
    sayAge(databaseAtMs, Date.now(), log)
    const { digest } = target
    const found = reportIn(await readReport(report), { digest, scanner, atMs: Date.now() })
    return { ...found, ...(databaseAtMs === undefined ? {} : { databaseAtMs }) }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** A token in the environment would go to every registry that is asked; here it stands beside the host it is for. */
export async function loginFor({ origin, token }: ScanTarget, directory: string): Promise<string> {
  const config = { auths: { [new URL(origin).host]: { registrytoken: token } } }
  await writeFile(path.join(directory, 'config.json'), JSON.stringify(config), { mode: 0o600 })
  return directory
}

export function imageOf({ origin, repository, digest }: ScanTarget): string {
  return `${new URL(origin).host}/${repository}@${digest}`
}

function argumentsFor(settings: TrivySettings): string[] {
  return [
    ...imageArguments(settings, 'json'),
    ...['--scanners', settings.checks.join(',')],
    ...(settings.ignoreUnfixed ? ['--ignore-unfixed'] : []),
  ]
}

/** Of a look into an image, for whatever. */
export function imageArguments(settings: TrivySettings, format: string): string[] {
  const flag = (name: string, on: boolean) => (on ? [name] : [])
  const value = (name: string, given: string) => (given === '' ? [] : [name, given])
  return [
    ...['image', '--no-progress', '--format', format, '--image-src', 'remote'],
    ...['--cache-dir', settings.cache, ...OWN_LAYERS, '--timeout', `${settings.timeoutSeconds}s`],
    ...['--skip-db-update', ...ALONE],
    ...(settings.skipUpdate || settings.offline ? ['--skip-java-db-update', '--skip-check-update'] : []),
    ...flag('--offline-scan', settings.offline),
    ...value('--java-db-repository', settings.javaDatabaseRepository),
    ...flag('--insecure', settings.insecure),
  ]
}

export async function readReport(file: string): Promise<string> {
  const size = await stat(file).then(
    (found) => found.size,
    () => undefined,
  )
  if (size === undefined) throw new ScannerError('trivy ended without a report')
  if (size > REPORT_LIMIT_BYTES)
    throw new ScannerError(
      `trivy’s report has ${size} bytes, more than the ${REPORT_LIMIT_BYTES} that are read`,
      { final: true },
    )
  return readFile(file, 'utf8')
}
