// A registry with login behind a counting proxy, a temporary home for one client, and how to run that client.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { ADMIN_PASSWORD, startServer } from '../support/server.ts'
import { toolPath } from '../tools.ts'
import { startCountingProxy } from './counting-proxy.ts'
import { type Image, type ImageOptions, makeImage } from './image.ts'
import { loginFor } from './login.ts'

const run = promisify(execFile)

export interface Workplace {
  directory: string
  registry: ReachableRegistry
  /** `HOST:PORT`, as image references need it. */
  host: string
  image(name: string, options: ImageOptions): Promise<Image>
  /** Runs a client in its own home. @returns what it printed. @throws with its output */
  sh(command: string, env?: Record<string, string>): Promise<string>
  /** Starts a daemon; it is killed at the end. */
  daemon(command: string[], ready: () => Promise<unknown>): Promise<void>
  /** Media type and digest of what a tag or digest leads to, asked with plain HTTP. */
  manifest(repository: string, reference: string): Promise<{ digest: string; body: Manifest }>
  referrers(repository: string, digest: string): Promise<{ digest: string; artifactType?: string }[]>
  close(): Promise<void>
}

interface ReachableRegistry {
  url: string
  host: string
  password: string
  tls: boolean
  /** Body bytes of requests to upload paths, as they left the clients. */
  readonly blobBytes: number
  /** For the clients. */
  env: Record<string, string>
  close(): Promise<void>
}

interface Manifest {
  mediaType: string
  config?: { digest: string; mediaType: string; size: number }
  layers?: { digest: string; mediaType: string; size: number; annotations?: Record<string, string> }[]
  manifests?: { digest: string }[]
}

const READY_TRIES = 600

