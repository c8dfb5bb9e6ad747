// The rewritten conformance suite on the specification's main branch (see suite.ts for how to get it).
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { startCorruptingProxy } from './corrupting-proxy.ts'
import { MAIN_SKIPS, unexplained } from './skips.ts'
import { runMain } from './suite.ts'

const servers: Server[] = []
const hosts: { host: string }[] = []

beforeAll(async () => {
  for (const open of [true, false]) {
    const server = await startServer({ open })
    servers.push(server)
    hosts.push(process.env.SABOTAGE === 'conformance' ? await startCorruptingProxy(server.url) : server)
  }
})
afterAll(async () => {
  for (const server of servers) await server.stop()
})

for (const version of ['1.1', 'dev'])
  for (const [index, mode] of ['without login', 'with login'].entries())
    test(`the suite of main passes for version ${version} ${mode}, and skips only what is optional`, async () => {
      const { run, failed, skipped } = await runMain(
        hosts[index]!.host,
        version,
        index === 1 ? ADMIN_PASSWORD : undefined,
      )
      expect(failed).toEqual([])
      expect(unexplained(skipped, MAIN_SKIPS)).toEqual([])
      expect(run).toBeGreaterThan(700)
    })
