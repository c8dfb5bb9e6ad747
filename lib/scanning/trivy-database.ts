// Trivy's vulnerability database, in the cache that all scans of this process share: there, of the right schema, readable.
import { readFile, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { ScannerError } from './scanner.ts'
import type { TrivySettings } from './trivy.ts'
import { ALONE, run } from './trivy-program.ts'

const DATABASE_SCHEMA = '2'
const DAY_MS = 86_400_000
/** New ones are published several times a day. */
const OLD_DAYS = 7

type Log = (line: string) => void

/** Brings it up to date, unless it shall stay what it is. @throws ScannerError where there is none then */
export async function readyDatabase(settings: TrivySettings, signal: AbortSignal, log: Log): Promise<void> {
  if (!settings.skipUpdate) return updateDatabase(settings, signal, log)
  const file = path.join(settings.cache, 'db', 'trivy.db')
  if (await stat(file).catch(() => undefined)) return
  throw new ScannerError(
    `trivy has no database in ${settings.cache}, and may not download one: put it there, or set trivySkipUpdate to off`,
    { final: true },
  )
}

/** @param madeAtMs when it was made; undefined where that is unknown */
export function sayAge(madeAtMs: number | undefined, nowMs: number, log: Log): void {
  const days = madeAtMs === undefined ? 0 : Math.floor((nowMs - madeAtMs) / DAY_MS)
  if (days >= OLD_DAYS) log(`its database is ${days} days old: what became known since is not in this report`)
}

/** One that trivy cannot read would never be replaced: it looks at the age alone. */
export async function dropBroken<T>(
  { cache, skipUpdate }: TrivySettings,
  log: Log,
  use: () => Promise<T>,
): Promise<T> {
  try {
    return await use()
  } catch (error) {
    if (!(error instanceof ScannerError) || !isOfDatabase(error)) throw error
    if (skipUpdate)
      throw new ScannerError(
        `trivy cannot read its database in ${cache}, and may not download another: ${error.message}`,
        { final: true, cause: error },
      )
    await rm(path.join(cache, 'db'), { recursive: true, force: true })
    log('its database cannot be read: the next attempt downloads it again')
    throw error
  }
}

/** In its own words, or, where it crashes over a page that is not there, in those of the store it uses. */
function isOfDatabase({ message }: ScannerError): boolean {
  return /\bDB error\b|failed to open db|invalid database|bbolt/.test(message)
}

/** Its databases are brought up to date apart from scans, so that those are sent no token of ours. */
const updates = new Map<string, Promise<void>>()

/** One download at a time for each cache. */
async function updateDatabase(
  settings: TrivySettings,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<void> {
  const { program, cache, databaseRepository, insecure } = settings
  const before = updates.get(cache) ?? Promise.resolve()
  const update = before
    .catch(() => {})
    .then(async () => {
      const source = databaseRepository === '' ? [] : ['--db-repository', databaseRepository]
      const options = [
        '--no-progress',
        '--cache-dir',
        cache,
        ...source,
        ...(insecure ? ['--insecure'] : []),
        ...ALONE,
      ]
      log(`${program} image --download-db-only ${source.join(' ')}`)
      await run(program, ['image', '--download-db-only', ...options], {}, signal)
      await requireSchema(cache)
    })
  updates.set(cache, update)
  try {
    await update
  } finally {
    if (updates.get(cache) === update) updates.delete(cache)
  }
}

/** Trivy itself would notice at its next run only. */
async function requireSchema(cache: string): Promise<void> {
  const text = await readFile(path.join(cache, 'db', 'metadata.json'), 'utf8').catch(() => '{}')
  const version = /"Version":\s*(\d+)/.exec(text)?.[1]
  if (version === DATABASE_SCHEMA) return
  await rm(path.join(cache, 'db'), { recursive: true, force: true })
  throw new ScannerError(`trivy’s database has schema ${version ?? 'unknown'}, expected ${DATABASE_SCHEMA}`)
}