export async function openWorkplace(options: { tls?: boolean } = {}): Promise<Workplace> {
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-client-'))
  const home = path.join(directory, 'home')
  await mkdir(home, { recursive: true })
  const registry =
    process.env.TEST_STORES === 'twin'
      ? await onTwin(directory)
      : await onServer(directory, options.tls ?? false)
  const daemons: ChildProcess[] = []
  const login = await loginFor(registry.url, registry.password)
  const env = {
    ...process.env,
    PATH: toolPath,
    HOME: home,
    XDG_CONFIG_HOME: path.join(home, 'config'),
    XDG_DATA_HOME: path.join(home, 'data'),
    XDG_RUNTIME_DIR: home,
    REGISTRY_AUTH_FILE: path.join(home, 'auth.json'),
    DOCKER_CONFIG: path.join(home, 'docker'),
    LOGIN: login.name,
    PASSWORD: login.password,
    ...registry.env,
  }
  const authorization = `Basic ${Buffer.from(`admin:${registry.password}`).toString('base64')}`
  const get = async (url: string) => {
    const accept = '*/*'
    const answer = await fetch(`${registry.url}${url}`, { headers: { authorization, accept } })
    if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
    return answer
  }
  return {
    directory,
    registry,
    host: registry.host,
    image: (name, wanted) => makeImage(path.join(directory, name), wanted),
    sh: async (command, more = {}) => {
      const options = {
        cwd: directory,
        env: { ...env, ...more },
        maxBuffer: 64 * 1024 * 1024,
        timeout: 300_000,
      }
      try {
        const said = registry.tls ? withTls(command) : command
        const { stdout, stderr } = await run('bash', ['--norc', '-euo', 'pipefail', '-c', said], options)
        return stdout + stderr
      } catch (error) {
        const { stdout, stderr } = error as { stdout: string; stderr: string }
        throw new Error(`${command}\n${stdout}${stderr}`)
      }
    },
    daemon: async ([program, ...args], ready) => {
      const child = spawn(program!, args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] })
      daemons.push(child)
      let output = ''
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => {
          output = (output + chunk.toString()).slice(-4000)
        })
      await until(ready, child, () => output)
    },
    manifest: async (repository, reference) => {
      const answer = await get(`/v2/${repository}/manifests/${reference}`)
      return {
        digest: answer.headers.get('docker-content-digest') ?? '',
        body: (await answer.json()) as Manifest,
      }
    },
    referrers: async (repository, digest) => {
      const answer = (await (await get(`/v2/${repository}/referrers/${digest}`)).json()) as {
        manifests: { digest: string; artifactType?: string }[]
      }
      return answer.manifests
    },
    close: async () => {
      for (const child of daemons.reverse()) await ended(child)
      await registry.close()
      // Engines leave bind mounts in their state directories.
      await run('bash', [
        '-c',
        `grep -o '${directory}[^ ]*' /proc/mounts | sort -ur | xargs -r umount -l || true`,
      ])
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function onServer(directory: string, tls: boolean): Promise<ReachableRegistry> {
  const args = tls ? ['--host', ownAddress(), ...(await makeCertificates(directory))] : []
  const server = await startServer({ open: false, args })
  const proxy = await startCountingProxy(server.url)
  return {
    url: server.url,
    host: tls ? server.host : proxy.host,
    password: ADMIN_PASSWORD,
    // Clients are told by the test itself.
    tls: false,
    get blobBytes() {
      return proxy.blobBytes
    },
    env: {},
    close: async () => {
      await proxy.close()
      await server.stop()
    },
  }
}

async function onTwin(directory: string): Promise<ReachableRegistry> {
  const { sharedTwin } = await import('../twin/shared.ts')
  const twin = await sharedTwin()
  const hosts = path.join(directory, 'hosts')
  await mkdir(path.join(hosts, twin.host), { recursive: true })
  await writeFile(
    path.join(hosts, twin.host, 'hosts.toml'),
    `server = "${twin.url}"\n[host."${twin.url}"]\n  ca = "${twin.authority}"\n`,
  )
  return {
    url: twin.url,
    host: twin.host,
    password: twin.adminPassword,
    tls: true,
    get blobBytes() {
      return twin.edge.uploadBytes
    },
    env: { SSL_CERT_FILE: twin.authority, HOSTS_DIR: hosts },
    close: async () => {},
  }
}

/** The tests' clients are told that a registry on loopback has no TLS; the twin has it, as AWS has. */
function withTls(command: string): string {
  // containerd takes loopback for plain HTTP until a file says otherwise.
  const plain = command.startsWith('ctr') ? ' --hosts-dir $HOSTS_DIR' : ''
  return command
    .replaceAll(/ --(from-|to-)?plain-http/g, plain)
    .replaceAll(' --insecure-registry -u', ' -u')
    .replace('--tls disabled', '--tls enabled')
    .replaceAll(' --allow-http-registry', '')
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await exit
  clearTimeout(force)
}

async function until(
  ready: () => Promise<unknown>,
  child: ChildProcess,
  output: () => string,
): Promise<void> {
  for (let attempt = 0; attempt < READY_TRIES; attempt++) {
    if (child.exitCode !== null) throw new Error(`the daemon ended with ${child.exitCode}: ${output()}`)
    try {
      await ready()
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  throw new Error(`the daemon did not get ready: ${output()}`)
}

/** An address of this machine that is not loopback, where it has one. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1'
}

/** A private certificate authority and a certificate for loopback, by openssl. */
async function makeCertificates(directory: string): Promise<string[]> {
  const script = `
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout ca.key -out ca.crt -subj /CN=test-ca
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -out tls.csr -subj /CN=localhost
    printf 'subjectAltName=IP:127.0.0.1,IP:${ownAddress()}' > san
    openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile san -out tls.crt`
  await run('bash', ['-ec', script], { cwd: directory })
  await writeFile(path.join(directory, 'san'), '')
  return ['--tls-cert', path.join(directory, 'tls.crt'), '--tls-key', path.join(directory, 'tls.key')]
}

/** With the sabotage switch on, no digest is what it should be. */
export function expected(digest: string): string {
  return process.env.SABOTAGE === 'clients-digest'
    ? digest.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
    : digest
}
