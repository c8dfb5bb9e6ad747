// Harbor's own scanner adapter (goharbor/harbor-scanner-trivy), unmodified, with its Redis and the trivy of these tests.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AWAY } from '../scanning/trivy.ts'
import { freePort } from '../support/aws-stores.ts'
import { findTool } from '../tools.ts'

export interface Adapter {
  url: string
  /** Everything it said so far. */
  output(): string
  stop(): Promise<void>
}

/** As it calls trivy's. */
export const VERSION = '0.72.0'

/** @param cache of trivy, with a database in it */
export async function startAdapter(directory: string, cache: string): Promise<Adapter> {
  const [redisPort, port] = [await freePort(), await freePort()]
  const home = path.join(directory, 'adapter')
  await mkdir(path.join(home, 'reports'), { recursive: true })
  const lines: string[] = []
  const keep = ['--save', '', '--appendonly', 'no', '--dir', home]
  const redis = start(
    'redis-server',
    ['--bind', '127.0.0.1', '--port', String(redisPort), ...keep],
    {},
    lines,
  )
  const adapter = start(
    'harbor-scanner-trivy',
    [],
    {
      ...AWAY,
      HOME: home,
      TRIVY_VERSION: VERSION,
      TRIVY_SKIP_VERSION_CHECK: 'true',
      TRIVY_DISABLE_TELEMETRY: 'true',
      TRIVY_SKIP_CHECK_UPDATE: 'true',
      SCANNER_LOG_LEVEL: 'debug',
      SCANNER_API_SERVER_ADDR: `127.0.0.1:${port}`,
      SCANNER_REDIS_URL: `redis://127.0.0.1:${redisPort}`,
      SCANNER_TRIVY_CACHE_DIR: cache,
      SCANNER_TRIVY_REPORTS_DIR: path.join(home, 'reports'),
      SCANNER_TRIVY_SKIP_UPDATE: 'true',
      SCANNER_TRIVY_SKIP_JAVA_DB_UPDATE: 'true',
      SCANNER_TRIVY_SKIP_VEX_REPO_UPDATE: 'true',
      SCANNER_TRIVY_OFFLINE_SCAN: 'true',
    },
    lines,
  )
  const url = `http://127.0.0.1:${port}`
  const output = () => lines.join('')
  const stop = async () => {
    for (const each of [adapter, redis]) await ended(each)
  }
  try {
    await answering(`${url}/probe/ready`, adapter)
  } catch (error) {
    await stop()
    throw new Error(`${(error as Error).message}\n${output()}`)
  }
  return { url, output, stop }
}

function start(name: string, args: string[], env: Record<string, string>, lines: string[]): ChildProcess {
  const child = spawn(findTool(name)!, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => lines.push(String(chunk)))
  return child
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the adapter ended with ${child.exitCode}`)
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return
    await sleep(50)
  }
}
