// entrepot: looks after a registry. Talks to the running one, or opens the data itself when none runs.
import { createReadStream, existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { ConfigError, readConfig } from '../lib/config/config.ts'
import { CONFIG_USAGE, configCommand } from '../lib/config/config-command.ts'
import type { Config } from '../lib/config/schema.ts'
import { DOCTOR_USAGE, doctor } from '../lib/doctor/doctor-command.ts'
import { PREFLIGHT_USAGE, preflightCommand } from '../lib/preflight/preflight-command.ts'
import { callControl, runOperation } from '../lib/server/control.ts'
import { logFile } from '../lib/server/log.ts'
import { UsageError } from '../lib/server/operation.ts'
import { OPERATIONS } from '../lib/server/operations.ts'
import { readText, takeOwnOptions, writeLines } from '../lib/server/own-options.ts'
import { ownProcess } from '../lib/server/own-process.ts'
import { keepSecrets } from '../lib/server/secrets-file.ts'
import { EXIT_CODES, StartupError } from '../lib/server/startup-error.ts'
import { openStores } from '../lib/shapes/open-stores.ts'

const print = (line: string) => console.log(line)

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(`entrepot: ${(error as Error).message}`)
  process.exitCode =
    error instanceof StartupError
      ? error.exitCode
      : error instanceof ConfigError || error instanceof UsageError
        ? EXIT_CODES.usage
        : 1
}

async function main(args: string[]): Promise<number> {
  if (args[0] === 'doctor' && args[1] !== 'restore') return doctor(args.slice(1), print)
  if (args[0] === 'config') return configCommand(args.slice(1), print)
  if (args[0] === 'preflight') return preflightCommand(args.slice(1), print)
  const { rest, dataDir, config } = readDirectory(args)
  if (rest[0] === 'logs') return showLogs(dataDir, rest.slice(1))
  const words = OPERATIONS[rest.slice(0, 2).join(' ')] ? 2 : 1
  const operation = rest.slice(0, words).join(' ')
  if (!OPERATIONS[operation]) return help(operation)
  const given = rest.slice(words)
  if (OPERATIONS[operation].takesFile && given[0]) given[0] = readText(given[0])
  const { operands, toFile, secretsFile } = await takeOwnOptions(given, process.stdin, config.externalUrl)
  const lines: string[] = []
  const toLines = toFile === undefined ? print : (line: string) => lines.push(line)
  const kept = secretsFile === undefined ? undefined : keepSecrets(secretsFile, toLines)
  const code = await runAnywhere(config, operation, operands, kept?.show ?? toLines)
  kept?.close(print)
  if (toFile !== undefined && code === 0) {
    writeLines(toFile, lines)
    print(`wrote ${toFile}`)
  } else for (const line of lines) print(line)
  return code
}

/** In the registry that is running, or on its stores when none is. */
async function runAnywhere(
  config: Config,
  operation: string,
  operands: string[],
  show: (line: string) => void,
): Promise<number> {
  const principal = `local:${userInfo().username}`
  if (config.stores === 'local') {
    const running = await callControl(config.data, { operation, args: operands, principal }, show)
    if (running !== undefined) return running
  }
  const stores = await openStores(config)
  try {
    return await runOperation(stores, ownProcess(config, stores), operation, operands, principal, show)
  } finally {
    await stores.close()
  }
}

/** Takes `--data` and `--config` out, wherever they stand. */
function readDirectory(args: string[]) {
  const own: string[] = []
  const rest: string[] = []
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!
    if (arg === '--data' || arg === '--config') own.push(arg, args[++at] ?? '')
    else if (arg.startsWith('--data=') || arg.startsWith('--config=')) own.push(arg)
    else rest.push(arg)
  }
  const config = readConfig(own, process.env)
  return { rest, dataDir: config.data, config }
}

function help(asked: string): number {
  const lines = Object.values(OPERATIONS).map(({ usage, what }) => `  ${usage.padEnd(46)} ${what}`)
  const logs = `  ${'logs [--component NAME] [--request ID]'.padEnd(46)} print the log, as JSON lines`
  const doctors = `  ${DOCTOR_USAGE.padEnd(46)} look at a registry as its clients do`
  const before = `  ${PREFLIGHT_USAGE.padEnd(46)} look, before cdk deploy, at what would make it fail`
  const harbor = `  ${CONFIG_USAGE.padEnd(46)} print the configuration that comes nearest to a Harbor's`
  const text = `entrepot COMMAND [--data DIR]\n\n${[...lines, logs, doctors, before, harbor].join('\n')}`
  if (asked === '' || asked === 'help' || asked === '--help') {
    print(text)
    return 0
  }
  console.error(`entrepot: unknown command ${asked}\n\n${text}`)
  return EXIT_CODES.usage
}

async function showLogs(dataDir: string, args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { component: { type: 'string' }, request: { type: 'string' } },
  })
  const file = logFile(dataDir)
  if (!existsSync(file)) throw new Error(`there is no log at ${file}`)
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const entry = JSON.parse(line) as { component?: string; requestId?: string }
    if (values.component !== undefined && entry.component !== values.component) continue
    if (values.request !== undefined && entry.requestId !== values.request) continue
    print(line)
  }
  return 0
}
