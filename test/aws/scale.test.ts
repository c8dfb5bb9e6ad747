// What is everyday costs the same calls however full the registry is, and crowds do not stand in each other's way.
// SCALE_MANIFESTS sets how many manifests move in (1,000,000 for the evidence).
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientOf, digest, MANIFEST, pushBlob } from '../api/client.ts'
import { entrepot } from '../cli/command.ts'
import { storesEnvironment } from '../support/server.ts'
import { generate, repositoryName, tagName } from './crowd.ts'
import { beforeAndAfter, openTown, type Town } from './scale.ts'

const MANIFESTS = Number(process.env.SCALE_MANIFESTS ?? 20_000)
const DELETED = Math.min(MANIFESTS / 10, 100_000)

let town: Town
beforeAll(async () => {
  town = await openTown()
})
afterAll(() => town.close())

test(`with ${MANIFESTS} manifests in one project everything costs the calls it cost with 200`, async () => {
  const crowd = { project: 'library', repositories: 100, manifestsEach: MANIFESTS / 100 }
  const { empty, full } = await beforeAndAfter(town, crowd)
  const calls = (rows: typeof empty) => rows.map(({ operation, calls: count }) => ({ operation, count }))
  expect(calls(full)).toEqual(calls(empty))
}, 3_600_000)

test(`a repository of ${DELETED} manifests is gone at once when it is deleted, comes back whole, and is cleared in the end`, async () => {
  const crowd = { project: 'library', repositories: 1, manifestsEach: DELETED }
  const name = repositoryName(crowd, 0)
  await generate(town.store, crowd)
  const http = clientOf(town.server.url)
  const direct = await storesEnvironment(town.dataDir)
  const before = town.proxies[1]!.calls.length
  const run = (...args: string[]) =>
    entrepot([...args, '--data', town.dataDir], {
      ...direct,
      AWS_ENDPOINT_URL_DYNAMODB: town.proxies[1]!.url,
    })
  expect((await run('repository', 'delete', name)).code).toBe(0)
  expect(town.proxies[1]!.calls.length - before).toBeLessThan(10)
  expect((await http('GET', `/v2/${name}/manifests/${tagName(0)}`)).code).toBe('NAME_UNKNOWN')
  expect((await run('undo', name)).code).toBe(0)
  expect((await http('GET', `/v2/${name}/manifests/${tagName(DELETED - 1)}`)).status).toBe(200)
}, 600_000)

/** As clients do: only what the repository does not have is uploaded. */
async function push(name: string, tag: string, blobs: string[]): Promise<string> {
  const http = clientOf(town.server.url)
  for (const blob of blobs)
    if ((await http('HEAD', `/v2/${name}/blobs/${digest(blob)}`)).status !== 200)
      await pushBlob(http, name, blob)
  const described = (blob: string) => ({
    mediaType: 'application/x',
    digest: digest(blob),
    size: blob.length,
  })
  const [config, ...layers] = blobs.map(described)
  const body = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers })
  const headers = { 'content-type': MANIFEST }
  const answer = await http('PUT', `/v2/${name}/manifests/${tag}`, { headers, body })
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.body}`)
  return body
}

test('a matrix of 20 pushes that share their base loses none, into one repository or into 20, and meets in no item', async () => {
  const http = clientOf(town.server.url)
  const shared = ['{}', 'x'.repeat(70_000)]
  for (const name of [() => 'library/matrix', (number: number) => `library/matrix-${number}`]) {
    await push(name(0), 'base', shared)
    const from = town.proxies[1]!.calls.length
    const pushed = await Promise.all(
      Array.from({ length: 20 }, (_, number) =>
        push(name(number), `t${number}`, [...shared, `layer ${number}`]),
      ),
    )
    for (const [number, bytes] of pushed.entries())
      expect((await http('GET', `/v2/${name(number)}/manifests/t${number}`)).body.toString()).toBe(bytes)
    // A repository's own name is written by its first push alone, when it is made and when it is listed.
    const written = town.proxies[1]!.calls.slice(from)
      .flatMap(({ writes }) => writes)
      .filter((key) => !key.startsWith('N#'))
    expect(written.length).toBeGreaterThan(200)
    expect(written.filter((key, index) => written.indexOf(key) !== index)).toEqual([])
  }
}, 120_000)
