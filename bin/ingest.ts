// The registry's tasks in the cloud: the whole HTTP core over S3 and DynamoDB. Configured by ENTREPOT_* variables alone.
import { protectWhileBusy } from '../lib/aws/task-protection.ts'
import { ConfigError, readConfig } from '../lib/config/config.ts'
import { trustExtraAuthorities } from '../lib/config/trust.ts'
import { startServer } from '../lib/server/server.ts'
import { EXIT_CODES, StartupError } from '../lib/server/startup-error.ts'
import { openStores } from '../lib/shapes/open-stores.ts'

try {
  trustExtraAuthorities(process.env)
  const config = readConfig(['--stores', 'aws', '--log-to', 'stdout'], process.env)
  const server = await startServer(config, await openStores(config))
  const unprotect = protectWhileBusy(() => server.busy, process.env.ECS_AGENT_URI)
  console.log(`Entrepôt ingest is listening on ${server.url}`)
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      unprotect()
      void server.stop().then(() => process.exit(0))
    })
} catch (error) {
  if (!(error instanceof StartupError || error instanceof ConfigError)) throw error
  console.error(`entrepot: ${error.message}`)
  process.exit(error instanceof StartupError ? error.exitCode : EXIT_CODES.usage)
}
