// A real Entrepôt process for tests: `node bin/local.ts` on a free loopback port, its own data directory.
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { newSecrets } from '../../lib/access/secret-keys.ts'
import { type AwsStores, startAwsStores } from './aws-stores.ts'

const root = path.resolve(import.meta.dirname, '../..')

export interface ServerOptions {
  /** Existing data directory to start on; a temporary one (removed by `stop`) when absent. */
  dataDir?: string
  /** Serve without login and create projects on push. Default true. */
  open?: boolean
  /** Port; 0 (default) lets the system choose. */
  port?: number
  /** Further command line flags, e.g. `['--tls-cert', file]`. */
  args?: string[]
  env?: Record<string, string>
  /** Modules loaded before the program (`node --import`), used by sabotage switches. */
  preload?: string[]
  /** Put before the command, e.g. `['strace', '-f', '-o', file]`. */
  wrapper?: string[]
}

export interface Server {
  /** `http://127.0.0.1:PORT` (or https). */
  url: string
  /** `127.0.0.1:PORT`, as image references need it. */
  host: string
  port: number
  dataDir: string
  adminPassword: string
  process: ChildProcess
  /** Everything the process printed so far. */
  output(): string
  /** SIGTERM, wait for the drain, remove a temporary data directory. Returns the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL and wait; the data directory stays. */
  kill(): Promise<void>
}

/** The password every test server is started with. */
export const ADMIN_PASSWORD = 'Harbour-test-12345'

let aws: Promise<AwsStores> | undefined
const opened = new Set<string>()

/**
 * What a program needs to be told of the stores a data directory stands for: nothing when it is the store itself.
 * With TEST_STORES=aws every server of a test file is on S3 and DynamoDB: the data directory's name stands for a
 * table and a bucket. TEST_REDIRECT=off has blobs go through the server.
 */
export async function storesEnvironment(dataDir: string): Promise<Record<string, string>> {
  if (process.env.TEST_STORES !== 'aws') return {}
  aws ??= startAwsStores()
  const stores = await aws
  const name = `t-${createHash('sha256').update(dataDir).digest('hex').slice(0, 24)}`
  const secrets = path.join(stores.directory, `${name}.json`)
  if (!opened.has(name)) {
    opened.add(name)
    await stores.create(name)
    await writeFile(secrets, JSON.stringify(await newSecrets()))
  }
  return {
    ...stores.env,
    ENTREPOT_STORES: 'aws',
    ENTREPOT_TABLE: name,
    ENTREPOT_BUCKET: name,
    ENTREPOT_SECRETS: `file:${secrets}`,
    ...(process.env.TEST_REDIRECT ? { ENTREPOT_REDIRECT_BLOBS: process.env.TEST_REDIRECT } : {}),
  }
}

/** Starts the registry and resolves once it prints its URL. @throws if the process ends before that. */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const temporary = options.dataDir === undefined
  const dataDir = options.dataDir ?? (await mkdtemp(path.join(tmpdir(), 'entrepot-test-')))
  const command = [
    ...(options.wrapper ?? []),
    process.execPath,
    ...(options.preload ?? []).flatMap((module) => ['--import', module]),
    path.join(root, 'bin/local.ts'),
    '--port',
    String(options.port ?? 0),
    '--data',
    dataDir,
    ...(options.open === false ? [] : ['--open']),
    ...(options.args ?? []),
  ]
  const child = spawn(command[0]!, command.slice(1), {
    cwd: root,
    env: {
      ...process.env,
      ENTREPOT_ADMIN_PASSWORD: ADMIN_PASSWORD,
      ...(await storesEnvironment(dataDir)),
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const url = await new Promise<string>((resolve, reject) => {
    const onData = (chunk: Buffer) => {
      printed += chunk.toString()
      const match = /listening on (https?:\/\/[^\s]+)/.exec(printed)
      if (match?.[1]) resolve(match[1])
    }
    child.stdout.on('data', onData)
    child.stderr.on('data', onData)
    child.once('error', reject)
    void ended.then((code) => reject(new Error(`the server ended with code ${code}:\n${printed}`)))
  })
  const { port, host } = new URL(url)
  return {
    url,
    host,
    port: Number(port),
    dataDir,
    adminPassword: ADMIN_PASSWORD,
    process: child,
    output: () => printed,
    stop: async () => {
      child.kill('SIGTERM')
      const code = await ended
      if (temporary) await rm(dataDir, { recursive: true, force: true })
      return code
    },
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}
