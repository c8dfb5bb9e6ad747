// Schemathesis (https://schemathesis.readthedocs.io) calls every operation of docs/openapi.yaml on a registry: with the
// document's examples, at the edges of its schemas and beyond them, and with random values.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { cannedTrivy } from '../support/canned-trivy.ts'
import { startDockerHub } from '../support/docker-hub.ts'
import { startFakeScanner } from '../support/fake-scanner.ts'
import { ADMIN_PASSWORD, startServer } from '../support/server.ts'
import { findTool, toolPath } from '../tools.ts'
import type { Answered } from './reached.ts'
import { startRecordingProxy } from './recording-proxy.ts'
import { type Others, type Seeds, seed } from './seeds.ts'

const run = promisify(execFile)
const DOCUMENT = path.resolve(import.meta.dirname, '../../docs/openapi.yaml')

/** What is asked of every answer, besides its being no 5xx. */
export const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'unsupported_method',
  'allow_header_conformance',
]

/** Not asked, with the reason. */
export const NOT_CHECKED: Record<string, string> = {
  negative_data_rejection:
    'Harbor’s clients send fields and query parameters that nobody knows, and values of the wrong kind in fields that are not read; these are ignored',
  positive_data_acceptance:
    'rules that a schema cannot say (a password’s letters, a name that is taken) refuse what it allows',
  missing_required_header: 'one operation requires a header; test/api/exports.test.ts leaves it out',
  ignored_auth: 'the document lets everybody ask everything; who gets what is test/access’ matter',
  use_after_free: 'belongs to the stateful phase, for which the document would need links',
  ensure_resource_availability: 'the same',
  object_level_authorization: 'needs two callers; test/access tries every role on everything',
}

/**
 * Left for a run of their own at the end: with `read_only` or another `auth_mode` the others would be refused, and where
 * a schedule was dropped, its GET has no body (Terraform's provider takes that for "none"), which no schema can say.
 */
export const LAST = [
  'updateConfigurations',
  'createGCSchedule',
  'updateGCSchedule',
  'createScanAllSchedule',
  'updateScanAllSchedule',
]

/** Query parameters that Harbor's file does not say enough of. */
const QUERIES = { CopyArtifact: { 'query.from': 'port/app:v1' }, ListLabels: { 'query.scope': 'g' } }

/** In every image, so that there is something to export. */
const FOUND = { VulnerabilityID: 'CVE-2024-1', PkgName: 'zlib', InstalledVersion: '1.0', Severity: 'HIGH' }

const SEED = '20261128'

export interface Fuzzed {
  version: string
  /** Of both runs. */
  output: string
  passed: boolean
  answered: Answered[]
  seconds: number
}

/** @param examples random cases for each operation */
export async function fuzz(examples: number, spoiled?: string): Promise<Fuzzed> {
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-schemathesis-'))
  const other = await startServer()
  const hub = await startDockerHub({ origin: other.url, login: { name: 'captain', password: 'a token' } })
  const trivy = await cannedTrivy()
  await trivy.finds('port/app', [FOUND])
  const args = ['--upstream-private-networks', '127.0.0.0/8', ...trivy.args]
  const server = await startServer({ open: false, args })
  const scanner = await startFakeScanner()
  const seeds = await seed(server.url, { registry: other.url, scanner: scanner.url })
  const proxy = await startRecordingProxy(server.url, spoiled)
  const program = findTool('schemathesis')!
  const startedMs = performance.now()
  try {
    const config = path.join(directory, 'schemathesis.toml')
    await writeFile(config, configuration(seeds))
    const document = path.join(directory, 'openapi.yaml')
    await writeFile(
      document,
      withExamples(await readFile(DOCUMENT, 'utf8'), seeds, { registry: hub.url, scanner: scanner.url }),
    )
    const options = [
      ...['--config-file', config, 'run', document, '--url', `${proxy.url}/api/v2.0`],
      ...['--phases', 'examples,coverage,fuzzing', '--checks', CHECKS.join(',')],
      ...['--max-examples', String(examples), '--seed', SEED, '--generation-database', 'none'],
      ...['--workers', '1', '--no-color', '--continue-on-failure'],
    ]
    const each = (flag: string) => LAST.flatMap((id) => [flag, id])
    const runs = [
      await ran(program, [...options, ...each('--exclude-operation-id')], directory),
      await ran(program, [...options, ...each('--include-operation-id')], directory),
    ]
    return {
      version: (await run(program, ['--version'])).stdout.trim(),
      output: runs.map(({ output }) => output).join('\n'),
      passed: runs.every(({ code }) => code === 0),
      answered: proxy.answered,
      seconds: (performance.now() - startedMs) / 1000,
    }
  } finally {
    await proxy.close()
    await scanner.close()
    for (const each of [server, hub, other]) await each.stop()
    await trivy.close()
    await rm(directory, { recursive: true, force: true })
  }
}

/** The document whose examples name what is there: its registry and scanner are imitations, and numbers are those of the seeds. */
function withExamples(document: string, { own }: Seeds, { registry, scanner }: Others): string {
  return document
    .replaceAll('https://hub.docker.com', registry)
    .replaceAll('https://scanner.example.com', scanner)
    .replaceAll(/( +type: )docker-hub$/gm, '$1docker-registry')
    .replaceAll(/(dest_registry:\s+id: )\d+$/gm, `$1${own.getRegistry!.registry}`)
    .replaceAll(/( +policy_id: )\d+$/gm, `$1${own.getReplicationPolicy!.policy}`)
}

/** Schemathesis’ own file: who asks, and the path parameters of what was seeded. */
function configuration({ kept, own }: Seeds): string {
  const parameters = (values: Record<string, string | number>) =>
    Object.entries(values).map(
      ([name, value]) => `"${name.includes('.') ? name : `path.${name}`}" = ${JSON.stringify(value)}`,
    )
  return [
    '[auth.basic]',
    'username = "admin"',
    `password = ${JSON.stringify(ADMIN_PASSWORD)}`,
    '[parameters]',
    ...parameters(kept),
    ...Object.entries({ ...own, ...QUERIES }).flatMap(([id, values]) => [
      '[[operations]]',
      `include-operation-id = ${JSON.stringify(id)}`,
      `parameters = { ${parameters({ ...values }).join(', ')} }`,
    ]),
    '',
  ].join('\n')
}

async function ran(program: string, args: string[], cwd: string): Promise<{ code: number; output: string }> {
  const options = { cwd, env: { ...process.env, PATH: toolPath }, maxBuffer: 64 << 20 }
  try {
    return { code: 0, output: (await run(program, args, options)).stdout }
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout: string; stderr: string }
    return { code: typeof code === 'number' ? code : -1, output: `${stdout}${stderr}` }
  }
}
