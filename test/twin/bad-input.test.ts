// What must not work, tried at the deployment: forged, repeated, smuggled, cut off; and nothing is broken afterwards.
import { randomBytes } from 'node:crypto'
import { request } from 'node:https'
import { HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { beforeAll, expect, test } from 'vitest'
import { type Asker, askerOf, sha256 } from '../../lib/doctor/client.ts'
import {
  askerFor,
  createdEvent,
  MANIFEST,
  pushImage,
  putBlob,
  startUpload,
  withDigest,
} from './everything.ts'
import { operate } from './operate.ts'
import { collect } from './origin.ts'
import { killFunctions } from './processes.ts'
import { sharedTwin } from './shared.ts'
import type { Twin } from './twin.ts'

const NAME = 'library/bad'
let twin: Twin
let ask: Asker
beforeAll(async () => {
  twin = await sharedTwin()
  ask = await askerFor(twin, NAME)
}, 240_000)

const objects = async () => {
  const { Contents = [] } = await twin.cloud.stores.s3.send(new ListObjectsV2Command({ Bucket: twin.bucket }))
  return Contents.map(({ Key }) => Key!)
}
const absent = async (digest: string) =>
  expect((await ask('HEAD', `/v2/${NAME}/blobs/${digest}`)).status).toBe(404)

/** Plain enough to send other lengths than it has. */
function send(
  path: string,
  headers: Record<string, string>,
  body: Buffer,
): Promise<{ status: number } | 'broken'> {
  return new Promise((resolve) => {
    const outgoing = request(new URL(path, twin.url), { method: 'PUT', headers }, (answer) => {
      answer.resume()
      answer.once('end', () => resolve({ status: answer.statusCode! }))
    })
    outgoing.once('error', () => resolve('broken'))
    outgoing.write(body)
    if (headers['content-length'] === String(body.length) || headers['transfer-encoding']) outgoing.end()
    else setTimeout(() => outgoing.destroy(), 200)
  })
}

test('a manifest of more than the gateway takes is refused with 413', async () => {
  const body = Buffer.alloc(10 * 2 ** 20 + 1, ' ')
  const answer = await ask('PUT', `/v2/${NAME}/manifests/v1`, { body, headers: { 'content-type': MANIFEST } })
  expect(answer.status).toBe(413)
})

test('a session that is forged, expired, or of another repository is unknown, and brings nothing into the bucket', async () => {
  const bytes = randomBytes(500)
  const location = await startUpload(ask, NAME)
  const token = location.split('/').at(-1)!
  const fields = token.split('.')
  const forged = {
    'another signature': [...fields.slice(0, 5), 'A'.repeat(32)].join('.'),
    'another repository': fields.with(1, 'somebody').join('.'),
    'a later end': fields.with(3, 'zzzzzzz').join('.'),
    'a higher limit': fields.with(4, 'zzzzzzzz').join('.'),
    'no token': 'nothing',
  }
  const before = await objects()
  for (const each of Object.values(forged)) {
    const answer = await ask('PUT', withDigest(`/v2/${NAME}/blobs/uploads/${each}`, sha256(bytes)), {
      body: bytes,
    })
    expect(answer.status).toBe(404)
    expect(answer.body.toString()).toContain('BLOB_UPLOAD_UNKNOWN')
  }
  const elsewhere = await ask('PUT', withDigest(`/v2/library/other/blobs/uploads/${token}`, sha256(bytes)), {
    body: bytes,
  })
  expect(elsewhere.status).toBe(404)
  expect(await objects()).toEqual(before)
})

test('a direct PUT that is repeated changes nothing, and other bytes in the same session are another blob', async () => {
  const [bytes, other] = [randomBytes(500), randomBytes(500)]
  const location = await startUpload(ask, NAME)
  for (const each of [bytes, bytes, other, bytes])
    expect((await ask('PUT', withDigest(location, sha256(each)), { body: each })).status).toBe(201)
  for (const each of [bytes, other])
    expect((await ask('GET', `/v2/${NAME}/blobs/${sha256(each)}`)).body.equals(each)).toBe(true)
})

test('bytes under a digest they do not have are refused by S3 and not there', async () => {
  const digest = sha256(randomBytes(8))
  const answer = await ask('PUT', withDigest(await startUpload(ask, NAME), digest), {
    body: randomBytes(500),
  })
  expect(answer.status).toBe(400)
  await absent(digest)
})

test('a direct PUT that ends before its length is no blob', async () => {
  const bytes = randomBytes(500)
  const path = withDigest(await startUpload(ask, NAME), sha256(bytes))
  const answer = await send(path, { 'content-length': '1000' }, bytes)
  if (answer !== 'broken') expect(answer.status).toBeGreaterThanOrEqual(400)
  await absent(sha256(bytes))
})

test('a whole blob in chunks, or with a Content-Range, goes through ingest and is the same blob', async () => {
  for (const header of [{ 'transfer-encoding': 'chunked' }, { 'content-range': '0-499' }]) {
    const bytes = randomBytes(500)
    const path = withDigest(await startUpload(ask, NAME), sha256(bytes))
    const before = twin.balancer.bytesIn
    const length = 'transfer-encoding' in header ? {} : { 'content-length': '500' }
    expect(await send(path, { ...header, ...length } as Record<string, string>, bytes)).toEqual({
      status: 201,
    })
    expect(twin.balancer.bytesIn - before).toBe(500)
    expect((await ask('GET', `/v2/${NAME}/blobs/${sha256(bytes)}`)).body.equals(bytes)).toBe(true)
  }
})

test('headers that S3 takes orders from leave no trace on the object', async () => {
  const bytes = randomBytes(500)
  const secret = (await objects()).find((key) => key.includes('/sha256/'))!
  const before = await objects()
  const answer = await ask('PUT', withDigest(await startUpload(ask, NAME), sha256(bytes)), {
    body: bytes,
    headers: {
      'x-amz-copy-source': `/${twin.bucket}/${secret}`,
      'x-amz-acl': 'public-read',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'x-amz-tagging': 'a=b',
      'x-amz-meta-note': 'mine',
      'x-amz-website-redirect-location': 'https://example.com',
      'content-encoding': 'gzip',
      'content-disposition': 'attachment',
      'content-type': 'text/html',
      'cache-control': 'max-age=99',
      cookie: 'a=b',
    },
  })
  expect(answer.status).toBe(201)
  const [key] = (await objects()).filter((each) => !before.includes(each))
  const stored = await twin.cloud.stores.s3.send(new HeadObjectCommand({ Bucket: twin.bucket, Key: key! }))
  expect(stored).toMatchObject({ ContentLength: 500, ContentType: 'application/octet-stream', Metadata: {} })
  for (const name of ['ContentEncoding', 'ContentDisposition', 'CacheControl', 'WebsiteRedirectLocation'])
    expect(stored[name as keyof typeof stored]).toBeUndefined()
  expect(stored.StorageClass ?? 'STANDARD').toBe('STANDARD')
})

test('the API called around the edge is closed, whatever host and address are claimed', async () => {
  for (const secret of [undefined, 'guessed']) {
    const headers = {
      'x-entrepot-host': 'evil.example',
      'x-entrepot-viewer': '10.0.0.1',
      ...(secret ? { 'x-entrepot-origin': secret } : {}),
    }
    for (const origin of [twin.gateway.origin, twin.balancer.origin]) {
      const answer = await origin({ method: 'GET', target: '/v2/', headers, body: undefined })
      expect([answer.status, (await collect(answer.body))!.toString()]).toEqual([
        403,
        expect.stringContaining('DENIED'),
      ])
    }
  }
})

test('what a client claims of its host is overwritten by the edge', async () => {
  const plain = askerOf(twin.url, () => undefined)
  const headers = { 'x-entrepot-host': 'evil.example', 'x-forwarded-host': 'evil.example', accept: '*/*' }
  const answer = await plain('GET', '/v2/', { headers })
  expect(answer.headers.get('www-authenticate')).toContain(`realm="${twin.url}/service/token"`)
  const through = await ask('POST', `/v2/${NAME}/blobs/uploads/`, { headers })
  expect(through.headers.get('location')).not.toContain('evil.example')
})

test('a forged event of S3 links nothing that is not there', async () => {
  const digest = sha256(randomBytes(8))
  const repository = (await objects()).find((key) => key.includes('/sha256/'))!.split('/')[1]
  for (const key of [
    `b/${repository}/sha256/${digest.slice(7)}/forged`,
    `b/nobody/sha256/${digest.slice(7)}/forged`,
    '../../etc/passwd',
    'b/%00',
  ])
    await twin.events.invoke('Relay', createdEvent(twin.bucket, key))
  for (const event of [{}, { Records: [] }, { detail: null, 'detail-type': 'Object Created' }])
    await twin.events.invoke('Relay', event).catch(() => {})
  await absent(digest)
})

test('functions killed while they work lose nothing that was acknowledged', async () => {
  const acknowledged: [tag: string, bytes: Buffer][] = []
  let number = 0
  let over = false
  const pushers = Array.from({ length: 3 }, async () => {
    while (!over) {
      const tag = `killed-${number++}`
      await pushImage(ask, NAME, tag, 70_000).then(
        (bytes) => acknowledged.push([tag, bytes]),
        () => {},
      )
    }
  })
  const pause = () => new Promise((resolve) => setTimeout(resolve, 100 * Math.random()))
  let killed = 0
  try {
    // Each time they have come back and work: three pushes are under way beside the one that was acknowledged.
    for (let round = 0; round < 4; round++) {
      const before = acknowledged.length
      while (acknowledged.length === before) await pause()
      killed += killFunctions(twin.cloud.pid)
    }
  } finally {
    over = true
  }
  await Promise.all(pushers)
  expect(killed).toBeGreaterThan(0)
  for (const [tag, bytes] of acknowledged)
    expect((await ask('GET', `/v2/${NAME}/manifests/${tag}`)).body.equals(bytes)).toBe(true)
}, 180_000)

test('the relay that hears of everything again repeats nothing', async () => {
  await putBlob(ask, NAME, randomBytes(500))
  await pushImage(ask, NAME, 'relayed')
  const again = { Records: [{ eventName: 'INSERT', eventSource: 'aws:dynamodb' }] }
  await Promise.all(Array.from({ length: 6 }, () => twin.events.invoke('Relay', again)))
  expect((await ask('GET', `/v2/${NAME}/manifests/relayed`)).status).toBe(200)
})

test('after all of it the registry’s own check finds no error', async () => {
  const checked = await operate(twin, 'fsck')
  expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining('0 errors')])
})
