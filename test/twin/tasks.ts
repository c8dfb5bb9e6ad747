// Fargate's tasks as processes, each with the environment of its deployed task definition; before them the load balancer.
import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { freePort } from '../support/aws-stores.ts'
import { type Origin, passOn } from './origin.ts'

const root = path.resolve(import.meta.dirname, '../..')
/** Of the task, from SIGTERM to SIGKILL. */
const STOP_MS = 30_000
const OUTPUT_CHARACTERS = 20_000

export interface Task {
  process: ChildProcess
  port: number
  ended: Promise<number | null>
  output(): string
  /** Of requests that the balancer gave it. */
  count: { taken: number; waiting: number }
  stop(): Promise<void>
  kill(): Promise<void>
}

/** Modules loaded before the program, and what they are told. */
export interface Bend {
  preload: string[]
  env: Record<string, string>
}

/** @param overrides what is different on one machine: addresses, ports, credentials */
export async function startTask(
  program: 'ingest' | 'worker',
  environment: Record<string, string>,
  overrides: Record<string, string>,
  bend: Bend = { preload: [], env: {} },
): Promise<Task> {
  const port = await freePort()
  const preload = ['with-parent.mjs', ...bend.preload].flatMap((module) => [
    '--import',
    path.join(import.meta.dirname, module),
  ])
  const child = spawn(process.execPath, [...preload, path.join(root, `bin/${program}.ts`)], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      ...environment,
      ENTREPOT_HOST: '127.0.0.1',
      ENTREPOT_PORT: String(port),
      ...overrides,
      ...bend.env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      printed = (printed + chunk.toString()).slice(-OUTPUT_CHARACTERS)
    })
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  if (program === 'ingest') await listeningOrEnded(child, () => printed)
  const signal = async (name: NodeJS.Signals) => {
    child.kill(name)
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await ended
    clearTimeout(force)
  }
  return {
    process: child,
    port,
    ended,
    output: () => printed,
    count: { taken: 0, waiting: 0 },
    stop: () => signal('SIGTERM'),
    kill: () => signal('SIGKILL'),
  }
}

function listeningOrEnded(child: ChildProcess, output: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout!.on('data', () => {
      if (output().includes('ingest is listening')) resolve()
    })
    child.once('exit', (code) => reject(new Error(`the task ended with ${code}:\n${output()}`)))
  })
}

export interface Balancer {
  origin: Origin
  tasks: Task[]
  /** Body bytes that went into the tasks. */
  readonly bytesIn: number
}

/** Each request to the next healthy task; one that ended is not asked again. */
export function startBalancer(): Balancer {
  const tasks: Task[] = []
  let next = 0
  let bytesIn = 0
  const origin: Origin = async (request) => {
    const alive = tasks.filter(({ process }) => process.exitCode === null && process.signalCode === null)
    const task = alive[next++ % alive.length]
    if (!task) throw new Error('there is no healthy task')
    const headers = {
      ...request.headers,
      host: 'ingest.internal',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': '80',
    }
    task.count.taken += 1
    task.count.waiting += 1
    try {
      return await passOn(`http://127.0.0.1:${task.port}`, { ...request, headers }, (bytes) => {
        bytesIn += bytes
      })
    } finally {
      task.count.waiting -= 1
    }
  }
  return {
    origin,
    tasks,
    get bytesIn() {
      return bytesIn
    },
  }
}
