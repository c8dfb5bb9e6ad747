// Trivy as what writes bills of materials, and looks at them again with a newer database.
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Describer, SbomFormat } from './describer.ts'
import { type ScanContext, ScannerError, type ScanTarget } from './scanner.ts'
import { imageArguments, imageOf, loginFor, readReport, stateOf, type TrivySettings } from './trivy.ts'
import { dropBroken, readyDatabase } from './trivy-database.ts'
import { ALONE, GRACE_MS, run } from './trivy-program.ts'
import { matchesIn } from './trivy-report.ts'

const FORMATS: Record<SbomFormat, string> = { spdx: 'spdx-json', cyclonedx: 'cyclonedx' }
/** What is stored of an image's packages, and read again. */
const DOCUMENT_LIMIT_BYTES = 64 * 1024 * 1024

/** @param unnamed as of `createTrivy` */
export function trivyDescriber(settings: TrivySettings, unnamed: () => boolean): Describer {
  return {
    describe: (target, format, context) =>
      inDirectory(settings, context, (directory, signal) => {
        const now = { ...settings, insecure: settings.insecure || unnamed() }
        return describe(now, target, format, directory, { ...context, signal })
      }),
    refresh: async ({ signal, log }) => {
      await readyDatabase(settings, signal, log)
      return stateOf(settings, signal)
    },
    match: (bill, context) =>
      inDirectory(settings, context, (directory, signal) =>
        match(settings, bill, directory, { ...context, signal }),
      ),
  }
}

/** What it writes and unpacks is removed, whatever becomes of it. */
async function inDirectory<Result>(
  { cache, timeoutSeconds }: TrivySettings,
  { signal }: ScanContext,
  work: (directory: string, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-sbom-'))
  try {
    await mkdir(cache, { recursive: true })
    const limit = AbortSignal.timeout(timeoutSeconds * 1000 + GRACE_MS)
    return await work(directory, AbortSignal.any([signal, limit]))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function describe(
  settings: TrivySettings,
  target: ScanTarget,
  format: SbomFormat,
  directory: string,
  { signal, log }: ScanContext,
) {
  const output = path.join(directory, 'sbom.json')
  const args = [...imageArguments(settings, FORMATS[format]), '--output', output, imageOf(target)]
  log(`${settings.program} ${args.join(' ')}`)
  const env = { DOCKER_CONFIG: await loginFor(target, directory), TMPDIR: directory }
  await run(settings.program, args, env, signal)
  const { databaseAtMs: _, ...scanner } = await stateOf(settings, signal)
  return { document: await readDocument(output), scanner }
}

async function readDocument(file: string): Promise<Uint8Array> {
  const found = await stat(file).catch(() => undefined)
  if (!found) throw new ScannerError('trivy ended without a bill of materials')
  if (found.size > DOCUMENT_LIMIT_BYTES)
    throw new ScannerError(
      `the bill of materials has ${found.size} bytes, more than the ${DOCUMENT_LIMIT_BYTES} that are kept`,
      { final: true },
    )
  return readFile(file)
}

async function match(settings: TrivySettings, bill: string, directory: string, { signal, log }: ScanContext) {
  const file = path.join(directory, 'bill.json')
  const output = path.join(directory, 'report.json')
  await writeFile(file, bill)
  const args = [
    ...['sbom', '--quiet', '--format', 'json', '--scanners', 'vuln', '--cache-dir', settings.cache],
    ...['--timeout', `${settings.timeoutSeconds}s`, '--skip-db-update', '--skip-java-db-update', ...ALONE],
    ...(settings.ignoreUnfixed ? ['--ignore-unfixed'] : []),
    ...(settings.offline ? ['--offline-scan'] : []),
    ...['--output', output, file],
  ]
  log(`${settings.program} ${args.join(' ')}`)
  await dropBroken(settings, log, () => run(settings.program, args, { TMPDIR: directory }, signal))
  return matchesIn(await readReport(output))
}
