// One layer of LARGE_GIB (12 for the evidence) goes up as a stream and comes back, in bounded memory.
import { createCipheriv, createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientOf, startUpload } from '../api/client.ts'
import { type Server, startServer } from '../support/server.ts'

const GIB = Number(process.env.LARGE_GIB ?? 1)
const BLOCK_BYTES = 2 ** 20
const NAME = 'lab/large'
/** Parts under way and what Node needs to move them; the layer is many times as large. */
const GROWTH_LIMIT_BYTES = 512 * 2 ** 20

let data: string
let server: Server
beforeAll(async () => {
  process.env.TEST_STORES = 'aws'
  data = await mkdtemp(path.join(tmpdir(), 'entrepot-large-'))
  server = await startServer({
    dataDir: data,
    env: { ENTREPOT_REDIRECT_BLOBS: 'off' },
    ...(process.env.SABOTAGE === 'hoard' ? { preload: [path.join(import.meta.dirname, 'hoard.ts')] } : {}),
  })
})
afterAll(async () => {
  await server.stop()
  await rm(data, { recursive: true, force: true })
})

/** Bytes nothing compresses, the same ones each time. */
function* content(): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16))
  const zeros = Buffer.alloc(BLOCK_BYTES)
  for (let block = 0; block < GIB * 1024; block++) yield cipher.update(zeros)
}

function peakBytes(): number {
  const status = readFileSync(`/proc/${server.process.pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) * 1024
}

async function patch(location: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sending = request(new URL(location, server.url), { method: 'PATCH' }, (answer) => {
      answer.resume()
      if (answer.statusCode === 202) resolve(answer.headers.location!)
      else reject(new Error(`PATCH: ${answer.statusCode}`))
    })
    pipeline(Readable.from(content()), sending).catch(reject)
  })
}

async function pulledDigest(): Promise<string> {
  const hash = createHash('sha256')
  const answer = await fetch(`${server.url}/v2/${NAME}/blobs/${wanted}`)
  for await (const chunk of answer.body!) hash.update(chunk)
  return `sha256:${hash.digest('hex')}`
}

let wanted = ''

test(`a layer of ${GIB} GiB is streamed up and down in bounded memory`, async () => {
  const hash = createHash('sha256')
  for (const block of content()) hash.update(block)
  wanted = `sha256:${hash.digest('hex')}`
  const http = clientOf(server.url)
  const before = peakBytes()
  const startedAt = performance.now()
  const location = await patch(await startUpload(http, NAME))
  expect((await http('PUT', `${location}?digest=${wanted}`)).status).toBe(201)
  const upSeconds = (performance.now() - startedAt) / 1000
  const upGrowth = peakBytes() - before
  expect(await pulledDigest()).toBe(wanted)
  const growth = peakBytes() - before
  const mb = (bytes: number) => (bytes / 1e6).toFixed(0)
  console.log(
    `${GIB} GiB up in ${upSeconds.toFixed(0)} s, peak memory grew by ${mb(upGrowth)} MB; after the way down by ${mb(growth)} MB`,
  )
  expect(growth).toBeLessThan(GROWTH_LIMIT_BYTES)
}, 3_600_000)
