// A cache behind a function, which cannot send what it has to fetch first.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newSecrets, Secrets } from '../../lib/access/secret-keys.ts'
import { type HttpFunction, httpFunction } from '../../lib/functions/http-function.ts'
import { createRegistry, useOfRegistry } from '../../lib/registries/registries.ts'
import { createProject } from '../../lib/registry/projects.ts'
import { ACTOR, type TestRegistry, testRegistry } from '../domain/registry.ts'
import { type DockerHub, startDockerHub } from '../support/docker-hub.ts'
import { type Server, startServer } from '../support/server.ts'
import { testUpstreams } from '../support/upstreams.ts'
import { clientOf, pushImage } from './client.ts'

let other: Server
let hub: DockerHub
let registry: TestRegistry
let ask: (ingest: boolean, path: string, query?: string) => ReturnType<HttpFunction>
let image: Awaited<ReturnType<typeof pushImage>>
beforeAll(async () => {
  other = await startServer()
  hub = await startDockerHub({ origin: other.url })
  image = await pushImage(clientOf(other.url), 'library/app', 'v1')
  registry = await testRegistry()
  registry.clock.now = Date.now()
  const upstreams = await testUpstreams()
  const { id } = await createRegistry(registry, upstreams, {
    name: 'hub',
    description: '',
    type: 'docker-hub',
    url: hub.url,
    insecure: false,
    caCertificate: '',
    credentialType: '',
    accessKey: '',
    accessSecret: '',
  })
  await createProject(
    registry,
    'cache',
    { public: true, registryId: id },
    ACTOR,
    async (project) => (await useOfRegistry(registry, id, `project:${project}`)).writes,
  )
  const secrets = new Secrets(await newSecrets(), registry.clock)
  ask = (ingest, path, query = '') =>
    httpFunction(registry, secrets, false, { upstreams, ingest })({
      rawPath: path,
      rawQueryString: query,
      headers: { host: 'registry.example' },
      requestContext: { requestId: 'r', http: { method: 'GET', sourceIp: '192.0.2.1' } },
    })
})
afterAll(async () => {
  await hub.stop()
  await other.stop()
})

test('manifests come through the function, blobs through the tasks: the client is sent there', async () => {
  const manifest = await ask(true, '/v2/cache/app/manifests/v1')
  expect([manifest.statusCode, Buffer.from(manifest.body, 'base64').toString()]).toEqual([200, image.bytes])
  const blob = `/v2/cache/library/app/blobs/${image.layer}`
  const sent = await ask(true, blob)
  expect([sent.statusCode, sent.headers.Location]).toEqual([307, `${blob}?via=ingest`])
  const lost = await ask(true, blob, 'via=ingest')
  expect([lost.statusCode, errorOf(lost)]).toEqual([
    503,
    expect.stringContaining('edge does not lead to ingest'),
  ])
})

test('without such tasks the client is told', async () => {
  const told = await ask(false, `/v2/cache/app/blobs/${image.layer}`)
  expect([told.statusCode, errorOf(told)]).toEqual([
    503,
    expect.stringContaining('no tasks that fetch blobs: an administrator sets cloud.ingest'),
  ])
})

test('what is counted is written before the function is frozen', async () => {
  const counts = (await registry.metadata.scan(undefined, 10_000)).find(({ pk }) => pk.startsWith('PC#'))
  expect(counts?.attributes).toMatchObject({ fetched: 1, checked: 1 })
  const said = (await registry.metadata.scan(undefined, 10_000)).find(({ sk }) => sk === 'B' && true)
  expect(said).toBeDefined()
})

function errorOf({ body }: { body: string }): string {
  return JSON.parse(Buffer.from(body, 'base64').toString()).errors[0].message
}
