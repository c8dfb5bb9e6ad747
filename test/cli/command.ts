// Runs `entrepot` and `npm start` as people do.
import { execFile } from 'node:child_process'
import path from 'node:path'
import { toolPath } from '../tools.ts'

const root = path.resolve(import.meta.dirname, '../..')

export interface Ended {
  code: number
  stdout: string
  stderr: string
}

function run(program: string, args: string[], env: Record<string, string> = {}, cwd = root): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, ...env }, timeout: 60_000 }
    const child = execFile(
      process.execPath,
      [path.join(root, program), ...args],
      options,
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

export const entrepot = (args: string[], env?: Record<string, string>) => run('bin/entrepot.ts', args, env)
export const start = (args: string[], env?: Record<string, string>) => run('bin/local.ts', args, env)

/** A script of a shell, with only these variables beside PATH. */
export function bash(script: string, env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: root, env: { PATH: toolPath, ...env }, timeout: 300_000 }
    const child = execFile(
      'bash',
      ['--norc', '-euo', 'pipefail', '-c', script],
      options,
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}
