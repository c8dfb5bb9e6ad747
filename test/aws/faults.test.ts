// Half an hour of mixed load (FAULT_SECONDS) while everything fails that can: clients see success or an error worth
// repeating, never a lie, and in the end nothing is lost or left over that should not be.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { entrepot } from '../cli/command.ts'
import { type Server, startServer, storesEnvironment } from '../support/server.ts'
import { type StoreProxy, startStoreProxy } from '../support/store-proxy.ts'
import { FAULTS, LIE } from './fault-kinds.ts'
import { findLies, type PushedImage, pushImage } from './pusher.ts'

const SECONDS = Number(process.env.FAULT_SECONDS ?? 40)
const CLIENTS = 6
/** One call in so many fails; a push makes about 25. */
const ONE_IN = 12

let data: string
let proxies: StoreProxy[]
let server: Server
beforeAll(async () => {
  process.env.TEST_STORES = 'aws'
  data = await mkdtemp(path.join(tmpdir(), 'entrepot-faults-'))
  const direct = await storesEnvironment(data)
  proxies = [
    await startStoreProxy('s3', direct.AWS_ENDPOINT_URL_S3!),
    await startStoreProxy('dynamodb', direct.AWS_ENDPOINT_URL_DYNAMODB!),
  ]
  const env = { AWS_ENDPOINT_URL_S3: proxies[0]!.url, AWS_ENDPOINT_URL_DYNAMODB: proxies[1]!.url }
  server = await startServer({ dataDir: data, env: { ...env, ENTREPOT_REDIRECT_BLOBS: 'off' } })
})
afterAll(async () => {
  await server.stop()
  for (const proxy of proxies) await proxy.close()
  await rm(data, { recursive: true, force: true })
})

test(
  `over ${SECONDS} seconds of faults clients see success or an error worth repeating, and nothing is lost`,
  async () => {
    const names = Object.keys(FAULTS)
    const injected = new Map<string, number>()
    for (const proxy of proxies)
      proxy.fault = (call) => {
        if (call.number % ONE_IN !== 0) return undefined
        const name = names[Math.floor(Math.random() * names.length)]!
        const fault = (process.env.SABOTAGE === 'lying-store' ? LIE : FAULTS[name]!)(call)
        if (fault) injected.set(name, (injected.get(name) ?? 0) + 1)
        return fault
      }
    const endAt = Date.now() + SECONDS * 1000
    const pushed: PushedImage[] = []
    const answers = new Map<number, number>()
    const note = (status: number) => void answers.set(status, (answers.get(status) ?? 0) + 1)
    const pusher = {
      url: () => server.url,
      onError: (_what: string, status: number | undefined) => note(status ?? 0),
    }
    await Promise.all(
      Array.from({ length: CLIENTS }, async (_, client) => {
        for (let number = 0; Date.now() < endAt; number++) {
          const image = await pushImage(
            pusher,
            `lab/app-${client % 3}`,
            `c${client}-${number}`,
            number % 4 === 0 ? 15e6 : 0,
          )
          pushed.push(image)
          for (const url of [
            `/v2/${image.name}/manifests/${image.tag}`,
            `/v2/${image.name}/blobs/${image.blobs[0]}`,
            `/v2/${image.name}/tags/list?n=5`,
            '/v2/_catalog',
          ])
            await fetch(`${server.url}${url}`).then(
              async (answer) => {
                note(answer.status)
                await answer.arrayBuffer().catch(() => note(0)) // broken off while it was sent: nobody takes it for whole
              },
              () => note(0),
            )
        }
      }),
    )
    for (const proxy of proxies) proxy.fault = undefined
    const statuses = [...answers.keys()].sort()
    expect(statuses.filter((status) => ![0, 200, 201, 202, 416, 503].includes(status))).toEqual([])
    expect(pushed.length).toBeGreaterThan(SECONDS / 10)
    const lies: unknown[] = []
    await Promise.all(
      Array.from({ length: CLIENTS }, async (_, client) => {
        for (let at = client; at < pushed.length; at += CLIENTS)
          lies.push(...(await findLies(server.url, pushed[at]!)))
      }),
    )
    expect(lies).toEqual([])
    const checked = await entrepot(['fsck', '--data', data], await storesEnvironment(data))
    expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining('0 errors')])
    const kinds = [...injected].map(([name, count]) => `${name} ${count}`).join(', ')
    const seen = [...answers]
      .map(([status, count]) => `${status === 0 ? 'broken off' : status}: ${count}`)
      .join(', ')
    console.log(`faults: ${kinds}`)
    console.log(`answers besides the pushes that went well: ${seen}`)
    console.log(`${pushed.length} images acknowledged, all whole; ${checked.stdout.trim()}`)
  },
  // Looking at everything that was pushed takes as long again on a busy machine.
  SECONDS * 2000 + 300_000,
)
