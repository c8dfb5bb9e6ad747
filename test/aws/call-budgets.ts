// One operation after another on a warm registry, each with the calls it made to the stores, counted on the wire.
import { randomBytes } from 'node:crypto'
import type { S3Client } from '@aws-sdk/client-s3'
import { createS3BlobStore } from '../../lib/aws/s3-blob-store.ts'
import { objectKeys } from '../../lib/registry/object-keys.ts'
import { type Answer, type Client, clientOf, digest, MANIFEST } from '../api/client.ts'
import type { Server } from '../support/server.ts'
import type { StoreProxy } from '../support/store-proxy.ts'

export interface Measured {
  operation: string
  s3: string[]
  dynamodb: string[]
  /** The most calls blueprint 13 allows, to each store. */
  budget: { s3: number; dynamodb: number }
}

export interface Budgeted {
  server: Server
  s3: StoreProxy
  dynamodb: StoreProxy
  /** Puts objects past the registry, as the edge does. */
  direct: { client: S3Client; bucket: string }
}

const NAME = 'library/budget'
const MIB = 2 ** 20

export async function measureCalls(context: Budgeted): Promise<Measured[]> {
  const http = clientOf(context.server.url, await bearer(context.server))
  const rows: Measured[] = []
  async function measure(
    operation: string,
    budget: Measured['budget'],
    run: () => Promise<unknown>,
  ): Promise<void> {
    await quiet(context)
    await begin(http) // who pushes is looked up once a second, whatever the number of requests
    const [s3From, dynamodbFrom] = [context.s3.calls.length, context.dynamodb.calls.length]
    await run()
    const since = (proxy: StoreProxy, from: number) => proxy.calls.slice(from).map((call) => call.operation)
    rows.push({
      operation,
      s3: since(context.s3, s3From),
      dynamodb: since(context.dynamodb, dynamodbFrom),
      budget,
    })
  }
  const expecting = async (status: number, answer: Promise<Answer>): Promise<Answer> => {
    const got = await answer
    if (got.status !== status) throw new Error(`expected ${status}, got ${got.status}: ${got.body}`)
    return got
  }
  const image = await pushed(http)
  await pushed(http) // everything that is looked up once is known from here on

  const get =
    (path: string, headers = {}) =>
    () =>
      expecting(200, http('GET', `/v2/${NAME}/${path}`, { headers }))
  await measure('manifest GET by digest', { s3: 0, dynamodb: 1 }, get(`manifests/${image.digest}`))
  await measure('manifest GET by tag', { s3: 0, dynamodb: 2 }, get(`manifests/${image.tag}`))
  await measure('manifest HEAD by tag', { s3: 0, dynamodb: 2 }, () =>
    expecting(200, http('HEAD', `/v2/${NAME}/manifests/${image.tag}`)),
  )
  await measure('blob HEAD', { s3: 0, dynamodb: 1 }, () =>
    expecting(200, http('HEAD', `/v2/${NAME}/blobs/${image.layer}`)),
  )
  await measure('blob GET (307)', { s3: 0, dynamodb: 1 }, () =>
    expecting(307, http('GET', `/v2/${NAME}/blobs/${image.layer}`)),
  )
  await measure('blob HEAD, miss of a pusher', { s3: 1, dynamodb: 1 }, () =>
    expecting(404, http('HEAD', `/v2/${NAME}/blobs/${digest(randomBytes(8))}`)),
  )
  await measure('tag page', { s3: 0, dynamodb: 2 }, get('tags/list?n=100'))
  await measure('referrers page', { s3: 0, dynamodb: 2 }, get(`referrers/${image.digest}`))
  await measure('catalog page', { s3: 0, dynamodb: 1 }, () =>
    expecting(200, http('GET', '/v2/_catalog?n=100')),
  )
  await measure('upload POST', { s3: 0, dynamodb: 1 }, () => begin(http))
  let started = await begin(http)
  await measure('stream of 100 KiB and commit', { s3: 1, dynamodb: 3 }, () =>
    stream(http, started, randomBytes(102_400)),
  )
  started = await begin(http)
  await measure('stream of 30 MiB and commit: 1 create, 4 parts, 1 complete', { s3: 6, dynamodb: 4 }, () =>
    stream(http, started, randomBytes(30 * MIB)),
  )
  started = await begin(http)
  await measure('PUT of a whole blob through the registry', { s3: 1, dynamodb: 2 }, () =>
    whole(http, started, randomBytes(102_400)),
  )
  const config = randomBytes(100)
  const layers = [randomBytes(200), randomBytes(200)]
  for (const blob of [config, ...layers]) await whole(http, await begin(http), blob)
  const manifest = manifestOf(config, layers)
  await measure('manifest PUT, 3 blobs', { s3: 0, dynamodb: 4 }, () => put(http, 'new', manifest))
  await measure('the same manifest PUT again', { s3: 0, dynamodb: 1 }, () => put(http, 'new', manifest))
  await measure('the same manifest under another tag', { s3: 0, dynamodb: 2 }, () =>
    put(http, 'more', manifest),
  )
  const many = Array.from({ length: 60 }, () => randomBytes(100))
  for (const blob of many) await whole(http, await begin(http), blob)
  await measure('manifest PUT, 61 blobs', { s3: 0, dynamodb: 1 + 3 + 1 + 1 }, () =>
    put(http, 'many', manifestOf(config, many)),
  )
  const fresh = [randomBytes(300), randomBytes(300)]
  for (const blob of fresh) await putDirectly(context, http, blob)
  await measure(
    'manifest PUT, 2 of 3 blobs uploaded directly a moment ago',
    { s3: 2 * 2, dynamodb: 4 + 2 },
    () => put(http, 'direct', manifestOf(config, fresh)),
  )
  await measure('token', { s3: 0, dynamodb: 2 }, () => bearer(context.server))
  return rows
}

