// docs/operations/deploy.md as a newcomer follows it: a fresh copy, its commands one after another, a real docker.
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDocker } from '../clients/docker-daemon.ts'
import { openWorkplace, type Workplace } from '../clients/workplace.ts'
import { toolPath } from '../tools.ts'
import { readOutputs } from './cli.ts'
import { ACCOUNT } from './cloud.ts'
import { shareTwin } from './shared.ts'
import { startTwin, type Twin } from './twin.ts'

const run = promisify(execFile)
const root = path.resolve(import.meta.dirname, '../..')
const BLOCK_MS = 240_000
/** What is made here, and not checked out. */
const NOT_IN_A_CLONE = new Set([
  '.git',
  'node_modules',
  'tools/bin',
  'tools/cache',
  'reports',
  'cdk.out',
  'data',
  'entrepot.yaml',
])

let clone: string
let twin: Twin
let at: Workplace
let blocks: string[]
const printed: string[] = []

/** @param env what the guide has its reader set */
async function follow(block: string, env: Record<string, string>): Promise<void> {
  const options = {
    cwd: clone,
    env: { ...process.env, PATH: toolPath, ...env },
    maxBuffer: 64 * 2 ** 20,
    timeout: BLOCK_MS,
  }
  try {
    const { stdout, stderr } = await run('bash', ['--norc', '-euo', 'pipefail', '-c', block], options)
    printed.push(stdout + stderr)
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${block}\n${`${stdout}${stderr}`.slice(-4000)}`)
  }
}

beforeAll(async () => {
  clone = await mkdtemp(path.join(tmpdir(), 'entrepot-guide-'))
  await cp(root, clone, { recursive: true, filter: (file) => !NOT_IN_A_CLONE.has(path.relative(root, file)) })
  const guide = await readFile(path.join(clone, 'docs/operations/deploy.md'), 'utf8')
  blocks = [...guide.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block]) => block!)
  const last = blocks.findIndex((block) => block.includes('deploy --all'))
  // What the guide leaves to the reader: there is no builder of images for the deployment here.
  const config = { cloud: { image: 'entrepot', keep: false } }
  await writeFile(path.join(clone, 'entrepot.yaml'), JSON.stringify(config))
  twin = await startTwin({
    deployment: {
      assembly: path.join(clone, 'cdk.out'),
      run: async (env) => {
        for (const block of blocks.splice(0, last + 1)) await follow(block, { ...env, ACCOUNT })
      },
      outputs: () => readOutputs(path.join(clone, 'cdk.out/outputs.json')),
    },
  })
  shareTwin(twin)
  at = await openWorkplace()
}, 480_000)
afterAll(async () => {
  await at?.close()
  await twin?.stop()
  await rm(clone, { recursive: true, force: true })
})

test('every command of the guide works in its order, from nothing to a pull and the doctor', async () => {
  const { DOCKER_HOST, DOCKER_CONFIG } = await startDocker(at)
  const env = {
    ...twin.cloud.deployEnv,
    ACCOUNT,
    REGISTRY: twin.host,
    PASSWORD: twin.adminPassword,
    NODE_EXTRA_CA_CERTS: twin.authority,
    DOCKER_HOST,
    DOCKER_CONFIG,
  }
  for (const block of blocks) await follow(block, env)
  const all = printed.join('\n')
  for (const said of [
    'bootstrapped',
    'entrepot-edge.DirectUploads = on',
    'Login Succeeded',
    'digest: sha256:',
  ])
    expect(all).toContain(said)
  expect(all).not.toContain('FAIL')
}, 300_000)

test('the guide has at most 2,000 words', async () => {
  const guide = await readFile(path.join(root, 'docs/operations/deploy.md'), 'utf8')
  expect(guide.split(/\s+/).length).toBeLessThanOrEqual(2000)
})
