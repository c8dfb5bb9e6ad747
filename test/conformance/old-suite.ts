// The conformance suite of distribution-spec as it was up to v1.1.1, against a registry with and without login.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { startCorruptingProxy } from './corrupting-proxy.ts'
import { OLD_SKIPS, unexplained } from './skips.ts'
import { type OldProgram, runOld } from './suite.ts'

export function oldSuite(program: OldProgram): void {
  const servers: Server[] = []
  const urls: string[] = []

  beforeAll(async () => {
    for (const open of [true, false]) {
      const server = await startServer({ open })
      servers.push(server)
      urls.push(
        process.env.SABOTAGE === 'conformance' ? (await startCorruptingProxy(server.url)).url : server.url,
      )
    }
  })
  afterAll(async () => {
    for (const server of servers) await server.stop()
  })

  for (const [index, mode] of ['without login', 'with login'].entries())
    test(`the suite passes ${mode}, and skips nothing but the branches that are not ours`, async () => {
      const { run, failed, skipped } = await runOld(
        program,
        urls[index]!,
        index === 1 ? ADMIN_PASSWORD : undefined,
      )
      expect(failed).toEqual([])
      expect(unexplained(skipped, OLD_SKIPS)).toEqual([])
      expect(run).toBeGreaterThanOrEqual(75)
    })
}
