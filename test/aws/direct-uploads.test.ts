// Blobs put straight into the bucket, as the edge will put them; the S3 server's own events tell of them, or do not.
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newSecrets } from '../../lib/access/secret-keys.ts'
import { createDynamoMetadataStore } from '../../lib/aws/dynamo-metadata-store.ts'
import { createS3BlobStore } from '../../lib/aws/s3-blob-store.ts'
import { createdKeys } from '../../lib/aws/s3-events.ts'
import { registerDirectUpload } from '../../lib/registry/direct-uploads.ts'
import { objectKeys } from '../../lib/registry/object-keys.ts'
import { DEFAULT_SETTINGS, newId, type Registry } from '../../lib/registry/registry.ts'
import { type Client, clientOf, digest, MANIFEST, startUpload } from '../api/client.ts'
import { type AwsStores, startAwsStores } from '../support/aws-stores.ts'
import { type Server, startServer } from '../support/server.ts'

const NAME = 'lab/direct'
const BUCKET = 'direct'

let receiver: HttpServer
let aws: AwsStores
let directory: string
let server: Server
let http: Client
let registry: Registry
/** Bodies the S3 server sent, in the order they came. */
const events: string[] = []

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'entrepot-direct-'))
  receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    events.push(Buffer.concat(chunks).toString())
    response.end()
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  aws = await startAwsStores({ eventsTo: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}` })
  await aws.create(BUCKET)
  const secrets = path.join(directory, 'secrets.json')
  await writeFile(secrets, JSON.stringify(await newSecrets()))
  server = await startServer({
    dataDir: path.join(directory, 'data'),
    env: {
      ...aws.env,
      ENTREPOT_STORES: 'aws',
      ENTREPOT_TABLE: BUCKET,
      ENTREPOT_BUCKET: BUCKET,
      ENTREPOT_SECRETS: `file:${secrets}`,
      ENTREPOT_DIRECT_UPLOADS: 'on',
    },
  })
  http = clientOf(server.url)
  registry = {
    metadata: createDynamoMetadataStore(aws.dynamodb, BUCKET),
    blobs: createS3BlobStore({ client: aws.s3, name: BUCKET }),
    clock: { nowMs: Date.now },
    settings: { ...DEFAULT_SETTINGS, directUploads: true },
    newId,
    onEvent: () => {},
  }
})
afterAll(async () => {
  await server.stop()
  await aws.stop()
  receiver.close()
  await rm(directory, { recursive: true, force: true })
})

/** What the edge does with a PUT: the key from the session token, the digest as the payload's hash. */
async function putDirectly(bytes: Buffer, claimed = digest(bytes)): Promise<string> {
  const [, repository, session] = (await startUpload(http, NAME)).split('/').at(-1)!.split('.')
  const key = objectKeys.direct(repository!, claimed as never, session!)
  const command = new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: bytes })
  command.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> }
      headers['x-amz-content-sha256'] = claimed.slice('sha256:'.length)
      return next(args)
    },
    { step: 'build' },
  )
  await aws.s3.send(command)
  return key
}

async function eventOf(key: string): Promise<string> {
  await expect
    .poll(() => events.find((body) => createdKeys(body).includes(key)), { timeout: 10_000 })
    .toBeDefined()
  return events.find((body) => createdKeys(body).includes(key))!
}

async function register(body: string): Promise<string[]> {
  return Promise.all(createdKeys(body).map((key) => registerDirectUpload(registry, key)))
}

async function putImage(tag: string, blobs: Buffer[]): Promise<number> {
  const described = (bytes: Buffer) => ({
    mediaType: 'application/x',
    digest: digest(bytes),
    size: bytes.length,
  })
  const [config, ...layers] = blobs.map(described)
  const body = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers })
  const headers = { 'content-type': MANIFEST }
  return (await http('PUT', `/v2/${NAME}/manifests/${tag}`, { headers, body })).status
}

async function pulled(bytes: Buffer): Promise<boolean> {
  const answer = await fetch(`${server.url}/v2/${NAME}/blobs/${digest(bytes)}`)
  return (
    createHash('sha256')
      .update(Buffer.from(await answer.arrayBuffer()))
      .digest('hex') === digest(bytes).slice(7)
  )
}

test('an image whose blobs no event told of is accepted and pulled', async () => {
  const blobs = [randomBytes(100), randomBytes(100_000), randomBytes(6_000_000)]
  for (const blob of blobs) await putDirectly(blob)
  expect(await putImage('never', blobs)).toBe(201)
  for (const blob of blobs) expect(await pulled(blob)).toBe(true)
})

test('S3 refuses bytes that do not have the digest, so they are never linked', async () => {
  const claimed = digest(randomBytes(10))
  await expect(putDirectly(randomBytes(10), claimed)).rejects.toMatchObject({
    name: 'XAmzContentSHA256Mismatch',
  })
  expect((await http('HEAD', `/v2/${NAME}/blobs/${claimed}`)).status).toBe(404)
})

test('the S3 server’s own event registers a blob, and again and out of order it changes nothing', async () => {
  const blobs = [randomBytes(100), randomBytes(200)]
  const told: string[] = []
  for (const blob of blobs) told.push(await eventOf(await putDirectly(blob)))
  for (const body of told.toReversed()) expect(await register(body)).toEqual(['registered'])
  for (const body of told) expect(await register(body)).toEqual(['known'])
  expect(await putImage('told', blobs)).toBe(201)
  for (const blob of blobs) expect(await pulled(blob)).toBe(true)
})

test('an event that comes after the blob was deleted does not bring it back', async () => {
  const blob = randomBytes(300)
  const body = await eventOf(await putDirectly(blob))
  expect((await http('HEAD', `/v2/${NAME}/blobs/${digest(blob)}`)).status).toBe(200)
  expect((await http('DELETE', `/v2/${NAME}/blobs/${digest(blob)}`)).status).toBe(202)
  expect(await register(body)).toEqual(['known'])
  expect((await http('GET', `/v2/${NAME}/blobs/${digest(blob)}`)).status).toBe(404)
})

test('the same blob put by two clients at once is linked once', async () => {
  const blob = randomBytes(400)
  const told = await Promise.all([blob, blob].map(async (bytes) => eventOf(await putDirectly(bytes))))
  const [first, second] = await Promise.all(told.map(register))
  expect([first, second]).toEqual([['registered'], ['registered']])
  expect(await pulled(blob)).toBe(true)
})

test('an event of EventBridge names its object too, and other events name none', () => {
  const key = 'b/r/sha256/00/s'
  const created = { 'detail-type': 'Object Created', detail: { object: { key } } }
  expect(createdKeys(JSON.stringify(created))).toEqual([key])
  expect(createdKeys(JSON.stringify({ ...created, 'detail-type': 'Object Deleted' }))).toEqual([])
  expect(createdKeys('{"Event":"s3:TestEvent"}')).toEqual([])
})
