// The templates by AWS's own linter: types, properties, references, regions.
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { findTool, toolPath } from '../tools.ts'

const run = promisify(execFile)
const root = path.resolve(import.meta.dirname, '../..')

/** Not ours: CDK writes dependencies that a reference already is (W3005), and outputs by import (W6001). */
const IGNORED = ['W3005', 'W6001']

const domain = {
  name: 'registry.example',
  certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/00000000-0000-0000-0000-000000000000',
}

test.each([
  ['by default', {}],
  ['without ingest', { ingest: 'off' }],
  ['behind a load balancer', { frontDoor: 'alb', domain }],
  ['with private networking and a domain', { privateNetworking: true, domain }],
])(
  'cfn-lint finds nothing in the templates %s',
  async (_, cloud) => {
    const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-lint-'))
    try {
      const config = path.join(directory, 'entrepot.yaml')
      await writeFile(config, JSON.stringify({ cloud: { image: 'entrepot', ...cloud } }))
      const cdk = path.join(root, 'node_modules/aws-cdk/bin/cdk')
      const out = path.join(directory, 'out')
      await run(process.execPath, [cdk, 'synth', '--quiet', '--output', out, '-c', `config=${config}`], {
        cwd: root,
        env: { ...process.env, PATH: `${path.dirname(process.execPath)}:${toolPath}` },
      })
      const templates = (await readdir(out)).filter((name) => name.endsWith('.template.json'))
      expect(templates.length).toBeGreaterThan(4)
      const files = templates.map((name) => path.join(out, name))
      const linted = await run(findTool('cfn-lint')!, ['--ignore-checks', ...IGNORED, '--', ...files]).catch(
        (error: { stdout: string; stderr: string }) => error,
      )
      expect(linted.stdout + linted.stderr).toBe('')
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  },
  120_000,
)
