// The real trivy as our scanner runs it, without the jobs around it, which would try again what failed.
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Secrets } from '../../lib/access/secret-keys.ts'
import { Tokens } from '../../lib/access/tokens.ts'
import type { Digest } from '../../lib/oci/digest.ts'
import type { Report } from '../../lib/scanning/report.ts'
import { createTrivy, type TrivySettings } from '../../lib/scanning/trivy.ts'
import { toolPath } from '../tools.ts'
import type { Place } from './place.ts'

export interface Outcome {
  report?: Report & { databaseAtMs?: number }
  /** Why there is none. */
  fault?: string
  /** What the task's log would hold. */
  log: string
}

/** Scans `library/NAME:v1` with its own cache of the database, which is asked for nowhere. */
export async function scanAlone(
  at: Place,
  name: string,
  settings: Partial<TrivySettings> & { cache: string },
): Promise<Outcome> {
  process.env.PATH = toolPath
  const clock = { nowMs: Date.now }
  const document = JSON.parse(await readFile(path.join(at.server.dataDir, 'secrets.json'), 'utf8'))
  const tokens = new Tokens(new Secrets(document, clock), 'entrepot', clock)
  const repository = `library/${name}`
  const digest = (await at.sh(`crane digest --insecure ${at.server.host}/${repository}:v1`)).trim()
  const scanner = createTrivy(
    {
      program: await program(at),
      checks: ['vuln', 'secret'],
      ignoreUnfixed: false,
      skipUpdate: true,
      offline: true,
      timeoutSeconds: 120,
      databaseRepository: '',
      javaDatabaseRepository: '',
      insecure: true,
      ...settings,
    },
    () => false,
  )
  const lines: string[] = []
  const target = {
    origin: at.server.url,
    repository,
    digest: digest as Digest,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    token: await tokens.issueScan(repository),
  }
  const context = { signal: AbortSignal.timeout(200_000), log: (line: string) => lines.push(line) }
  try {
    const report = await scanner.scan(target, context)
    return { report, log: lines.join('\n') }
  } catch (error) {
    return { fault: (error as Error).message, log: lines.join('\n') }
  }
}

/** SABOTAGE=scan-shared-layers: it remembers layers from one scan to the next. */
async function program(at: Place): Promise<string> {
  if (process.env.SABOTAGE !== 'scan-shared-layers') return 'trivy'
  const file = path.join(at.directory, 'remembering-trivy')
  await writeFile(file, `#!/usr/bin/env bash\nexec trivy "\${@/#memory/fs}"\n`, { mode: 0o755 })
  return file
}

/** A cache with the place's database, below its directory. */
export async function cacheOf(at: Place, name = 'cache'): Promise<string> {
  const cache = path.join(at.directory, name)
  await at.sh(`mkdir -p ${cache} && cp -r ${at.database.directory} ${cache}/db`)
  return cache
}
