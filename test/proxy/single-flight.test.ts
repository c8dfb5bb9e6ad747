// However many clients and processes ask for something that is not there: the upstream is asked once.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientOf, digest } from '../api/client.ts'
import type { Server } from '../support/server.ts'
import { CACHE, openPlace, type Place } from './place.ts'

const CLIENTS = 100
const PROCESSES = 4
let at: Place
beforeAll(async () => {
  process.env.TEST_STORES = 'aws'
  at = await openPlace(PROCESSES)
})
afterAll(() => at.close())

/** As a client pulls: manifest by tag, then all it names at once. @returns digests of what came */
async function pull({ url }: Server, name: string): Promise<string[]> {
  const http = clientOf(url)
  const manifest = await http('GET', `/v2/${name}/manifests/v1`)
  expect([manifest.status, manifest.message]).toEqual([200, ''])
  const { config, layers } = JSON.parse(manifest.body.toString()) as {
    config: { digest: string }
    layers: { digest: string }[]
  }
  const blobs = await Promise.all(
    [config, ...layers].map((each) => http('GET', `/v2/${name}/blobs/${each.digest}`)),
  )
  return [manifest, ...blobs].map(({ body }) => digest(body))
}

test(`${CLIENTS} cold pulls through ${PROCESSES} processes are one GET for each manifest and blob upstream`, async () => {
  const image = await at.publish('library/cold:v1', { layers: 4, layerBytes: 2_000_000, compression: 'none' })
  const pulls = Array.from({ length: CLIENTS }, (_, each) =>
    pull(at.servers[each % PROCESSES]!, `${CACHE}/library/cold`),
  )
  const got = await Promise.all(pulls)
  const expected = [image.digest, ...image.blobs.map((each) => each.digest)].sort()
  for (const digests of got) expect([...new Set(digests)].sort()).toEqual([...new Set(expected)])
  // The upstream's own log, and that of what stands in front of it.
  for (const counts of [at.origin.fetched(), at.hub.fetched()])
    expect([...counts.values()]).toEqual(Array(new Set(expected).size).fill(1))
  const { json } = await at.admin('GET', `/projects/${CACHE}/repositories/library%252Fcold/artifacts`)
  expect(json.map((each: { digest: string }) => each.digest)).toEqual([image.digest])
})

test('a process that dies while it fetches is followed by another, and the blob is whole', async () => {
  const image = await at.publish('library/dying:v1', {
    layers: 1,
    layerBytes: 1_000_000,
    compression: 'none',
  })
  const layer = image.blobs.at(-1)!.digest
  const where = `/v2/${CACHE}/library/dying`
  const [survivor] = at.servers as [Server]
  const dying = await at.start()
  await clientOf(dying.url)('GET', `${where}/manifests/v1`)
  const asked = Promise.withResolvers<void>()
  const mend = at.hub.break(new RegExp(`/blobs/${layer}`), { kind: 'silence', asked: asked.resolve })
  const lost = clientOf(dying.url)('GET', `${where}/blobs/${layer}`).catch((error: Error) => error)
  await asked.promise
  await dying.kill()
  at.servers.pop()
  expect(await lost).toBeInstanceOf(Error)
  mend()
  const got = await clientOf(survivor.url)('GET', `${where}/blobs/${layer}`)
  expect([got.status, digest(got.body)]).toEqual([200, layer])
}, 60_000)

test('when the upstream fails, everybody who waits is told so, and it is not asked by each of them', async () => {
  await at.publish('library/failing:v1', { layers: 1, layerBytes: 1000 })
  const mend = at.hub.break(/library\/failing\/manifests/, {
    kind: 'status',
    status: 429,
    headers: { 'retry-after': '60' },
  })
  at.hub.log.length = 0
  const answers = await Promise.all(
    Array.from({ length: CLIENTS }, (_, each) =>
      clientOf(at.servers[each % PROCESSES]!.url)('GET', `/v2/${CACHE}/library/failing/manifests/v1`),
    ),
  )
  expect(answers.map(({ status, headers }) => [status, headers['retry-after']])).toEqual(
    Array(CLIENTS).fill([429, '60']),
  )
  const asked = at.hub.log.filter(({ at: host, status }) => host === 'registry' && status === 429)
  expect(asked.length).toBeLessThanOrEqual(PROCESSES)
  mend()
})

test('what one process has cached is at once there for the others, also when the upstream is gone', async () => {
  const image = await at.publish('library/shared:v1', { layers: 2, layerBytes: 5000 })
  await pull(at.servers[0]!, `${CACHE}/library/shared`)
  const mend = at.hub.break(/./, { kind: 'status', status: 503 })
  for (const server of at.servers)
    expect((await pull(server, `${CACHE}/library/shared`))[0]).toBe(image.digest)
  mend()
})
