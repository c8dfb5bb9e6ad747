// The CDK CLI as users run it, each step with a time limit.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { toolPath } from '../tools.ts'

const root = path.resolve(import.meta.dirname, '../..')
const STEP_MS = 180_000

export interface Deployment {
  /** Of the cloud assembly; there once `run` has synthesised it. */
  assembly: string
  /** Bootstraps and deploys everything. @param env where AWS is, and who asks */
  run(env: Record<string, string>, progress: (line: string) => void): Promise<void>
  /** Of all stacks, by their names. */
  outputs(): Promise<Record<string, string>>
}

/**
 * @param directory for the cloud assembly
 * @param config file
 */
export function cdkDeployment(directory: string, config: string, account: string): Deployment {
  const assembly = path.join(directory, 'cdk.out')
  const outputs = path.join(directory, 'outputs.json')
  const common = ['--no-notices', '--ci']

  async function cdk(env: Record<string, string>, ...args: string[]): Promise<void> {
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
    async run(env, progress) {
      await cdk(env, 'synth', '--quiet', '--output', assembly, '-c', `config=${config}`)
      await cdk(env, 'bootstrap', `aws://${account}/${env.AWS_REGION}`, '--app', assembly)
      progress('bootstrapped')
      // Of what was synthesised once: each synthesis takes as long as all of a deployment here.
      const approval = ['--require-approval', 'never', '--method', 'direct']
      await cdk(env, 'deploy', '--all', '--app', assembly, ...approval, '--outputs-file', outputs)
    },
    outputs: () => readOutputs(outputs),
  }
}

/** @param file that the CLI wrote */
export async function readOutputs(file: string): Promise<Record<string, string>> {
  const byStack = JSON.parse(await readFile(file, 'utf8')) as Record<string, Record<string, string>>
  return Object.assign({}, ...Object.values(byStack))
}
