// The conformance suite of distribution-spec v1.1.1 (see suite.ts for how to get it).
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../support/server.ts'
import { startCorruptingProxy } from './corrupting-proxy.ts'
import { unexplained, V1_SKIPS } from './skips.ts'
import { runV1 } from './suite.ts'

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
  test(`the v1.1.1 suite passes ${mode}, and skips nothing but the branches that are not ours`, async () => {
    const { run, failed, skipped } = await runV1(urls[index]!, index === 1)
    expect(failed).toEqual([])
    expect(unexplained(skipped, V1_SKIPS)).toEqual([])
    expect(run).toBeGreaterThanOrEqual(75)
  })
