// The registries that are compared, each started on its own port and data directory.
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startServer } from '../support/server.ts'
import { findTool, unavailableTools } from '../tools.ts'
import { Connection } from './load/raw-http.ts'
import { runProgram } from './processes.ts'

export interface Running {
  contestant: Contestant
  /** `127.0.0.1:PORT` */
  host: string
  pid: number
  dataDir: string
  stop(): Promise<void>
}

interface StartOptions {
  dataDir: string
  port: number
  /** Put before the command, e.g. strace. */
  wrapper?: string[]
}

export interface Contestant {
  name: string
  version(): Promise<string>
  settings: string
  start(options: StartOptions): Promise<Running>
}

const READY_LIMIT_MS = 60_000

const entrepot: Contestant = {
  name: 'Entrepôt',
  version: async () => `node ${process.version}`,
  settings: '`npm start` with `--open --log-level warn`, else its defaults',
  start: async ({ dataDir, port, wrapper }) => {
    const server = await startServer({
      dataDir,
      port,
      args: ['--log-level', 'warn'],
      ...(wrapper === undefined ? {} : { wrapper }),
    })
    return {
      contestant: entrepot,
      host: server.host,
      pid: server.process.pid!,
      dataDir,
      stop: async () => void (await server.stop()),
    }
  },
}

const dockerRegistry: Contestant = {
  name: 'docker-registry',
  version: async () => (await runProgram('docker-registry', ['--version'])).trim(),
  settings: 'filesystem driver, in-memory descriptor cache (as Debian ships it), delete on, log level error',
  start: (options) => {
    const config = path.join(options.dataDir, 'config.yml')
    writeFileSync(
      config,
      JSON.stringify({
        version: 0.1,
        log: { level: 'error', accesslog: { disabled: true } },
        storage: {
          cache: { blobdescriptor: 'inmemory' },
          filesystem: { rootdirectory: path.join(options.dataDir, 'storage') },
          delete: { enabled: true },
        },
        http: { addr: `127.0.0.1:${options.port}` },
      }),
    )
    return startProgram(dockerRegistry, ['docker-registry', 'serve', config], options)
  },
}

const zot: Contestant = {
  name: 'zot',
  version: async () =>
    JSON.parse(await runProgram('zot', ['--version']).catch(() => '{}')).commit || 'a build without a name',
  settings: 'defaults (deduplication and garbage collection on), log level error',
  start: (options) => {
    const config = path.join(options.dataDir, 'config.json')
    writeFileSync(
      config,
      JSON.stringify({
        storage: { rootDirectory: path.join(options.dataDir, 'storage') },
        http: { address: '127.0.0.1', port: String(options.port) },
        log: { level: 'error', output: path.join(options.dataDir, 'zot.log') },
      }),
    )
    return startProgram(zot, ['zot', 'serve', config], options)
  },
}

/** Those that this machine has, and what became of the others. */
export function contestants(): { here: Contestant[]; absent: string[] } {
  const here = [entrepot]
  const absent: string[] = []
  const unavailable = unavailableTools()
  for (const peer of [dockerRegistry, zot]) {
    if (findTool(peer.name)) here.push(peer)
    else {
      const tried = unavailable.get(peer.name)
      const why = tried
        ? `not possible here: \`${tried.command}\` failed with "${withoutAddresses(tried.error)}" (${tried.date})`
        : 'not installed here (neither in tools/bin nor on PATH)'
      absent.push(`${peer.name}: ${why}`)
    }
  }
  return { here, absent }
}

function withoutAddresses(text: string): string {
  return text.replace(/https?:\/\/\S+/g, '…')
}

async function startProgram(
  contestant: Contestant,
  command: string[],
  options: StartOptions,
): Promise<Running> {
  const [program, ...args] = [...(options.wrapper ?? []), findTool(command[0]!)!, ...command.slice(1)]
  const child = spawn(program!, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let printed = ''
  child.stderr.on('data', (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-2000)
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const host = `127.0.0.1:${options.port}`
  const failed = ended.then(() =>
    Promise.reject(new Error(`${contestant.name} ended at its start: ${printed}`)),
  )
  await Promise.race([untilReady(host), failed])
  failed.catch(() => {})
  return {
    contestant,
    host,
    pid: child.pid!,
    dataDir: options.dataDir,
    stop: () => stopped(child, ended),
  }
}

async function stopped(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await ended
  clearTimeout(timer)
}

/** Resolves at the first 200 of `/v2/`. */
export async function untilReady(host: string): Promise<void> {
  const deadline = performance.now() + READY_LIMIT_MS
  while (performance.now() < deadline) {
    const connection = new Connection(host)
    const answer = await connection.request('GET', '/v2/').catch(() => undefined)
    connection.close()
    if (answer?.status === 200) return
    await sleep(2)
  }
  throw new Error(`no 200 from http://${host}/v2/ within ${READY_LIMIT_MS / 1000} s`)
}
