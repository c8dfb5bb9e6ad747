// Trivy's vulnerability database, built by trivy-db from advisories of our own, and pushed where trivy looks for it.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { packTar } from 'modern-tar'
import { toolPath } from '../tools.ts'
import { ADVISORIES, type Advisory } from './advisories.ts'
import { SOURCES, writeVulnList } from './vuln-list.ts'

/** Runs a command with the tools on its path. @returns what it printed. @throws with its output */
type Shell = (command: string) => Promise<string>

export interface Database {
  /** `trivy.db` and `metadata.json`: what trivy keeps below `CACHE_DIR/db`. */
  directory: string
  /** Both, as the layer of the artifact. */
  archive: string
}

export interface Metadata {
  Version: number
  UpdatedAt: string
  NextUpdate: string
}

interface DatabaseOptions {
  advisories?: Advisory[]
  /** Stand in its `metadata.json` instead of what trivy-db wrote: an old database, another schema. */
  metadata?: Partial<Metadata>
}

const MEDIA_TYPE = 'application/vnd.aquasec.trivy'

/** @param directory below which the database comes to lie, in a new folder */
export async function buildDatabase(
  directory: string,
  { advisories = known(), metadata = {} }: DatabaseOptions = {},
): Promise<Database> {
  await mkdir(directory, { recursive: true })
  const place = await mkdtemp(path.join(directory, 'trivy-db-'))
  const sources = path.join(place, 'sources')
  const output = path.join(place, 'db')
  await writeVulnList(sources, advisories)
  const only = SOURCES.flatMap((source) => ['--only-update', source])
  const args = ['build', '--cache-dir', sources, '--output-dir', output, ...only]
  // It asks `go` for the names of the standard library, which is quick with the cache of whoever runs the tests.
  await promisify(execFile)('trivy-db', args, { cwd: place, env: { ...process.env, PATH: toolPath } })
  await rm(sources, { recursive: true })
  const file = path.join(output, 'metadata.json')
  const written = JSON.parse(await readFile(file, 'utf8')) as Metadata
  await writeFile(file, JSON.stringify({ ...written, ...metadata }))
  const archive = path.join(place, 'db.tar.gz')
  const names = ['trivy.db', 'metadata.json']
  const entries = names.map(async (name) => {
    const body = await readFile(path.join(output, name))
    return { header: { name, size: body.length, type: 'file' as const }, body }
  })
  await writeFile(archive, gzipSync(await packTar(await Promise.all(entries))))
  return { directory: output, archive }
}

/** @param repository `HOST:PORT/PROJECT/NAME`, which `--db-repository` is given; oras is logged in there */
export async function pushDatabase(sh: Shell, { archive }: Database, repository: string): Promise<void> {
  const config = path.join(path.dirname(archive), 'config.json')
  await writeFile(config, '{}')
  await sh(`
    cd ${path.dirname(archive)}
    oras push --plain-http --config config.json:${MEDIA_TYPE}.config.v1+json ${repository}:2 \
      db.tar.gz:${MEDIA_TYPE}.db.layer.v1.tar+gzip`)
}

/** With the sabotage switch on, the database has forgotten its last advisory and the unfixed one. */
function known(): Advisory[] {
  if (process.env.SABOTAGE !== 'scanning-forgotten') return ADVISORIES
  return ADVISORIES.slice(0, -1).filter(({ fixed }) => fixed)
}
