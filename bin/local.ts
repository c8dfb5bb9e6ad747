// npm start: the registry on this machine, with files and SQLite.
import { ConfigError, describeConfig, readConfig } from '../lib/config/config.ts'
import { startServer } from '../lib/server/server.ts'
import { EXIT_CODES, StartupError } from '../lib/server/startup-error.ts'
import { openStores } from '../lib/shapes/open-stores.ts'

const args = process.argv.slice(2)
if (args.includes('--help') || args.includes('-h')) {
  console.log(
    `npm start -- [flags]\n\n${describeConfig().join('\n')}\n  --config             YAML or JSON file with the same keys`,
  )
  process.exit(0)
}

try {
  const config = readConfig(args, process.env)
  const server = await startServer(config, await openStores(config))
  stopOnSignal(server)
  const host = server.url.replace(/^https?:\/\//, '')
  const login = config.open ? '' : `  docker login ${host} -u admin\n`
  console.log(`Entrepôt is listening on ${server.url}`)
  if (server.adminPassword) console.log(`The password of user admin, shown only now: ${server.adminPassword}`)
  console.log(
    `Try:\n${login}  docker tag alpine ${host}/library/alpine && docker push ${host}/library/alpine\n` +
      `  docker pull ${host}/library/alpine${config.open ? `\n  curl ${server.url}/v2/_catalog` : ''}`,
  )
} catch (error) {
  if (!(error instanceof StartupError || error instanceof ConfigError)) throw error
  console.error(`entrepot: ${error.message}`)
  process.exit(error instanceof StartupError ? error.exitCode : EXIT_CODES.usage)
}

function stopOnSignal(server: Awaited<ReturnType<typeof startServer>>): void {
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    server.stop().then(
      () => process.exit(0),
      (error) => {
        console.error(`entrepot: stopping failed: ${(error as Error).message}`)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('SIGHUP', () => {
    try {
      server.reloadTls()
    } catch (error) {
      console.error(`entrepot: ${(error as Error).message}; the old certificate stays`)
    }
  })
}
