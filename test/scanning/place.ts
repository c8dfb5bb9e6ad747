// A registry with login that has trivy's database and images to scan, and a home for the programs.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { type Harbor, harborOf } from '../api/management.ts'
import type { Image } from '../clients/image.ts'
import { ADMIN_PASSWORD, type Server, type ServerOptions, startServer } from '../support/server.ts'
import { buildDatabase, type Database, pushDatabase } from './database.ts'
import { type Kind, makeChart, makeScannable } from './images.ts'
import { AWAY, type Report, type TrivyRun, trivyCommand } from './trivy.ts'

export interface Place {
  directory: string
  server: Server
  admin: Harbor
  database: Database
  /** Where `database` is, for `--db-repository`. */
  databaseAt: string
  /** Runs a command; crane, oras and trivy are logged in as the administrator. @throws with its output */
  sh(command: string): Promise<string>
  /** Pushes an image as `library/KIND:v1`. */
  publish(kind: Kind): Promise<{ image: Image; reference: string }>
  /** Pushes a Helm chart. @returns its reference */
  publishChart(): Promise<string>
  trivy(run: TrivyRun): Promise<Report>
  close(): Promise<void>
}

/** @param options of the server, e.g. what scanning is told */
export async function openPlace(options: Partial<ServerOptions> = {}): Promise<Place> {
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-scanning-'))
  const server = await startServer({ open: false, ...options })
  const { host } = server
  const sh = async (command: string) => {
    const env = { ...process.env, ...AWAY, HOME: directory, DOCKER_CONFIG: path.join(directory, 'docker') }
    const limits = { cwd: directory, env, maxBuffer: 64 * 1024 * 1024, timeout: 120_000 }
    try {
      return (await promisify(execFile)('bash', ['--norc', '-euo', 'pipefail', '-c', command], limits)).stdout
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string }
      throw new Error(`${command}\n${stdout}${stderr}`)
    }
  }
  await sh(`crane auth login ${host} -u admin -p ${ADMIN_PASSWORD} --insecure`)
  const database = await buildDatabase(directory)
  const repository = `${host}/library/trivy-db`
  await pushDatabase(sh, database, repository)
  return {
    directory,
    server,
    admin: harborOf(server.url, 'admin'),
    database,
    databaseAt: `${repository}:2`,
    sh,
    publish: async (kind) => {
      const image = await makeScannable(directory, kind)
      const reference = `${host}/library/${kind}:v1`
      await sh(`crane push --insecure ${image.layout} ${reference}`)
      return { image, reference }
    },
    publishChart: async () => {
      const { config, archive } = await makeChart(directory)
      const reference = `${host}/library/chart:1.0.0`
      const type = 'application/vnd.cncf.helm'
      await sh(
        `oras push --plain-http --config ${config}:${type}.config.v1+json ${reference} ${archive}:${type}.chart.content.v1.tar+gzip`,
      )
      return reference
    },
    trivy: async (run) => JSON.parse(await sh(trivyCommand(run))) as Report,
    close: async () => {
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
