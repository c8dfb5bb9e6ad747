// The CDK CLI as users run it, each step with a time limit.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { toolPath } from '../tools.ts'

const root = path.resolve(import.meta.dirname, '../..')
const STEP_MS = 180_000

export interface Cli {
  /** Of the cloud assembly. */
  assembly: string
  synth(): Promise<void>
  bootstrap(): Promise<void>
  /** @param stacks their short names */
  deploy(...stacks: string[]): Promise<void>
  /** Of all stacks deployed so far, by their names. */
  outputs(): Promise<Record<string, string>>
}

/**
 * @param directory for the cloud assembly
 * @param config file
 */
export function cdk(directory: string, config: string, env: Record<string, string>, account: string): Cli {
  const assembly = path.join(directory, 'cdk.out')
  const outputs = path.join(directory, 'outputs.json')
  const common = ['--no-notices', '--ci']

  async function run(...args: string[]): Promise<void> {
    const cli = path.join(root, 'node_modules/aws-cdk/bin/cdk')
    try {
      await promisify(execFile)(process.execPath, [cli, ...args, ...common], {
        cwd: root,
        timeout: STEP_MS,
        maxBuffer: 64 * 2 ** 20,
        env: { ...process.env, PATH: `${path.dirname(process.execPath)}:${toolPath}`, ...env },
      })
    } catch (error) {
      const { stdout, stderr, killed } = error as { stdout: string; stderr: string; killed: boolean }
      const why = killed ? `not done after ${STEP_MS / 1000} s` : 'failed'
      throw new Error(`cdk ${args.join(' ')}: ${why}\n${`${stdout}\n${stderr}`.slice(-6000)}`)
    }
  }
  return {
    assembly,
    synth: () => run('synth', '--quiet', '--output', assembly, '-c', `config=${config}`),
    bootstrap: () => run('bootstrap', `aws://${account}/${env.AWS_REGION}`, '--app', assembly),
    // Of what was synthesised once: each synthesis takes as long as all of a deployment here.
    deploy: (...stacks) =>
      run(
        'deploy',
        ...stacks.map((name) => `entrepot-${name}`),
        '--app',
        assembly,
        '--exclusively',
        '--require-approval',
        'never',
        '--method',
        'direct',
        '--outputs-file',
        outputs,
      ),
    outputs: async () => {
      const byStack = JSON.parse(await readFile(outputs, 'utf8')) as Record<string, Record<string, string>>
      return Object.assign({}, ...Object.values(byStack))
    },
  }
}
