// An Entrepôt that replicates, another registry behind its access log, and the clients that look at both ends.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Harbor, harborOf, numberOf } from '../api/management.ts'
import { contestants } from '../bench/registries.ts'
import { type Image, type ImageOptions, makeImage } from '../clients/image.ts'
import { type Server, type ServerOptions, startServer } from '../support/server.ts'
import { toolPath } from '../tools.ts'
import { type Front, startFront } from './front.ts'

export interface Rule {
  [field: string]: unknown
}

export interface Run {
  id: number
  status: string
}

export class Place {
  readonly directory: string
  readonly front: Front
  server: Server
  admin: Harbor
  /** The other registry's number here. */
  registry = 0
  readonly #stopOther: () => Promise<void>
  #rules = 0

  constructor(directory: string, server: Server, front: Front, stopOther: () => Promise<void>) {
    this.directory = directory
    this.server = server
    this.front = front
    this.admin = harborOf(server.url, 'admin')
    this.#stopOther = stopOther
  }

  async makeRegistry(name: string, url: string): Promise<number> {
    return numberOf(await this.admin('POST', '/registries', { name, type: 'docker-registry', url }))
  }

  /** @param rule what is different from a manual push of everything that overrides */
  async makeRule(rule: Rule): Promise<number> {
    this.#rules += 1
    const usual = {
      name: `rule-${this.#rules}`,
      dest_registry: { id: this.registry },
      enabled: true,
      override: true,
      trigger: { type: 'manual' },
    }
    return numberOf(await this.admin('POST', '/replication/policies', { ...usual, ...rule }))
  }

  async start(policy: number): Promise<number> {
    return numberOf(await this.admin('POST', '/replication/executions', { policy_id: policy }))
  }

  async run(policy: number): Promise<Run> {
    return this.ended(await this.start(policy))
  }

  async ended(id: number): Promise<Run> {
    for (;;) {
      const { status } = (await this.admin('GET', `/replication/executions/${id}`)).json
      if (status !== 'InProgress') return { id, status }
      await sleep(50)
    }
  }

  /** Of all its tasks. */
  async logs(id: number): Promise<string> {
    const tasks = (await this.admin('GET', `/replication/executions/${id}/tasks?page_size=100`)).json
    const logs = await Promise.all(
      tasks.map((task: { id: number }) =>
        this.admin('GET', `/replication/executions/${id}/tasks/${task.id}/log`),
      ),
    )
    return logs.map(({ body }) => body.toString()).join('')
  }

  image(name: string, options: ImageOptions): Promise<Image> {
    return makeImage(path.join(this.directory, name), options)
  }

  /** Pushes a layout. @param to `host/name:tag` */
  async push({ layout }: Image, to: string): Promise<void> {
    await this.sh(
      `skopeo copy -q --all --preserve-digests --dest-tls-verify=false oci:${layout}:v1 docker://${to}`,
    )
  }

  /** By crane. @returns undefined where there is none */
  async digest(at: string): Promise<string | undefined> {
    try {
      return (await this.sh(`crane digest --insecure ${at}`)).trim()
    } catch {
      return undefined
    }
  }

  async sh(command: string): Promise<string> {
    const env = { ...process.env, PATH: toolPath, HOME: this.directory }
    const { stdout } = await promisify(execFile)('bash', ['-ec', command], {
      cwd: this.directory,
      env,
      maxBuffer: 64 * 1024 * 1024,
    })
    return stdout
  }

  /** Kills the process that replicates, and starts another on its data. */
  async killAndRestart(): Promise<void> {
    const { dataDir, port } = this.server
    await this.server.kill()
    this.server = await startServer({ ...OURS, dataDir, port })
    this.admin = harborOf(this.server.url, 'admin')
  }

  async close(): Promise<void> {
    await this.server.stop()
    await this.front.stop()
    await this.#stopOther()
    await rm(this.directory, { recursive: true, force: true })
  }
}

const OURS: ServerOptions = { args: ['--upstream-private-networks', '127.0.0.0/8,::1'] }

export async function openPlace(other: 'docker-registry' | 'entrepot'): Promise<Place> {
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-replication-'))
  const there = await startOther(other, directory)
  const front = await startFront(there.url)
  const server = await startServer({ ...OURS, dataDir: path.join(directory, 'data') })
  const place = new Place(directory, server, front, there.stop)
  place.registry = await place.makeRegistry('other', front.url)
  return place
}

async function startOther(
  name: 'docker-registry' | 'entrepot',
  directory: string,
): Promise<{ url: string; stop(): Promise<void> }> {
  if (name === 'entrepot') {
    const server = await startServer()
    return { url: server.url, stop: async () => void (await server.stop()) }
  }
  const contestant = contestants().here.find((each) => each.name === name)!
  const running = await contestant.start({ dataDir: directory, port: await freePort() })
  return { url: `http://${running.host}`, stop: () => running.stop() }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
