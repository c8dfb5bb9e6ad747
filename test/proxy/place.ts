// Several servers on one store that cache an imitation of Docker Hub in front of docker-registry.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { type Harbor, harborOf, numberOf } from '../api/management.ts'
import { type Image, type ImageOptions, makeImage } from '../clients/image.ts'
import { type DockerHub, startDockerHub } from '../support/docker-hub.ts'
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts'
import { type Server, type ServerOptions, startServer } from '../support/server.ts'
import { toolPath } from '../tools.ts'

const run = promisify(execFile)

/** The public proxy cache project. */
export const CACHE = 'hub-cache'

export interface Place {
  servers: Server[]
  hub: DockerHub
  /** What is behind the imitation. */
  origin: DockerRegistry
  admin: Harbor
  directory: string
  /** Runs a command with the tools on its path, in `directory`. @throws with its output */
  sh(command: string): Promise<string>
  /** Pushes an image to the upstream. */
  publish(name: string, options: ImageOptions): Promise<Image>
  start(more?: Partial<ServerOptions>): Promise<Server>
  close(): Promise<void>
}

/** @param count of processes; more than one needs the stores of the cloud (TEST_STORES=aws) */
export async function openPlace(count: number, metadata: Record<string, string> = {}): Promise<Place> {
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-proxy-'))
  const origin = await startDockerRegistry()
  const hub = await startDockerHub({ origin: origin.url, limit: 100_000 })
  const servers: Server[] = []
  const start = async (more: Partial<ServerOptions> = {}) => {
    const server = await startServer({
      dataDir: path.join(directory, 'data'),
      open: false,
      ...more,
      env: {
        ENTREPOT_UPSTREAM_PRIVATE_NETWORKS: '127.0.0.0/8',
        ENTREPOT_REDIRECT_BLOBS: 'off',
        ...more.env,
      },
    })
    servers.push(server)
    return server
  }
  for (let each = 0; each < count; each++) await start(preloaded())
  const admin = harborOf(servers[0]!.url, 'admin')
  const id = numberOf(await admin('POST', '/registries', { name: 'hub', type: 'docker-hub', url: hub.url }))
  const project = { project_name: CACHE, registry_id: id, metadata: { public: 'true', ...metadata } }
  numberOf(await admin('POST', '/projects', project))
  const sh = async (command: string) => {
    const env = { ...process.env, PATH: toolPath, HOME: directory, XDG_RUNTIME_DIR: directory }
    const options = { cwd: directory, env, maxBuffer: 64 * 1024 * 1024, timeout: 120_000 }
    try {
      const { stdout } = await run('bash', ['--norc', '-euo', 'pipefail', '-c', command], options)
      return stdout
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string }
      throw new Error(`${command}\n${stdout}${stderr}`)
    }
  }
  return {
    servers,
    hub,
    origin,
    admin,
    directory,
    sh,
    start,
    publish: async (name, options) => {
      const image = await makeImage(
        path.join(directory, name.replaceAll('/', '-').replace(':', '-')),
        options,
      )
      await sh(
        `skopeo copy -q --all --preserve-digests --dest-tls-verify=false oci:${image.layout}:v1 docker://${origin.host}/${name}`,
      )
      return image
    },
    close: async () => {
      for (const server of servers) await server.stop()
      await hub.stop()
      await origin.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Every sabotage of the product itself is loaded before it. */
function preloaded(): Partial<ServerOptions> {
  if (process.env.SABOTAGE !== 'proxy-lease') return {}
  return { preload: [path.join(import.meta.dirname, 'no-lease.ts')] }
}
