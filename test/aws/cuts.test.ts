// Every call a push makes to a store is cut off, and the process is killed at it: what was acknowledged stays, and
// what was not verified is never linked.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { entrepot } from '../cli/command.ts'
import { type Server, startServer, storesEnvironment } from '../support/server.ts'
import { type StoreProxy, startStoreProxy } from '../support/store-proxy.ts'
import { LIE } from './fault-kinds.ts'
import { findLies, type PushedImage, pushImage } from './pusher.ts'

/** Enough for two parts. */
const LARGE_BYTES = 15_000_000
/** Calls are cut in steps of so many, from a start that moves with each run; 1 cuts every single one. */
const STRIDE = Number(process.env.CUT_STRIDE ?? 1)

let data: string
let env: Record<string, string>
let proxies: StoreProxy[]
let server: Server
const pushed: PushedImage[] = []
let made = 0

beforeAll(async () => {
  data = await mkdtemp(path.join(tmpdir(), 'entrepot-cuts-'))
  process.env.TEST_STORES = 'aws'
  const direct = await storesEnvironment(data)
  proxies = [
    await startStoreProxy('s3', direct.AWS_ENDPOINT_URL_S3!),
    await startStoreProxy('dynamodb', direct.AWS_ENDPOINT_URL_DYNAMODB!),
  ]
  env = { AWS_ENDPOINT_URL_S3: proxies[0]!.url, AWS_ENDPOINT_URL_DYNAMODB: proxies[1]!.url }
  server = await start()
})
afterAll(async () => {
  await server.stop()
  for (const proxy of proxies) await proxy.close()
  await rm(data, { recursive: true, force: true })
})

const start = () => startServer({ dataDir: data, env: { ...env, ENTREPOT_REDIRECT_BLOBS: 'off' } })
const pusher = (onError?: () => Promise<void> | void) => ({
  url: () => server.url,
  ...(onError ? { onError } : {}),
})

function onCall(hook: (number: number) => Promise<'cut before' | 'cut after' | undefined>): void {
  let number = 0
  for (const proxy of proxies)
    proxy.fault = async (call) => {
      number += 1
      if (process.env.SABOTAGE === 'lying-store' && number % 7 === 0) return LIE(call)
      const kind = await hook(number)
      return kind && { kind }
    }
}

async function push(onError?: () => Promise<void> | void): Promise<void> {
  made += 1
  pushed.push(await pushImage(pusher(onError), `lab/app-${made % 3}`, `v${made}`, LARGE_BYTES))
}

/** How many calls one undisturbed push makes. */
async function countCalls(): Promise<number> {
  const before = proxies.reduce((sum, { calls }) => sum + calls.length, 0)
  await push()
  return proxies.reduce((sum, { calls }) => sum + calls.length, 0) - before
}

async function checkAll(): Promise<void> {
  for (const proxy of proxies) proxy.fault = undefined
  for (const image of pushed) expect(await findLies(server.url, image)).toEqual([])
  const direct = await storesEnvironment(data)
  for (const command of ['fsck', 'scrub']) {
    const { code, stdout } = await entrepot([command, '--data', data], direct)
    expect([code, stdout]).toEqual([0, expect.stringMatching(/ 0 (errors|corrupt)/)])
  }
}

test('a store that cannot be reached from any call on is a failed request, and a repeated push succeeds', async () => {
  const calls = await countCalls()
  expect(calls).toBeGreaterThan(20)
  for (const kind of ['cut before', 'cut after'] as const)
    for (let from = 1 + (made % STRIDE); from <= calls; from += STRIDE) {
      let healed = false
      onCall(async (number) => (number >= from && !healed ? kind : undefined))
      await push(() => {
        healed = true
      })
    }
  await checkAll()
}, 900_000)

test('a process killed at any call, before or after the store hears of it, loses nothing acknowledged', async () => {
  const calls = await countCalls()
  for (const kind of ['cut before', 'cut after'] as const)
    for (let at = 1 + (made % STRIDE); at <= calls; at += STRIDE) {
      let killed: Promise<void> | undefined
      onCall(async (number) => {
        if (number !== at || killed) return undefined
        killed = server.kill()
        await killed
        return kind
      })
      await push(async () => {
        if (server.process.signalCode === 'SIGKILL') {
          server = await start()
        }
      })
    }
  await checkAll()
}, 1_800_000)
