// The tasks that take streams: two of them share uploads, one may go at any time, many uploads need little memory.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Asker, sha256 } from '../../lib/doctor/client.ts'
import { openWorkplace, type Workplace } from '../clients/workplace.ts'
import { askerFor, pushChunks, putBlob, startUpload, withDigest } from './everything.ts'
import { collect } from './origin.ts'
import { sharedTwin } from './shared.ts'
import type { Task } from './tasks.ts'
import type { Twin } from './twin.ts'

const NAME = 'library/ingest'
const MIB = 2 ** 20
let twin: Twin
let ask: Asker
let at: Workplace
beforeAll(async () => {
  twin = await sharedTwin()
  ask = await askerFor(twin, NAME)
  at = await openWorkplace()
}, 240_000)
afterAll(() => at.close())

const running = ({ process }: Task) => process.exitCode === null && process.signalCode === null
/** As the service sees to it. */
beforeEach(async () => {
  while (twin.balancer.tasks.filter(running).length < 2) await twin.addTask()
})

const blob = async (digest: string) => (await ask('GET', `/v2/${NAME}/blobs/${digest}`)).body
async function* slowly(bytes: Buffer, pieces: number, pauseMs: number): AsyncGenerator<Uint8Array> {
  const size = Math.ceil(bytes.length / pieces)
  for (let start = 0; start < bytes.length; start += size) {
    yield bytes.subarray(start, start + size)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

test('two tasks share one upload in chunks, whichever takes the next', async () => {
  const bytes = randomBytes(40 * MIB)
  const before = twin.balancer.tasks.map(({ count }) => count.taken)
  const answer = await pushChunks(ask, NAME, bytes, [1000, 5 * MIB, 5 * MIB + 1, 17 * MIB, 33 * MIB])
  expect(answer.status).toBe(201)
  expect((await blob(sha256(bytes))).equals(bytes)).toBe(true)
  const took = twin.balancer.tasks.map(({ count }, index) => count.taken - (before[index] ?? 0))
  expect(took.filter((requests) => requests > 1).length).toBe(2)
})

test('a task killed in the middle of a push: the client tries again and the image is whole', async () => {
  const image = await at.image('killed', { layers: 3, layerBytes: 48 * MIB, compression: 'none' })
  await at.sh(`crane auth login ${at.host} -u admin -p $PASSWORD --insecure`)
  const push = at.sh(`crane push --insecure ${image.layout} ${at.host}/${NAME}:killed`)
  const start = twin.edge.uploadBytes
  while (twin.edge.uploadBytes - start < 20 * MIB) await new Promise((resolve) => setTimeout(resolve, 10))
  await twin.balancer.tasks.find(running)!.kill()
  await push
  expect((await at.manifest(NAME, 'killed')).digest).toBe(image.digest)
  for (const { digest, size } of image.blobs.filter(({ mediaType }) => mediaType.includes('layer')))
    expect((await blob(digest)).length).toBe(size)
}, 120_000)

test('a task told to stop finishes the upload it has, and loses no acknowledged byte', async () => {
  const bytes = randomBytes(20 * MIB)
  const location = await startUpload(ask, NAME)
  const sent = ask('PATCH', location, { body: slowly(bytes, 20, 50) })
  const busy = () => twin.balancer.tasks.filter(running).find(({ count }) => count.waiting > 0)
  while (!busy()) await new Promise((resolve) => setTimeout(resolve, 5))
  const task = busy()!
  const stopped = task.stop()
  const answer = await sent
  expect(answer.status).toBe(202)
  expect(answer.headers.get('range')).toBe(`0-${bytes.length - 1}`)
  await stopped
  expect(await task.ended).toBe(0)
  const ended = await ask('PUT', withDigest(answer.headers.get('location')!, sha256(bytes)))
  expect(ended.status).toBe(201)
  expect((await blob(sha256(bytes))).equals(bytes)).toBe(true)
}, 60_000)

/** Without a limit on how long a connection takes: all of them are made at once, by the process that takes them. */
function patch(url: URL, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'PATCH' }, async (answer) => {
      const said = await collect(answer)
      if (answer.statusCode === 202) resolve(answer.headers.location!)
      else reject(new Error(`PATCH: ${answer.statusCode} ${said}`))
    })
    outgoing.once('error', reject)
    void pipeline(slowly(bytes, 12, 20), outgoing).catch(reject)
  })
}

test('64 uploads at once take a task no more memory than it has', async () => {
  const common = randomBytes(12 * MIB)
  const uploads: [location: string, bytes: Buffer][] = []
  for (let number = 0; number < 64; number++) {
    const bytes = Buffer.from(common)
    bytes.writeUInt32BE(number)
    uploads.push([await startUpload(ask, NAME), bytes])
  }
  await Promise.all(
    uploads.map(async ([location, bytes]) => {
      const next = await patch(new URL(location, twin.url), bytes)
      const ended = await ask('PUT', withDigest(next, sha256(bytes)))
      expect(ended.status).toBe(201)
    }),
  )
  for (const { process } of twin.balancer.tasks.filter(running)) {
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${process.pid}/status`, 'utf8'))![1]
    // A task has 3 GiB (cloud.ingest.memoryMiB).
    expect(Number(peak) / 1024).toBeLessThan(2048)
  }
}, 180_000)

test('keys are rotated without a failed upload, of sessions begun before and after', async () => {
  const early = await startUpload(ask, NAME)
  const [bytes, stream] = [randomBytes(1000), randomBytes(1000)]
  const sent = await ask('PATCH', await startUpload(ask, NAME), { body: stream })
  let over = false
  const statuses: number[] = []
  const pushing = (async () => {
    while (!over) statuses.push((await putBlob(ask, NAME, randomBytes(100))).status)
  })()
  for (let round = 0; round < 3; round++) await twin.events.invoke('Setup', { task: 'rotate' })
  over = true
  await pushing
  expect(new Set(statuses)).toEqual(new Set([201]))
  expect((await ask('PUT', withDigest(early, sha256(bytes)), { body: bytes })).status).toBe(201)
  const location = sent.headers.get('location')!
  expect((await ask('PUT', withDigest(location, sha256(stream)))).status).toBe(201)
})
