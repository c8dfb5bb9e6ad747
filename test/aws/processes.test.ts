// Two processes on the same stores: whatever one began the other goes on with.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Client, clientOf, digest, startUpload } from '../api/client.ts'
import { type Server, startServer } from '../support/server.ts'

const NAME = 'lab/shared'
let data: string
let servers: Server[]
let one: Client
let two: Client
beforeAll(async () => {
  process.env.TEST_STORES = 'aws'
  data = await mkdtemp(path.join(tmpdir(), 'entrepot-two-'))
  const env = { ENTREPOT_REDIRECT_BLOBS: 'off' }
  servers = [await startServer({ dataDir: data, env }), await startServer({ dataDir: data, env })]
  one = clientOf(servers[0]!.url)
  two = clientOf(servers[1]!.url)
})
afterAll(async () => {
  for (const server of servers) await server.stop()
  await rm(data, { recursive: true, force: true })
})

async function patch(http: Client, location: string, bytes: Buffer, from: number): Promise<string> {
  const headers = { 'content-range': `${from}-${from + bytes.length - 1}` }
  const answer = await http('PATCH', location, { headers, body: bytes })
  expect([answer.status, answer.message]).toEqual([202, ''])
  return answer.headers.location!
}

async function commit(http: Client, location: string, bytes: Buffer, body?: Buffer): Promise<void> {
  const answer = await http('PUT', `${location}?digest=${digest(bytes)}`, body ? { body } : {})
  expect([answer.status, answer.message]).toEqual([201, ''])
  for (const reader of [one, two])
    expect((await reader('GET', `/v2/${NAME}/blobs/${digest(bytes)}`)).body.equals(bytes)).toBe(true)
}

test.each([
  ['a few bytes', [10, 20, 30]],
  ['pieces below a part', [3_000_000, 3_000_000, 3_000_000, 1]],
  ['pieces above a part', [14_000_000, 14_000_000, 100]],
  ['a large piece and small ones', [20_000_000, 10, 10, 6_000_000]],
])(
  'chunks of one upload go through two processes by turns: %s',
  async (_what, sizes) => {
    const bytes = randomBytes(sizes.reduce((sum, size) => sum + size))
    let location = await startUpload(one, NAME)
    let at = 0
    for (const [turn, size] of sizes.entries()) {
      location = await patch(turn % 2 === 0 ? one : two, location, bytes.subarray(at, at + size), at)
      at += size
    }
    await commit(two, location, bytes)
  },
  60_000,
)

test('the last chunk may come with the commit, at the other process', async () => {
  const bytes = randomBytes(9_000_000)
  const location = await patch(one, await startUpload(one, NAME), bytes.subarray(0, 8_000_000), 0)
  await commit(two, location, bytes, bytes.subarray(8_000_000))
})

test('a stream is committed at the other process, also under a digest of another algorithm', async () => {
  for (const algorithm of ['sha256', 'sha512']) {
    const bytes = randomBytes(15_000_000)
    const sent = await one('PATCH', await startUpload(one, NAME), { body: bytes })
    const wanted = digest(bytes, algorithm)
    expect((await two('PUT', `${sent.headers.location}?digest=${wanted}`)).status).toBe(201)
    expect((await one('GET', `/v2/${NAME}/blobs/${wanted}`)).body.equals(bytes)).toBe(true)
  }
})

test('two streams of one session at two processes: one is accepted, and it is the one whose bytes are there', async () => {
  const [a, b] = [randomBytes(200_000), randomBytes(200_000)]
  const location = await startUpload(one, NAME)
  const sent = await Promise.all([one('PATCH', location, { body: a }), two('PATCH', location, { body: b })])
  expect(sent.map(({ status }) => status).sort()).toEqual([202, 416])
  const first = sent[0].status === 202
  const accepted = first ? a : b
  const onward = (first ? sent[0] : sent[1]).headers.location!
  const lied = await one('PUT', `${onward}?digest=${digest(first ? b : a)}`)
  expect([lied.status, lied.code]).toEqual([400, 'DIGEST_INVALID'])
  await commit(two, onward, accepted)
})

test('a chunk sent twice, to both processes, is taken once', async () => {
  const bytes = randomBytes(300_000)
  const location = await patch(one, await startUpload(one, NAME), bytes.subarray(0, 100_000), 0)
  const rest = bytes.subarray(100_000)
  const headers = { 'content-range': `100000-${bytes.length - 1}` }
  const sent = await Promise.all([one, two].map((http) => http('PATCH', location, { headers, body: rest })))
  expect(sent.map(({ status }) => status)).toContain(202)
  expect(sent.every(({ status }) => status === 202 || status === 416)).toBe(true)
  await commit(one, sent.find(({ status }) => status === 202)!.headers.location!, bytes)
})

test('two commits of one upload at two processes are both answered 201', async () => {
  const bytes = randomBytes(20_000_000)
  const sent = await one('PATCH', await startUpload(one, NAME), { body: bytes })
  const url = `${sent.headers.location}?digest=${digest(bytes)}`
  const ended = await Promise.all([one('PUT', url), two('PUT', url)])
  expect(ended.map(({ status }) => status)).toEqual([201, 201])
})

test('an upload goes on where a killed process left it', async () => {
  const bytes = randomBytes(20_000_000)
  const location = await patch(two, await startUpload(two, NAME), bytes.subarray(0, 14_000_000), 0)
  await servers[1]!.kill()
  const status = await one('GET', location)
  expect([status.status, status.headers.range]).toEqual([204, '0-13999999'])
  const onward = await patch(one, status.headers.location!, bytes.subarray(14_000_000), 14_000_000)
  const ended = await one('PUT', `${onward}?digest=${digest(bytes)}`)
  expect(ended.status).toBe(201)
  servers[1] = await startServer({ dataDir: data, env: { ENTREPOT_REDIRECT_BLOBS: 'off' } })
})