/** Records of use are written a second after a request, by themselves and many at once: they are nobody's calls. */
async function quiet({ s3, dynamodb }: Budgeted): Promise<void> {
  for (let before = -1; before !== s3.calls.length + dynamodb.calls.length; ) {
    before = s3.calls.length + dynamodb.calls.length
    await new Promise((resolve) => setTimeout(resolve, 1200))
  }
}

async function bearer(server: Server): Promise<string> {
  const basic = `Basic ${Buffer.from(`admin:${server.adminPassword}`).toString('base64')}`
  const scopes = `repository:${NAME}:pull,push,delete&scope=registry:catalog:*`
  const answer = await clientOf(server.url, basic)('GET', `/service/token?service=entrepot&scope=${scopes}`)
  return `Bearer ${JSON.parse(answer.body.toString()).token}`
}

async function begin(http: Client): Promise<string> {
  const answer = await http('POST', `/v2/${NAME}/blobs/uploads/`)
  if (answer.status !== 202) throw new Error(`POST: ${answer.status}`)
  return answer.headers.location!
}

async function stream(http: Client, location: string, bytes: Buffer): Promise<void> {
  const sent = await http('PATCH', location, { body: bytes })
  const ended = await http('PUT', `${sent.headers.location}?digest=${digest(bytes)}`)
  if (ended.status !== 201) throw new Error(`commit: ${ended.status} ${ended.body}`)
}

async function whole(http: Client, location: string, bytes: Buffer): Promise<void> {
  const ended = await http('PUT', `${location}?digest=${digest(bytes)}`, { body: bytes })
  if (ended.status !== 201) throw new Error(`PUT: ${ended.status} ${ended.body}`)
}

function manifestOf(config: Buffer, layers: Buffer[]): string {
  const described = (bytes: Buffer) => ({
    mediaType: 'application/x',
    digest: digest(bytes),
    size: bytes.length,
  })
  const body = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: described(config),
    layers: layers.map(described),
  }
  return JSON.stringify(body)
}

async function put(http: Client, tag: string, manifest: string): Promise<void> {
  const headers = { 'content-type': MANIFEST }
  const answer = await http('PUT', `/v2/${NAME}/manifests/${tag}`, { headers, body: manifest })
  if (answer.status !== 201) throw new Error(`manifest: ${answer.status} ${answer.body}`)
}

async function pushed(http: Client): Promise<{ digest: string; tag: string; layer: string }> {
  const [config, layer] = [randomBytes(100), randomBytes(300)]
  for (const blob of [config, layer]) await whole(http, await begin(http), blob)
  const manifest = manifestOf(config, [layer])
  const tag = `t${randomBytes(3).toString('hex')}`
  await put(http, tag, manifest)
  for (const reference of [tag, digest(manifest)]) await http('GET', `/v2/${NAME}/manifests/${reference}`)
  return { digest: digest(manifest), tag, layer: digest(layer) }
}

/** The key is made of what the session token says, as the edge makes it. */
async function putDirectly({ direct }: Budgeted, http: Client, bytes: Buffer): Promise<void> {
  const [, repository, session] = (await begin(http)).split('/').at(-1)!.split('.')
  const key = objectKeys.direct(repository!, digest(bytes) as never, session!)
  await createS3BlobStore({ client: direct.client, name: direct.bucket }).put(
    key,
    (async function* () {
      yield bytes
    })(),
  )
}
