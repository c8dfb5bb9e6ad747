// entrepot preflight: a line per check with what to do, and an exit code for scripts.
import { execFile } from 'node:child_process'
import { parseArgs } from 'node:util'
import { readDeployment } from '../config/deployment.ts'
import { openClients } from './clients.ts'
import { lineOf } from './finding.ts'
import { preflight } from './preflight.ts'

export const PREFLIGHT_USAGE = 'preflight [--config FILE] [--json]'

const RUN_TIMEOUT_MS = 20_000

/**
 * @returns 0 when a deployment should go through, 1 otherwise
 * @throws ConfigError about the configuration, Error about its arguments
 */
export async function preflightCommand(args: string[], print: (line: string) => void): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { config: { type: 'string' }, json: { type: 'boolean', default: false } },
  })
  const { cloud } = readDeployment(values.config)
  const surroundings = {
    clients: await openClients(),
    run,
    node: process.versions.node,
    builder: process.env.CDK_DOCKER,
  }
  const checks = await preflight(cloud, surroundings, (finding) => {
    if (!values.json) print(lineOf(finding))
  })
  const ready = checks.every(({ status }) => status === 'ok' || status === 'warn')
  if (values.json) print(JSON.stringify({ ready, checks }, undefined, 2))
  return ready ? 0 : 1
}

function run(program: string, ...args: string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: RUN_TIMEOUT_MS }, (error, stdout) =>
      resolve(error ? undefined : stdout),
    )
  })
}
