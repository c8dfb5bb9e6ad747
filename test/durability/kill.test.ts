// Thirty times: kill -9 in the middle of pushes, start again on the same data, check every acknowledged byte.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { entrepot } from '../cli/command.ts'
import { startServer, storesEnvironment } from '../support/server.ts'
import { type Acknowledged, pushUntilKilled, verify } from './traffic.ts'

const KILLS = Number(process.env.KILLS ?? 30)
const CLIENTS = 6

let data: string
beforeAll(async () => {
  data = await mkdtemp(path.join(tmpdir(), 'entrepot-kill-'))
})
afterAll(() => rm(data, { recursive: true, force: true }))

test(`after each of ${KILLS} kills every acknowledged image is there, whole`, async () => {
  const acknowledged: Acknowledged[] = []
  for (let round = 0; round < KILLS; round++) {
    const server = await startServer({ dataDir: data })
    for (const image of acknowledged.slice(-60)) expect(await verify(server.url, image)).toEqual([])
    // Killed after a number of pushes that differs from round to round, so at a moment nobody chose.
    const target = 3 + ((round * 7) % 23)
    let pushes = 0
    const reached = new Promise<void>((resolve) => {
      const onPush = () => {
        pushes += 1
        if (pushes === target) resolve()
      }
      const clients = Array.from({ length: CLIENTS }, (_, client) =>
        pushUntilKilled(server.url, client, acknowledged, onPush),
      )
      running = Promise.all(clients)
    })
    await reached
    await server.kill()
    await running
  }
  const server = await startServer({ dataDir: data })
  for (const image of acknowledged) expect(await verify(server.url, image)).toEqual([])
  await server.stop()
  const checked = await entrepot(['fsck', '--data', data], await storesEnvironment(data))
  expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining('0 errors')])
  console.log(
    `${acknowledged.length} images acknowledged over ${KILLS} kills, all whole; ${checked.stdout.trim()}`,
  )
}, 900_000)

let running: Promise<unknown> = Promise.resolve()
