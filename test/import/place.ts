// An Entrepôt that imports, and the commands people run for it.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { type Harbor, harborOf } from '../api/management.ts'
import { type Ended, entrepot } from '../cli/command.ts'
import { ADMIN_PASSWORD, type Server, startServer, storesEnvironment } from '../support/server.ts'
import { toolPath } from '../tools.ts'

export interface Place {
  directory: string
  server: Server
  admin: Harbor
  /** `entrepot …` on this registry. */
  run(...args: string[]): Promise<Ended>
  /** `entrepot import harbor URL` as the administrator there. */
  bring(url: string, ...options: string[]): Promise<Ended>
  sh(command: string): Promise<string>
  close(): Promise<void>
}

const PRIVATE = ['--upstream-private-networks', '127.0.0.0/8,::1']

/** @param args of the server; by default it may reach this machine */
export async function openPlace(args: string[] = PRIVATE): Promise<Place> {
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-import-'))
  const dataDir = path.join(directory, 'data')
  const server = await startServer({ dataDir, open: false, args, preload: sabotaged() })
  // Without a control socket the command opens the stores itself: by what the server was told.
  const networks = args[1] ?? ''
  const env = {
    ...(await storesEnvironment(dataDir)),
    ENTREPOT_UPSTREAM_PRIVATE_NETWORKS: networks,
    ...(process.env.TEST_STORES === 'aws' ? { ENTREPOT_EXTERNAL_URL: server.url } : {}),
  }
  const password = path.join(directory, 'password')
  await writeFile(password, `${ADMIN_PASSWORD}\n`)
  const run = (...args: string[]) => entrepot([...args, '--data', dataDir], env)
  const login = ['--user', 'admin', '--password-file', password]
  return {
    directory,
    server,
    admin: harborOf(server.url, 'admin'),
    run,
    bring: (url, ...options) => run('import', 'harbor', url, ...login, ...options),
    sh: async (command) => {
      const env = { ...process.env, PATH: toolPath, HOME: directory, XDG_RUNTIME_DIR: directory }
      const { stdout } = await promisify(execFile)('bash', ['-euc', command], { cwd: directory, env })
      return stdout
    },
    close: async () => {
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function sabotaged(): string[] {
  return process.env.SABOTAGE === 'import-blind' ? [path.join(import.meta.dirname, 'blind.ts')] : []
}
