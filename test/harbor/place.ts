// A registry with login behind a listening proxy, a home of its own for one of Harbor's clients, and how to run that.
import { execFile } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { startNamedDockerHub } from '../support/docker-hub-by-name.ts'
import { type DockerRegistry, startDockerRegistry } from '../support/docker-registry.ts'
import { ADMIN_PASSWORD, startServer } from '../support/server.ts'
import { toolPath } from '../tools.ts'
import { asHarbor, type Harbor } from './as-harbor.ts'
import { startListeningProxy } from './listening-proxy.ts'

const run = promisify(execFile)

export interface Ran {
  code: number
  /** All it printed. */
  output: string
  /** Without what it had to complain about. */
  stdout: string
}

export interface Place {
  directory: string
  /** What the clients are told: the proxy's URL. */
  url: string
  password: string
  /** The second program: plain HTTP as the administrator. */
  harbor: Harbor
  /** What is behind the Docker Hub that the registry finds under its own names. */
  origin: DockerRegistry
  /** Runs a client, whatever it says. */
  run(program: string, args: string[], env?: Record<string, string>): Promise<Ran>
  /** Runs a client that must succeed. @returns what it answered. @throws with all that it printed */
  succeed(program: string, args: string[], env?: Record<string, string>): Promise<string>
  /** What no client of Harbor's would have been told by a Harbor. */
  breaches: Set<string>
  close(): Promise<void>
}

/** Starts a registry and whatever one client needs around it. */
export async function openPlace(): Promise<Place> {
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-harbor-'))
  const home = path.join(directory, 'home')
  await mkdir(home, { recursive: true })
  const origin = await startDockerRegistry()
  const dockerHub = await startNamedDockerHub(origin.url)
  const { env: known, preload } = dockerHub.server
  const server = await startServer({ open: false, env: known, preload: [...preload, ...sabotage()] })
  const proxy = await startListeningProxy(server.url)
  const kept = Object.entries(process.env).filter(([name]) => !/^(XDG|DBUS|TF|HARBOR|.*_proxy)/i.test(name))
  const env = { ...Object.fromEntries(kept), PATH: toolPath, HOME: home, NO_COLOR: '1' }
  const place: Place = {
    directory,
    url: proxy.url,
    password: ADMIN_PASSWORD,
    harbor: asHarbor(server.url, { user: 'admin', password: ADMIN_PASSWORD }),
    run: async (program, args, more = {}) => {
      const options = { cwd: directory, env: { ...env, ...more }, maxBuffer: 64 << 20, timeout: 600_000 }
      const ended = (ran: Ran) => {
        writeDown(directory, program, args, ran)
        return ran
      }
      try {
        // A client that asks back gets no answer.
        const started = run(program, args, options)
        started.child.stdin?.end()
        const { stdout, stderr } = await started
        return ended({ code: 0, output: stdout + stderr, stdout })
      } catch (error) {
        const { code, stdout, stderr } = error as { code?: unknown; stdout: string; stderr: string }
        return ended({ code: typeof code === 'number' ? code : -1, output: stdout + stderr, stdout })
      }
    },
    succeed: async (program, args, more) => {
      const { code, output, stdout } = await place.run(program, args, more)
      if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${output}`)
      return stdout
    },
    origin,
    breaches: proxy.breaches,
    close: async () => {
      await proxy.close()
      await server.stop()
      await dockerHub.stop()
      await origin.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
  return place
}

/** Every sabotage of the product itself is loaded before it. */
function sabotage(): string[] {
  return process.env.SABOTAGE === 'any-holder' ? [path.join(import.meta.dirname, 'any-holder.ts')] : []
}

/** The evidence shows what was said to a client, and how it ended. */
function writeDown(directory: string, program: string, args: string[], { code }: Ran): void {
  const file = process.env.HARBOR_TRANSCRIPT
  if (!file) return
  const said = args.map((arg) => (/^[\w@./:=%+-]+$/.test(arg) ? arg : `'${arg}'`)).join(' ')
  const steady = said
    .replaceAll(`${directory}/`, '')
    .replaceAll(/127\.0\.0\.1:\d+/g, 'HOST')
    .replaceAll(/-chdir=\S+ /g, '')
    .replace(/-p \w{32}$/, '-p SECRET')
  appendFileSync(file, `${JSON.stringify({ program: path.basename(program), said: steady, code })}\n`)
}
