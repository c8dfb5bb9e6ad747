// npm run cost: what a month in the cloud costs.
import { ConfigError } from '../lib/config/config.ts'
import { costCommand } from '../lib/cost/cost-command.ts'
import { EXIT_CODES } from '../lib/server/startup-error.ts'

try {
  costCommand(process.argv.slice(2), console.log)
} catch (error) {
  console.error(`cost: ${(error as Error).message}`)
  process.exitCode = error instanceof ConfigError ? EXIT_CODES.usage : 1
}
